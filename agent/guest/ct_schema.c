/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parameter tables of containers: data only. A key belongs here once it has an effect. */
#include "agent/guest/ct_schema.h"

#define OPTIONAL .optional = true
#define MIN(n)	 .has_min = true, .min = (n)
#define MAX(n)	 .has_max = true, .max = (n)

/* 4 EiB: memory and swap together, in bytes, still fit a 64-bit number. */
#define MIB_MAX 4398046511104.0

#define INTERFACE_NAME "[-_.A-Za-z0-9]{1,15}"

static const char *const archs[] = {"amd64", "i386", "arm64", "armhf", "riscv32", "riscv64", NULL};
static const char *const ostypes[] = {"debian", "devuan",   "ubuntu",	 "centos",
				      "fedora", "opensuse", "archlinux", "alpine",
				      "gentoo", "nixos",    "unmanaged", NULL};
static const char *const locks[] = {"backup",	"create",	   "destroyed", "disk",
				    "fstrim",	"migrate",	   "mounted",	"rollback",
				    "snapshot", "snapshot-delete", NULL};
static const char *const cmodes[] = {"console", "shell", "tty", NULL};
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
	{"hwaddr", PARAM_STRING, OPTIONAL, .format = "mac-addr",
	 .text = "MAC address; a random one by default."},
	{"ip", PARAM_STRING, OPTIONAL, .format = "pve-ipv4-config",
	 .text = "IPv4 address in CIDR form, dhcp or manual."},
	{"ip6", PARAM_STRING, OPTIONAL, .format = "pve-ipv6-config",
	 .text = "IPv6 address in CIDR form, auto, dhcp or manual."},
	{"link_down", PARAM_BOOLEAN, OPTIONAL, .text = "Whether the interface is disconnected."},
	{"mtu", PARAM_INTEGER, OPTIONAL, MIN(64), MAX(65535),
	 .text = "Maximum transfer unit of the interface."},
	{"tag", PARAM_INTEGER, OPTIONAL, MIN(1), MAX(4094), .text = "VLAN tag."},
	{"type", PARAM_STRING, OPTIONAL, .choices = net_types, .text = "Type of the interface."},
	PARAM_END,
};

const struct param ct_rootfs_keys[] = {
	{"volume", PARAM_STRING, .pattern = "[A-Za-z0-9][A-Za-z0-9:._/-]*",
	 .text = "Volume; STORAGE:SIZE_IN_GiB makes a new one."},
	{"ro", PARAM_BOOLEAN, OPTIONAL, .text = "Read-only."},
	{"size", PARAM_STRING, OPTIONAL, .format = "disk-size",
	 .text = "Size of the volume (shown)."},
	PARAM_END,
};

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
	{"description", PARAM_STRING, OPTIONAL, MAX(8192), .text = "Notes."},
	{"hostname", PARAM_STRING, OPTIONAL, .format = "dns-name", MAX(255), .text = "Host name."},
	{"lock", PARAM_STRING, OPTIONAL, .choices = locks, .text = "Lock; root only."},
	{"memory", PARAM_INTEGER, OPTIONAL, MIN(16), MAX(MIB_MAX), .text = "Memory in MiB.",
	 .default_text = "512"},
	{"nameserver", PARAM_STRING, OPTIONAL, .format = "lxc-ip-with-ll-iface-list",
	 .text = "DNS server addresses; the node's by default."},
	{"net[n]", PARAM_STRING, OPTIONAL, .keys = ct_net_keys, .index_max = 32,
	 .text = "A network interface."},
	{"onboot", PARAM_BOOLEAN, OPTIONAL, .text = "Start when the node starts.",
	 .default_text = "0"},
	{"ostype", PARAM_STRING, OPTIONAL, .choices = ostypes,
	 .text = "Kind of system inside, for its set-up; unmanaged leaves it alone."},
	{"rootfs", PARAM_STRING, OPTIONAL, .keys = ct_rootfs_keys, .default_key = "volume",
	 .text = "The root volume."},
	{"searchdomain", PARAM_STRING, OPTIONAL, .format = "dns-name-list",
	 .text = "DNS search domains; the node's by default."},
	{"startup", PARAM_STRING, OPTIONAL, .format = "pve-startup-order",
	 .text = "Start and stop order: [[order=]N][,up=SECONDS][,down=SECONDS]."},
	{"swap", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(MIB_MAX), .text = "Swap in MiB.",
	 .default_text = "512"},
	{"tags", PARAM_STRING, OPTIONAL, .format = "pve-tag-list", .text = "Tags, for lists only."},
	{"tty", PARAM_INTEGER, OPTIONAL, MIN(0), MAX(6), .text = "Number of terminals inside.",
	 .default_text = "2"},
	{"unprivileged", PARAM_BOOLEAN, OPTIONAL,
	 .text = "Map the container's root to an unprivileged user.", .default_text = "1"},
	PARAM_END,
};

const char *const ct_live_keys[] = {"cmode",   "description", "lock", "onboot",
				    "startup", "tags",	      NULL};
