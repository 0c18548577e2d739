/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The property strings of containers' keys: data only. */
#include "agent/guest/ct_schema.h"

#define OPTIONAL .optional = true
#define MIN(n)	 .has_min = true, .min = (n)
#define MAX(n)	 .has_max = true, .max = (n)

#define INTERFACE_NAME "[-_.A-Za-z0-9]{1,15}"
#define MOUNT_OPTION   "(discard|lazytime|noatime|nodev|noexec|nosuid)"
#define VOLUME_NAME    "[A-Za-z0-9][A-Za-z0-9:._/-]*"

static const char *const net_types[] = {"veth", NULL};

const struct param ct_net_keys[] = {
	{"name", PARAM_STRING, .pattern = INTERFACE_NAME,
	 .text = "Name of the network device as seen inside the container."},
	{"bridge", PARAM_STRING, OPTIONAL, .pattern = INTERFACE_NAME,
	 .text = "Bridge to attach the network device to."},
	{"firewall", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Whether the firewall filters this interface."},
	{"gw", PARAM_STRING, OPTIONAL, .format = "ipv4", .text = "Default gateway for IPv4."},
	{"gw6", PARAM_STRING, OPTIONAL, .format = "ipv6", .text = "Default gateway for IPv6."},
	{"host-managed", PARAM_BOOLEAN, OPTIONAL,
	 .text = "The node sets addresses inside, at start and at each change."},
	{"hwaddr", PARAM_STRING, OPTIONAL, .format = "mac-addr",
	 .text = "MAC address; a random one by default."},
	{"ip", PARAM_STRING, OPTIONAL, .format = "pve-ipv4-config",
	 .text = "IPv4 address in CIDR form, dhcp or manual."},
	{"ip6", PARAM_STRING, OPTIONAL, .format = "pve-ipv6-config",
	 .text = "IPv6 address in CIDR form, auto, dhcp or manual."},
	{"link_down", PARAM_BOOLEAN, OPTIONAL, .text = "Whether the interface is disconnected."},
	{"mtu", PARAM_INTEGER, OPTIONAL, MIN(64), MAX(65535),
	 .text = "Maximum transfer unit of the interface."},
	{"rate", PARAM_NUMBER, OPTIONAL, MIN(0), MAX(10240),
	 .text = "Bound of each direction in megabytes per second; 0: none."},
	{"tag", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(4094), .text = "VLAN tag."},
	{"trunks", PARAM_STRING, OPTIONAL, .pattern = "[0-9]+(;[0-9]+)*",
	 .text = "VLANs that pass with their tags."},
	{"type", PARAM_STRING, OPTIONAL, .choices = net_types, .text = "Type of the interface."},
	PARAM_END,
};

#define VOLUME_FLAGS                                                                               \
	{                                                                                          \
		"acl", PARAM_BOOLEAN, OPTIONAL,                                                    \
			.text = "POSIX access control lists of an image's file system, where the " \
				"kernel can be without."                                           \
	}
#define VOLUME_MOUNT                                                                               \
	{                                                                                          \
		"mountoptions", PARAM_STRING, OPTIONAL,                                            \
			.pattern = MOUNT_OPTION "(;" MOUNT_OPTION ")*",                            \
			.text = "Mount options, separated by semicolons."                          \
	}
#define VOLUME_QUOTA                                                                               \
	{                                                                                          \
		"quota", PARAM_BOOLEAN, OPTIONAL,                                                  \
			.text = "User quotas inside: refused, no kernel grants them there."        \
	}
#define VOLUME_REPLICATE                                                                           \
	{                                                                                          \
		"replicate", PARAM_BOOLEAN, OPTIONAL, .text = "Kept, there is no replication yet." \
	}
#define VOLUME_RO                                                                                  \
	{                                                                                          \
		"ro", PARAM_BOOLEAN, OPTIONAL, .text = "Read-only."                                \
	}
#define VOLUME_SHARED                                                                              \
	{                                                                                          \
		"shared", PARAM_BOOLEAN, OPTIONAL, .text = "Kept: it is the same on all nodes."    \
	}
#define VOLUME_SIZE                                                                                \
	{                                                                                          \
		"size", PARAM_STRING, OPTIONAL, .format = "disk-size",                             \
						.text = "Size of the volume (shown)."              \
	}

const struct param ct_rootfs_keys[] = {
	{"volume", PARAM_STRING, .pattern = VOLUME_NAME,
	 .text = "Volume; STORAGE:SIZE_IN_GiB makes a new one."},
	VOLUME_FLAGS,
	VOLUME_MOUNT,
	VOLUME_QUOTA,
	VOLUME_REPLICATE,
	VOLUME_RO,
	VOLUME_SHARED,
	VOLUME_SIZE,
	PARAM_END,
};

const struct param ct_mp_keys[] = {
	{"volume", PARAM_STRING, .pattern = "(/[^,]*|" VOLUME_NAME ")", MAX(500),
	 .text = "Volume, STORAGE:SIZE_IN_GiB for a new one, or a folder of the node (root only)."},
	{"mp", PARAM_STRING, .format = "pve-lxc-mp-string", .pattern = "/[^,]*", MAX(500),
	 .text = "Where it is mounted inside."},
	VOLUME_FLAGS,
	{"backup", PARAM_BOOLEAN, OPTIONAL, .text = "Kept, there are no backups yet."},
	{"keepattrs", PARAM_BOOLEAN, OPTIONAL,
	 .text = "A new volume takes owner and mode of the folder it is mounted on."},
	VOLUME_MOUNT,
	VOLUME_QUOTA,
	VOLUME_REPLICATE,
	VOLUME_RO,
	VOLUME_SHARED,
	VOLUME_SIZE,
	PARAM_END,
};

const struct param ct_dev_keys[] = {
	{"path", PARAM_STRING, .format = "pve-lxc-dev-string", MAX(250),
	 .text = "Device of the node, under the same path inside."},
	{"deny-write", PARAM_BOOLEAN, OPTIONAL, .text = "Reading only."},
	{"gid", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(4294967294.0), .text = "Group inside."},
	{"mode", PARAM_STRING, OPTIONAL, .pattern = "0[0-7]{3}", .text = "Permissions, octal."},
	{"uid", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(4294967294.0), .text = "Owner inside."},
	PARAM_END,
};

const struct param ct_features_keys[] = {
	{"force_rw_sys", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Mount /sys writable in an unprivileged container."},
	{"fuse", PARAM_BOOLEAN, OPTIONAL, .text = "FUSE file systems (/dev/fuse)."},
	{"keyctl", PARAM_BOOLEAN, OPTIONAL,
	 .text = "The system call keyctl in an unprivileged container."},
	{"mknod", PARAM_BOOLEAN, OPTIONAL, .text = "Making device nodes; privileged only."},
	{"mount", PARAM_STRING, OPTIONAL, .pattern = "[a-zA-Z0-9_]+([; ]+[a-zA-Z0-9_]+)*",
	 .text = "File systems that may be mounted inside; privileged only."},
	{"nesting", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Containers inside the container, and subvolumes of btrfs, which its sizes do not "
		 "limit."},
	PARAM_END,
};

const struct param ct_unused_keys[] = {
	{"volume", PARAM_STRING, .format = "pve-volume-id", MAX(500), .text = "The volume."},
	PARAM_END,
};
