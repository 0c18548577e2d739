/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameter tables of containers: data only. A key belongs here once it has an effect. */
#include "agent/guest/ct_schema.h"

#define OPTIONAL .optional = true
#define MIN(n)	 .has_min = true, .min = (n)
#define MAX(n)	 .has_max = true, .max = (n)

/* 4 EiB: memory and swap together, in bytes, still fit a 64-bit number. */
#define MIB_MAX 4398046511104.0

static const char *const archs[] = {"amd64", "i386", "arm64", "armhf", "riscv32", "riscv64", NULL};
static const char *const ostypes[] = {"debian", "devuan",   "ubuntu",	 "centos",
				      "fedora", "opensuse", "archlinux", "alpine",
				      "gentoo", "nixos",    "unmanaged", NULL};
static const char *const locks[] = {"backup",	"create",	   "destroyed", "disk",
				    "fstrim",	"migrate",	   "mounted",	"rollback",
				    "snapshot", "snapshot-delete", NULL};
static const char *const cmodes[] = {"console", "shell", "tty", NULL};
const struct param ct_config_params[] = {
	{"arch", PARAM_STRING, OPTIONAL, .choices = archs,
	 .text = "Architecture of the system inside.", .default_text = "amd64"},
	{"cmode", PARAM_STRING, OPTIONAL, .choices = cmodes,
	 .text = "What its console opens: a free terminal, /dev/console, or a shell of root "
		 "without "
		 "a log-in.",
	 .default_text = "tty"},
	{"console", PARAM_BOOLEAN, OPTIONAL, .text = "Attach a console device (/dev/console).",
	 .default_text = "1"},
	{"cores", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(8192),
	 .text = "Number of cores; all of the node's by default."},
	{"cpulimit", PARAM_NUMBER, OPTIONAL, MIN(0), MAX(8192),
	 .text = "Processor time in cores, as a bound; 0: none.", .default_text = "0"},
	{"cpuunits", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(500000),
	 .text = "Weight against other guests; 0: the default."},
	{"debug", PARAM_BOOLEAN, OPTIONAL, .text = "Starts tell in their log all that liblxc does.",
	 .default_text = "0"},
	{"description", PARAM_STRING, OPTIONAL, MAX(8192), .text = "Notes."},
	{"dev[n]", PARAM_STRING, OPTIONAL, .keys = ct_dev_keys, .default_key = "path",
	 .index_max = CT_DEVS_MAX, .text = "A device of the node."},
	{"entrypoint", PARAM_STRING, OPTIONAL, .pattern = "[^[:cntrl:]]+", MAX(4096),
	 .text = "Program that runs as init, with its arguments.", .default_text = "/sbin/init"},
	{"env", PARAM_STRING, OPTIONAL, .is_nul_list = true, MAX(65536),
	 .pattern = "[A-Za-z0-9_]+=[^[:cntrl:]]*",
	 .text = "Environment of init: NAME=VALUE, separated by NUL or by \\0."},
	{"features", PARAM_STRING, OPTIONAL, .keys = ct_features_keys,
	 .text = "What it may do beyond the usual."},
	{"hookscript", PARAM_STRING, OPTIONAL, .format = "pve-volume-id",
	 .text = "Snippet that the node runs as root before and after start and stop."},
	{"hostname", PARAM_STRING, OPTIONAL, .format = "dns-name", MAX(255), .text = "Host name."},
	{"lock", PARAM_STRING, OPTIONAL, .choices = locks, .text = "Lock; root only."},
	{"memory", PARAM_INTEGER, OPTIONAL, MIN(16), MAX(MIB_MAX), .text = "Memory in MiB.",
	 .default_text = "512"},
	{"mp[n]", PARAM_STRING, OPTIONAL, .keys = ct_mp_keys, .default_key = "volume",
	 .index_max = CT_MPS_MAX, .text = "A further volume, or a folder of the node."},
	{"nameserver", PARAM_STRING, OPTIONAL, .format = "lxc-ip-with-ll-iface-list",
	 .text = "DNS server addresses; the node's by default."},
	{"net[n]", PARAM_STRING, OPTIONAL, .keys = ct_net_keys, .index_max = 32,
	 .text = "A network interface."},
	{"onboot", PARAM_BOOLEAN, OPTIONAL, .text = "Start when the node starts.",
	 .default_text = "0"},
	{"ostype", PARAM_STRING, OPTIONAL, .choices = ostypes,
	 .text = "Kind of system inside, for its set-up; unmanaged leaves it alone."},
	{"protection", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Neither it nor its volumes can be removed.", .default_text = "0"},
	{"rootfs", PARAM_STRING, OPTIONAL, .keys = ct_rootfs_keys, .default_key = "volume",
	 .text = "The root volume."},
	{"searchdomain", PARAM_STRING, OPTIONAL, .format = "dns-name-list",
	 .text = "DNS search domains; the node's by default."},
	{"startup", PARAM_STRING, OPTIONAL, .format = "pve-startup-order",
	 .text = "Start and stop order: [[order=]N][,up=SECONDS][,down=SECONDS]."},
	{"swap", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(MIB_MAX), .text = "Swap in MiB.",
	 .default_text = "512"},
	{"tags", PARAM_STRING, OPTIONAL, .format = "pve-tag-list", .text = "Tags, for lists only."},
	{"template", PARAM_BOOLEAN, OPTIONAL, .text = "It is a template: only to be copied.",
	 .default_text = "0"},
	{"timezone", PARAM_STRING, OPTIONAL, .format = "pve-ct-timezone",
	 .text = "Time zone inside; host: the node's. Left alone by default."},
	{"tty", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(6), .text = "Number of terminals inside.",
	 .default_text = "2"},
	{"unprivileged", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Map the container's root to an unprivileged user.", .default_text = "1"},
	{"unused[n]", PARAM_STRING, OPTIONAL, .keys = ct_unused_keys, .default_key = "volume",
	 .index_max = CT_UNUSED_MAX, .text = "A volume that nothing uses."},
	PARAM_END,
};

const char *const ct_live_keys[] = {"cmode", "debug",	  "description", "hookscript",
				    "lock",  "onboot",	  "protection",	 "startup",
				    "tags",  "unused[n]", NULL};
