/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The built-in roles: names of the contract, content by their purpose. Data only. */
#include "agent/auth/privs.h"

#define AUDIT                                                                                      \
	(PRIV(DATASTORE_AUDIT) | PRIV(MAPPING_AUDIT) | PRIV(POOL_AUDIT) | PRIV(SDN_AUDIT) |        \
	 PRIV(SYS_AUDIT) | PRIV(VM_AUDIT) | PRIV(VM_GUEST_AGENT_AUDIT))
#define DATASTORE_USER (PRIV(DATASTORE_AUDIT) | PRIV(DATASTORE_ALLOCATE_SPACE))
#define DATASTORE_ADMIN                                                                            \
	(DATASTORE_USER | PRIV(DATASTORE_ALLOCATE) | PRIV(DATASTORE_ALLOCATE_TEMPLATE))
#define MAPPING_USER  (PRIV(MAPPING_AUDIT) | PRIV(MAPPING_USE))
#define MAPPING_ADMIN (MAPPING_USER | PRIV(MAPPING_MODIFY))
#define POOL_ADMIN    (PRIV(POOL_AUDIT) | PRIV(POOL_ALLOCATE))
#define SDN_USER      (PRIV(SDN_AUDIT) | PRIV(SDN_USE))
#define SDN_ADMIN     (SDN_USER | PRIV(SDN_ALLOCATE))
#define SYS_ADMIN     (PRIV(SYS_AUDIT) | PRIV(SYS_CONSOLE) | PRIV(SYS_SYSLOG))
#define USER_ADMIN    (PRIV(GROUP_ALLOCATE) | PRIV(REALM_ALLOCATE_USER) | PRIV(USER_MODIFY))
/* A guest's user: sees it, powers it, works in it, backs it up; changes nothing of its hardware. */
#define VM_USER                                                                                    \
	(PRIV(VM_AUDIT) | PRIV(VM_BACKUP) | PRIV(VM_CONFIG_CDROM) | PRIV(VM_CONFIG_CLOUDINIT) |    \
	 PRIV(VM_CONSOLE) | PRIV(VM_GUEST_AGENT_AUDIT) | PRIV(VM_POWER_MGMT))
#define VM_ADMIN                                                                                   \
	(VM_USER | PRIV(VM_ALLOCATE) | PRIV(VM_CLONE) | PRIV(VM_CONFIG_CPU) |                      \
	 PRIV(VM_CONFIG_DISK) | PRIV(VM_CONFIG_HWTYPE) | PRIV(VM_CONFIG_MEMORY) |                  \
	 PRIV(VM_CONFIG_NETWORK) | PRIV(VM_CONFIG_OPTIONS) | PRIV(VM_GUEST_AGENT_FILE_READ) |      \
	 PRIV(VM_GUEST_AGENT_FILE_SYSTEM_MGMT) | PRIV(VM_GUEST_AGENT_FILE_WRITE) |                 \
	 PRIV(VM_GUEST_AGENT_UNRESTRICTED) | PRIV(VM_MIGRATE) | PRIV(VM_REPLICATE) |               \
	 PRIV(VM_SNAPSHOT) | PRIV(VM_SNAPSHOT_ROLLBACK))
/* Everything but the node itself, realms, network reach of the node, and permissions. */
#define ADMIN                                                                                      \
	(DATASTORE_ADMIN | MAPPING_ADMIN | POOL_ADMIN | SDN_ADMIN | SYS_ADMIN | USER_ADMIN |       \
	 VM_ADMIN)

const struct builtin_role builtin_roles[] = {
	{"Administrator", PRIVSET_ALL},
	{ROLE_NO_ACCESS, 0},
	{"PVEAdmin", ADMIN},
	{"PVEAuditor", AUDIT},
	{"PVEDatastoreAdmin", DATASTORE_ADMIN},
	{"PVEDatastoreUser", DATASTORE_USER},
	{"PVEMappingAdmin", MAPPING_ADMIN},
	{"PVEMappingUser", MAPPING_USER},
	{"PVEPoolAdmin", POOL_ADMIN},
	{"PVEPoolUser", PRIV(POOL_AUDIT)},
	{"PVESDNAdmin", SDN_ADMIN},
	{"PVESDNUser", SDN_USER},
	{"PVESysAdmin", SYS_ADMIN},
	{"PVETemplateUser", PRIV(VM_AUDIT) | PRIV(VM_CLONE)},
	{"PVEUserAdmin", USER_ADMIN},
	{"PVEVMAdmin", VM_ADMIN},
	{"PVEVMUser", VM_USER},
	{0},
};
