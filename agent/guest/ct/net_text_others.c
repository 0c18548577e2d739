/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces for NetworkManager, for openSUSE's wicked and for Gentoo's netifrc. Pure. */
#include "agent/guest/ct/net_text.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

/* ---- NetworkManager's keyfiles; it makes a route to a gateway outside of the network by itself ---- */

static void keyfile_dns(const struct ct_dns *dns, bool is_v6, struct buf *out)
{
	autostrv char **servers = str_split(dns->servers, " ");
	autostrv char **domains = str_split(dns->domains, " ");
	autobuf list = BUF_INIT, search = BUF_INIT;

	for (char **server = servers; *server; server++)
		if ((strchr(*server, ':') != NULL) == is_v6)
			buf_addf(&list, "%s;", *server);
	for (char **domain = domains; *domain; domain++)
		buf_addf(&search, "%s;", *domain);
	if (list.size > 0)
		buf_addf(out, "dns=%s\n", buf_str(&list));
	if (search.size > 0)
		buf_addf(out, "dns-search=%s\n", buf_str(&search));
}

static const char *method4(const char *ip)
{
	if (ct_net_is_address(ip))
		return "manual";
	return str_eq(ip, "dhcp") ? "auto" : "disabled";
}

static const char *method6(const char *ip6)
{
	if (ct_net_is_address(ip6))
		return "manual";
	return str_eq(ip6, "dhcp") || str_eq(ip6, "auto") ? ip6 : "link-local";
}

static void keyfile_family(const char *family, const char *method, const char *ip, const char *gw,
			   struct buf *out)
{
	buf_addf(out, "\n[%s]\nmethod=%s\n", family, method);
	if (ct_net_is_address(ip))
		buf_addf(out, "address1=%s\n", ip);
	if (ct_net_is_address(ip) && *gw)
		buf_addf(out, "gateway=%s\n", gw);
}

void ct_keyfile_text(const struct ct_nets *nets, size_t at, struct buf *out)
{
	const struct ct_net *net = &nets->items[at];
	bool has_dns = nets->dns_at == (int)at && *nets->dns.servers;

	buf_addf(out, "[connection]\nid=%s\ntype=ethernet\ninterface-name=%s\nautoconnect=true\n",
		 net->name, net->name);
	if (net->mtu)
		buf_addf(out, "\n[ethernet]\nmtu=%u\n", net->mtu);
	keyfile_family("ipv4", method4(net->ip), net->ip, net->gw, out);
	if (has_dns && !str_eq(method4(net->ip), "disabled"))
		keyfile_dns(&nets->dns, false, out);
	keyfile_family("ipv6", method6(net->ip6), net->ip6, net->gw6, out);
	if (has_dns && !str_eq(method6(net->ip6), "link-local"))
		keyfile_dns(&nets->dns, true, out);
}

/* ---- wicked ---- */

static void bootproto(const struct ct_net *net, struct buf *out)
{
	bool dhcp4 = str_eq(net->ip, "dhcp"), dhcp6 = str_eq(net->ip6, "dhcp");
	bool is_static = ct_net_is_address(net->ip) || ct_net_is_address(net->ip6);

	if (dhcp4 && dhcp6)
		buf_add_str(out, "dhcp");
	else if (dhcp4)
		buf_add_str(out, str_eq(net->ip6, "auto") ? "dhcp4+auto6" : "dhcp4");
	else if (dhcp6)
		buf_add_str(out, "dhcp6");
	else if (str_eq(net->ip6, "auto"))
		buf_add_str(out, "auto6");
	else
		buf_add_str(out, is_static ? "static" : "none");
}

void ct_ifcfg_text(const struct ct_net *net, struct buf *out)
{
	buf_add_str(out, "STARTMODE='auto'\nBOOTPROTO='");
	bootproto(net, out);
	buf_add_str(out, "'\n");
	if (ct_net_is_address(net->ip))
		buf_addf(out, "IPADDR='%s'\n", net->ip);
	if (ct_net_is_address(net->ip6))
		buf_addf(out, "IPADDR_6='%s'\n", net->ip6);
	if (net->mtu)
		buf_addf(out, "MTU='%u'\n", net->mtu);
}

static void ifroute(const char *name, const char *cidr, const char *gw, struct buf *out)
{
	if (!ct_net_is_address(cidr) || !*gw)
		return;
	if (ct_net_is_outside(cidr, gw))
		buf_addf(out, "%s/%s - - %s\n", gw, strchr(gw, ':') ? "128" : "32", name);
	buf_addf(out, "default %s - %s\n", gw, name);
}

void ct_ifroute_text(const struct ct_net *net, struct buf *out)
{
	ifroute(net->name, net->ip, net->gw, out);
	ifroute(net->name, net->ip6, net->gw6, out);
}

/* ---- netifrc: shell variables, named after the interface ---- */

static void variable(const char *kind, const char *name, const struct buf *value, struct buf *out)
{
	buf_addf(out, "%s_", kind);
	for (const char *c = name; *c; c++)
		buf_add_char(out, strchr("-.", *c) ? '_' : *c);
	buf_addf(out, "=\"%.*s\"\n", (int)value->size, value->data ? value->data : "");
}

static void word(struct buf *value, const char *text)
{
	if (value->size > 0)
		buf_add_char(value, '\n');
	buf_add_str(value, text);
}

static void netifrc_route(const char *cidr, const char *gw, struct buf *routes)
{
	autofree char *route =
		xasprintf("default via %s%s", gw, ct_net_is_outside(cidr, gw) ? " onlink" : "");

	if (ct_net_is_address(cidr) && *gw)
		word(routes, route);
}

static void netifrc_interface(const struct ct_net *net, struct buf *out)
{
	autobuf config = BUF_INIT, routes = BUF_INIT, mtu = BUF_INIT;

	if (*net->ip && !str_eq(net->ip, "manual"))
		word(&config, net->ip);
	if (str_eq(net->ip6, "dhcp"))
		word(&config, "dhcpv6");
	else if (ct_net_is_address(net->ip6))
		word(&config, net->ip6);
	if (config.size == 0)
		word(&config, "null");
	netifrc_route(net->ip, net->gw, &routes);
	netifrc_route(net->ip6, net->gw6, &routes);
	variable("config", net->name, &config, out);
	if (routes.size > 0)
		variable("routes", net->name, &routes, out);
	if (net->mtu) {
		buf_addf(&mtu, "%u", net->mtu);
		variable("mtu", net->name, &mtu, out);
	}
}

void ct_netifrc_text(const struct ct_net *nets, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		netifrc_interface(&nets[i], out);
}
