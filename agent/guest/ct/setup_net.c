/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's interfaces, written for whatever sets them up inside. Runs in jobs, in forked steps. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"

#define UNIT_DIR  "/lib/systemd/system/"
#define WANTS_DIR "/etc/systemd/system/"

struct link {
	const char *path, *target;
};

static int make_links(int root, const struct link *links, size_t count, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = rootdir_link(root, links[i].path, links[i].target, err);
	return r;
}

/* A template may have networkd installed but not enabled. */
static int enable_networkd(int root, struct err *err)
{
	static const struct link links[] = {
		{WANTS_DIR "multi-user.target.wants/systemd-networkd.service",
		 UNIT_DIR "systemd-networkd.service"},
		{WANTS_DIR "sockets.target.wants/systemd-networkd.socket",
		 UNIT_DIR "systemd-networkd.socket"},
		{WANTS_DIR "dbus-org.freedesktop.network1.service",
		 UNIT_DIR "systemd-networkd.service"},
	};

	if (!rootdir_exists(root, UNIT_DIR "systemd-networkd.service"))
		return 0;
	return make_links(root, links, ARRAY_SIZE(links), err);
}

static bool wants_ip6_dhcp(const struct ct_nets *nets, unsigned *ret_index)
{
	for (size_t i = 0; i < nets->count; i++) {
		if (str_eq(nets->items[i].ip6, "dhcp")) {
			*ret_index = nets->items[i].index;
			return true;
		}
	}
	return false;
}

/* OpenRC: the service that calls ifup. */
static int enable_networking(int root, struct err *err)
{
	static const struct link link = {"/etc/runlevels/boot/networking",
					 "/etc/init.d/networking"};

	if (!rootdir_exists(root, "/etc/runlevels") || !rootdir_exists(root, link.target))
		return 0;
	return make_links(root, &link, 1, err);
}

static int write_ifupdown(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	bool is_plain = str_eq(setup->os->ostype, "alpine") || ct_ifup_is_busybox(setup->root);
	autobuf text = BUF_INIT;
	unsigned index;
	int r;

	if (is_plain && setup->is_new && wants_ip6_dhcp(nets, &index))
		task_warn(setup->task,
			  "net%u: ip6=dhcp: this system has no DHCPv6; its address comes from "
			  "router advertisements",
			  index);
	ct_interfaces_text(nets->items, nets->count, is_plain, &text);
	r = ct_setup_section(setup, "/etc/network/interfaces", &text, err);
	return r == 0 && setup->is_new ? enable_networking(setup->root, err) : r;
}

static int write_netplan(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	autobuf text = BUF_INIT;

	ct_netplan_text(nets, &text);
	return ct_setup_file(setup, "/etc/netplan/50-lodge.yaml", &text, 0600, err);
}

static int write_networkd(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	int r;

	for (size_t i = 0; i < nets->count; i++) {
		autofree char *path =
			xasprintf("/etc/systemd/network/%s.network", nets->items[i].name);
		autobuf text = BUF_INIT;

		ct_network_text(nets, i, &text);
		if ((r = ct_setup_file(setup, path, &text, 0644, err)) < 0)
			return r;
	}
	ct_setup_remove_stale(setup, nets, "/etc/systemd/network",
			      (const char *[]){"", ".network"});
	return setup->is_new && nets->count > 0 ? enable_networkd(setup->root, err) : 0;
}

static int write_keyfile(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	static const char folder[] = "/etc/NetworkManager/system-connections";
	int r;

	for (size_t i = 0; i < nets->count; i++) {
		autofree char *path =
			xasprintf("%s/lodge-%s.nmconnection", folder, nets->items[i].name);
		autobuf text = BUF_INIT;

		ct_keyfile_text(nets, i, &text);
		if ((r = ct_setup_file(setup, path, &text, 0600, err)) < 0)
			return r;
	}
	ct_setup_remove_stale(setup, nets, folder, (const char *[]){"lodge-", ".nmconnection"});
	return 0;
}

static int write_wicked(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	static const char folder[] = "/etc/sysconfig/network";
	int r;

	for (size_t i = 0; i < nets->count; i++) {
		autofree char *ifcfg = xasprintf("%s/ifcfg-%s", folder, nets->items[i].name);
		autofree char *ifroute = xasprintf("%s/ifroute-%s", folder, nets->items[i].name);
		autobuf text = BUF_INIT, routes = BUF_INIT;

		ct_ifcfg_text(&nets->items[i], &text);
		ct_ifroute_text(&nets->items[i], &routes);
		if ((r = ct_setup_file(setup, ifcfg, &text, 0644, err)) < 0 ||
		    (r = ct_setup_file(setup, ifroute, &routes, 0644, err)) < 0)
			return r;
	}
	ct_setup_remove_stale(setup, nets, folder, (const char *[]){"ifcfg-", ""});
	ct_setup_remove_stale(setup, nets, folder, (const char *[]){"ifroute-", ""});
	return 0;
}

static int write_netifrc(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	autobuf text = BUF_INIT;
	int r;

	ct_netifrc_text(nets->items, nets->count, &text);
	if ((r = ct_setup_section(setup, "/etc/conf.d/net", &text, err)) < 0)
		return r;
	for (size_t i = 0; i < nets->count && setup->is_new; i++) {
		autofree char *service = xasprintf("/etc/init.d/net.%s", nets->items[i].name);
		autofree char *level =
			xasprintf("/etc/runlevels/default/net.%s", nets->items[i].name);
		const struct link links[] = {{service, "net.lo"}, {level, service}};

		if ((r = make_links(setup->root, links, ARRAY_SIZE(links), err)) < 0)
			return r;
	}
	return 0;
}

static int write_nothing(const struct ct_setup *setup, const struct ct_nets *nets, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < nets->count && setup->is_new; i++)
		if (*nets->items[i].ip && !str_eq(nets->items[i].ip, "manual"))
			task_warn(setup->task,
				  "net%u: nothing that Lodge knows sets up the network of this "
				  "system; set its address up inside",
				  nets->items[i].index);
	return 0;
}

static int (*const writers[])(const struct ct_setup *setup, const struct ct_nets *nets,
			      struct err *err) = {
	[CT_NETCONF_NONE] = write_nothing,    [CT_NETCONF_IFUPDOWN] = write_ifupdown,
	[CT_NETCONF_NETPLAN] = write_netplan, [CT_NETCONF_NETWORKD] = write_networkd,
	[CT_NETCONF_KEYFILE] = write_keyfile, [CT_NETCONF_WICKED] = write_wicked,
	[CT_NETCONF_NETIFRC] = write_netifrc,
};

int ct_setup_network(const struct ct_setup *setup, const struct ct_dns *dns, struct err *err)
{
	autofree struct ct_net *items = NULL;
	struct ct_nets nets = {.dns = *dns};
	int r = ct_config_nets(setup->config, &items, &nets.count, err);

	if (r < 0)
		return r;
	nets.items = items;
	nets.dns_at = ct_nets_dns_at(items, nets.count);
	/* Asked for by name, it counts beside what DHCP says as well. */
	if (nets.dns_at < 0 && nets.count > 0 && guest_config_get(setup->config, "nameserver"))
		nets.dns_at = 0;
	return writers[ct_netconf_detect(setup->root, setup->os)](setup, &nets, err);
}
