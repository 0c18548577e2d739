/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distributions as a table, found by os-release or by the configuration's ostype. */
#include "agent/guest/ct/distro.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/os_release.h"
#include "agent/guest/ct/rootdir.h"

#define IFUPDOWN CT_NETCONF_IFUPDOWN
#define NETPLAN	 CT_NETCONF_NETPLAN
#define NETWORKD CT_NETCONF_NETWORKD
#define KEYFILE	 CT_NETCONF_KEYFILE
#define WICKED	 CT_NETCONF_WICKED
#define NETIFRC	 CT_NETCONF_NETIFRC

static const struct ct_os systems[] = {
	{"debian", {IFUPDOWN, NETPLAN, NETWORKD, KEYFILE}, true},
	{"devuan", {IFUPDOWN, KEYFILE}, true},
	{"ubuntu", {NETPLAN, NETWORKD, IFUPDOWN, KEYFILE}, true},
	{"centos", {KEYFILE, NETWORKD}, true},
	{"fedora", {KEYFILE, NETWORKD}, true},
	{"opensuse", {WICKED, KEYFILE, NETWORKD}, true},
	{"archlinux", {NETWORKD, KEYFILE}, true},
	{"alpine", {IFUPDOWN}, true},
	{"gentoo", {NETIFRC, NETWORKD, KEYFILE}, true},
	{"nixos", {NETWORKD, KEYFILE}, true},
	{"unmanaged", {0}, false},
};

static const struct ct_os unknown = {
	NULL, {IFUPDOWN, NETPLAN, NETWORKD, KEYFILE, WICKED, NETIFRC}, true};

/* Names of os-release that are not ours. */
static const struct {
	const char *id, *ostype;
} others[] = {
	{"raspbian", "debian"},
	{"rhel", "centos"},
	{"rocky", "centos"},
	{"almalinux", "centos"},
	{"ol", "centos"},
	{"arch", "archlinux"},
	{"sles", "opensuse"},
	{"opensuse-leap", "opensuse"},
	{"opensuse-tumbleweed", "opensuse"},
	{"suse", "opensuse"},
};

static const struct ct_os *os_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_eq(others[i].id, name))
			name = others[i].ostype;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (str_eq(systems[i].ostype, name))
			return &systems[i];
	return NULL;
}

const struct ct_os *ct_os_detect(int root)
{
	static const char *const files[] = {"/etc/os-release", "/usr/lib/os-release"};
	const struct ct_os *os = NULL;
	struct os_release release;
	autobuf text = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(files) && text.size == 0; i++)
		if (rootdir_read(root, files[i], OS_RELEASE_MAX, &text, NULL) < 0)
			buf_clear(&text);
	os_release_parse(buf_str(&text), text.size, &release);
	if (!str_eq(release.id, "unmanaged"))
		os = os_find(release.id);
	autostrv char **like = str_split(release.like, " ");
	for (char **name = like; !os && *name; name++)
		os = str_eq(*name, "unmanaged") ? NULL : os_find(*name);
	return os ? os : &unknown;
}

const struct ct_os *ct_os_of(int root, const struct guest_config *config)
{
	const char *ostype = guest_config_get(config, "ostype");
	const struct ct_os *os = ostype ? os_find(ostype) : NULL;

	return os ? os : ct_os_detect(root);
}

/* What shows that one is installed; a weak sign counts only where there is no strong one of any. */
static const struct {
	enum ct_netconf kind;
	const char *path;
	bool is_weak;
} signs[] = {
	{IFUPDOWN, "/usr/sbin/ifup", false},
	{IFUPDOWN, "/sbin/ifup", false},
	{IFUPDOWN, "/etc/network/interfaces", true},
	{NETPLAN, "/usr/sbin/netplan", false},
	{NETWORKD, "/usr/lib/systemd/systemd-networkd", false},
	{NETWORKD, "/lib/systemd/systemd-networkd", false},
	{NETWORKD, "/nix/var/nix/profiles/system/sw/bin/networkctl", false},
	{KEYFILE, "/usr/sbin/NetworkManager", false},
	{KEYFILE, "/usr/bin/NetworkManager", false},
	{WICKED, "/usr/sbin/wicked", false},
	{NETIFRC, "/etc/init.d/net.lo", false},
};

static bool has_sign(int root, enum ct_netconf kind, bool is_weak)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (signs[i].kind == kind && signs[i].is_weak == is_weak &&
		    rootdir_exists(root, signs[i].path))
			return true;
	return false;
}

static enum ct_netconf first_of(int root, const struct ct_os *os)
{
	for (int is_weak = 0; is_weak <= 1; is_weak++)
		for (size_t i = 0; i < CT_NETCONFS_MAX && os->order[i]; i++)
			if (has_sign(root, os->order[i], is_weak))
				return os->order[i];
	return CT_NETCONF_NONE;
}

enum ct_netconf ct_netconf_detect(int root, const struct ct_os *os)
{
	enum ct_netconf kind = first_of(root, os);

	return kind || os == &unknown ? kind : first_of(root, &unknown);
}

bool ct_ifup_is_busybox(int root)
{
	static const char *const paths[] = {"/sbin/ifup", "/usr/sbin/ifup"};
	char target[256];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		rootdir_read_link(root, paths[i], target, sizeof(target));
		if (strstr(target, "busybox"))
			return true;
	}
	return false;
}
