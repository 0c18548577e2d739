/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privilege names, to and from sets. Pure; runs in the core. */
#include "agent/auth/privs.h"

#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static const char *const names[] = {
	[PRIV_DATASTORE_ALLOCATE] = "Datastore.Allocate",
	[PRIV_DATASTORE_ALLOCATE_SPACE] = "Datastore.AllocateSpace",
	[PRIV_DATASTORE_ALLOCATE_TEMPLATE] = "Datastore.AllocateTemplate",
	[PRIV_DATASTORE_AUDIT] = "Datastore.Audit",
	[PRIV_GROUP_ALLOCATE] = "Group.Allocate",
	[PRIV_MAPPING_AUDIT] = "Mapping.Audit",
	[PRIV_MAPPING_MODIFY] = "Mapping.Modify",
	[PRIV_MAPPING_USE] = "Mapping.Use",
	[PRIV_PERMISSIONS_MODIFY] = "Permissions.Modify",
	[PRIV_POOL_ALLOCATE] = "Pool.Allocate",
	[PRIV_POOL_AUDIT] = "Pool.Audit",
	[PRIV_REALM_ALLOCATE] = "Realm.Allocate",
	[PRIV_REALM_ALLOCATE_USER] = "Realm.AllocateUser",
	[PRIV_SDN_ALLOCATE] = "SDN.Allocate",
	[PRIV_SDN_AUDIT] = "SDN.Audit",
	[PRIV_SDN_USE] = "SDN.Use",
	[PRIV_SYS_ACCESS_NETWORK] = "Sys.AccessNetwork",
	[PRIV_SYS_AUDIT] = "Sys.Audit",
	[PRIV_SYS_CONSOLE] = "Sys.Console",
	[PRIV_SYS_INCOMING] = "Sys.Incoming",
	[PRIV_SYS_MODIFY] = "Sys.Modify",
	[PRIV_SYS_POWER_MGMT] = "Sys.PowerMgmt",
	[PRIV_SYS_SYSLOG] = "Sys.Syslog",
	[PRIV_USER_MODIFY] = "User.Modify",
	[PRIV_VM_ALLOCATE] = "VM.Allocate",
	[PRIV_VM_AUDIT] = "VM.Audit",
	[PRIV_VM_BACKUP] = "VM.Backup",
	[PRIV_VM_CLONE] = "VM.Clone",
	[PRIV_VM_CONFIG_CDROM] = "VM.Config.CDROM",
	[PRIV_VM_CONFIG_CPU] = "VM.Config.CPU",
	[PRIV_VM_CONFIG_CLOUDINIT] = "VM.Config.Cloudinit",
	[PRIV_VM_CONFIG_DISK] = "VM.Config.Disk",
	[PRIV_VM_CONFIG_HWTYPE] = "VM.Config.HWType",
	[PRIV_VM_CONFIG_MEMORY] = "VM.Config.Memory",
	[PRIV_VM_CONFIG_NETWORK] = "VM.Config.Network",
	[PRIV_VM_CONFIG_OPTIONS] = "VM.Config.Options",
	[PRIV_VM_CONSOLE] = "VM.Console",
	[PRIV_VM_GUEST_AGENT_AUDIT] = "VM.GuestAgent.Audit",
	[PRIV_VM_GUEST_AGENT_FILE_READ] = "VM.GuestAgent.FileRead",
	[PRIV_VM_GUEST_AGENT_FILE_SYSTEM_MGMT] = "VM.GuestAgent.FileSystemMgmt",
	[PRIV_VM_GUEST_AGENT_FILE_WRITE] = "VM.GuestAgent.FileWrite",
	[PRIV_VM_GUEST_AGENT_UNRESTRICTED] = "VM.GuestAgent.Unrestricted",
	[PRIV_VM_MIGRATE] = "VM.Migrate",
	[PRIV_VM_POWER_MGMT] = "VM.PowerMgmt",
	[PRIV_VM_REPLICATE] = "VM.Replicate",
	[PRIV_VM_SNAPSHOT] = "VM.Snapshot",
	[PRIV_VM_SNAPSHOT_ROLLBACK] = "VM.Snapshot.Rollback",
};
_Static_assert(ARRAY_SIZE(names) == PRIV_COUNT, "every privilege has a name");
_Static_assert(PRIV_COUNT < 64, "a set is one word");

const char *priv_name(unsigned bit)
{
	return bit < PRIV_COUNT ? names[bit] : NULL;
}

static bool find(const char *name, size_t size, privset *ret)
{
	for (unsigned i = 0; i < PRIV_COUNT; i++)
		if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) {
			*ret = (privset)1 << i;
			return true;
		}
	return false;
}

int privset_from_names(const char *text, privset *ret, struct err *err)
{
	static const char separators[] = " ,;|\t\n";
	privset set = 0;

	for (const char *at = text + strspn(text, separators); *at;) {
		size_t size = strcspn(at, separators);
		privset one;

		if (!find(at, size, &one))
			return err_field(err, "privs", "invalid privilege '%.*s'",
					 (int)(size < 64 ? size : 64), at);
		set |= one;
		at += size;
		at += strspn(at, separators);
	}
	*ret = set;
	return 0;
}

privset privset_of_prefix(const char *prefix)
{
	privset set = 0;

	for (unsigned i = 0; i < PRIV_COUNT; i++)
		if (str_starts(names[i], prefix))
			set |= (privset)1 << i;
	return set;
}

void privset_format(privset set, const char *separator, struct buf *out)
{
	bool is_first = true;

	for (unsigned i = 0; i < PRIV_COUNT; i++) {
		if (!(set & (privset)1 << i))
			continue;
		if (!is_first)
			buf_add_str(out, separator);
		buf_add_str(out, names[i]);
		is_first = false;
	}
}

void privset_to_json_object(privset set, bool propagate, struct json *j)
{
	json_object_begin(j);
	for (unsigned i = 0; i < PRIV_COUNT; i++)
		if (set & (privset)1 << i)
			json_kv_bool(j, names[i], propagate);
	json_object_end(j);
}
