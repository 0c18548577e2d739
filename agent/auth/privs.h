/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The privileges by number and the built-in roles. Pure. Names are the contract's. */
#pragma once

#include "agent/auth/access.h"

/* In byte order of their names; the bit of a privilege never reaches disk. */
enum priv {
	PRIV_DATASTORE_ALLOCATE,
	PRIV_DATASTORE_ALLOCATE_SPACE,
	PRIV_DATASTORE_ALLOCATE_TEMPLATE,
	PRIV_DATASTORE_AUDIT,
	PRIV_GROUP_ALLOCATE,
	PRIV_MAPPING_AUDIT,
	PRIV_MAPPING_MODIFY,
	PRIV_MAPPING_USE,
	PRIV_PERMISSIONS_MODIFY,
	PRIV_POOL_ALLOCATE,
	PRIV_POOL_AUDIT,
	PRIV_REALM_ALLOCATE,
	PRIV_REALM_ALLOCATE_USER,
	PRIV_SDN_ALLOCATE,
	PRIV_SDN_AUDIT,
	PRIV_SDN_USE,
	PRIV_SYS_ACCESS_NETWORK,
	PRIV_SYS_AUDIT,
	PRIV_SYS_CONSOLE,
	PRIV_SYS_INCOMING,
	PRIV_SYS_MODIFY,
	PRIV_SYS_POWER_MGMT,
	PRIV_SYS_SYSLOG,
	PRIV_USER_MODIFY,
	PRIV_VM_ALLOCATE,
	PRIV_VM_AUDIT,
	PRIV_VM_BACKUP,
	PRIV_VM_CLONE,
	PRIV_VM_CONFIG_CDROM,
	PRIV_VM_CONFIG_CPU,
	PRIV_VM_CONFIG_CLOUDINIT,
	PRIV_VM_CONFIG_DISK,
	PRIV_VM_CONFIG_HWTYPE,
	PRIV_VM_CONFIG_MEMORY,
	PRIV_VM_CONFIG_NETWORK,
	PRIV_VM_CONFIG_OPTIONS,
	PRIV_VM_CONSOLE,
	PRIV_VM_GUEST_AGENT_AUDIT,
	PRIV_VM_GUEST_AGENT_FILE_READ,
	PRIV_VM_GUEST_AGENT_FILE_SYSTEM_MGMT,
	PRIV_VM_GUEST_AGENT_FILE_WRITE,
	PRIV_VM_GUEST_AGENT_UNRESTRICTED,
	PRIV_VM_MIGRATE,
	PRIV_VM_POWER_MGMT,
	PRIV_VM_REPLICATE,
	PRIV_VM_SNAPSHOT,
	PRIV_VM_SNAPSHOT_ROLLBACK,
	PRIV_COUNT,
};

#define PRIV(name)  ((privset)1 << (PRIV_##name))
#define PRIVSET_ALL (((privset)1 << PRIV_COUNT) - 1)

/* The set of all privileges whose name starts with prefix ("VM."). */
privset privset_of_prefix(const char *prefix);
/* Names in order, separated by `separator`, appended to out. */
struct buf;
void privset_format(privset set, const char *separator, struct buf *out);

struct builtin_role {
	const char *name;
	privset privs;
};

#define ROLE_NO_ACCESS "NoAccess"

/* Ended by an entry without name. */
extern const struct builtin_role builtin_roles[];
