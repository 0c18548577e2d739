/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces for systemd-networkd, and for netplan, which makes such files. Pure. */
#include "agent/guest/ct/net_text.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct ct_dns *dns_of(const struct ct_nets *nets, size_t at)
{
	return nets->dns_at == (int)at && *nets->dns.servers ? &nets->dns : NULL;
}

static const char *dhcp_word(const struct ct_net *net)
{
	bool dhcp4 = str_eq(net->ip, "dhcp"), dhcp6 = str_eq(net->ip6, "dhcp");

	if (dhcp4)
		return dhcp6 ? "yes" : "ipv4";
	return dhcp6 ? "ipv6" : "no";
}

static bool wants_ra(const struct ct_net *net)
{
	return str_eq(net->ip6, "dhcp") || str_eq(net->ip6, "auto");
}

static void lines(const char *key, const char *words, struct buf *out)
{
	autostrv char **list = str_split(words, " ");

	for (char **word = list; *word; word++)
		buf_addf(out, "%s=%s\n", key, *word);
}

static void network_address(const char *cidr, const char *gw, struct buf *out)
{
	if (!ct_net_is_address(cidr))
		return;
	buf_addf(out, "Address=%s\n", cidr);
	if (*gw && !ct_net_is_outside(cidr, gw))
		buf_addf(out, "Gateway=%s\n", gw);
}

static void network_route(const char *cidr, const char *gw, struct buf *out)
{
	if (ct_net_is_address(cidr) && *gw && ct_net_is_outside(cidr, gw))
		buf_addf(out, "\n[Route]\nGateway=%s\nGatewayOnLink=yes\n", gw);
}

void ct_network_text(const struct ct_nets *nets, size_t at, struct buf *out)
{
	const struct ct_net *net = &nets->items[at];
	const struct ct_dns *dns = dns_of(nets, at);

	buf_addf(out, "[Match]\nName=%s\n", net->name);
	if (net->mtu)
		buf_addf(out, "\n[Link]\nMTUBytes=%u\n", net->mtu);
	buf_addf(out, "\n[Network]\nDHCP=%s\nIPv6AcceptRA=%s\n", dhcp_word(net),
		 wants_ra(net) ? "yes" : "no");
	network_address(net->ip, net->gw, out);
	network_address(net->ip6, net->gw6, out);
	if (dns) {
		lines("DNS", dns->servers, out);
		lines("Domains", dns->domains, out);
	}
	network_route(net->ip, net->gw, out);
	network_route(net->ip6, net->gw6, out);
}

/* ---- netplan: YAML, where every text is quoted, so that no word of it means something ---- */

static void yaml_list(const char *key, const char *words, struct buf *out)
{
	autostrv char **list = str_split(words, " ");

	if (*list)
		buf_addf(out, "        %s:\n", key);
	for (char **word = list; *word; word++)
		buf_addf(out, "          - \"%s\"\n", *word);
}

static void netplan_route(const char *to, const char *cidr, const char *gw, struct buf *out)
{
	if (!ct_net_is_address(cidr) || !*gw)
		return;
	buf_addf(out, "        - to: \"%s\"\n          via: \"%s\"\n", to, gw);
	if (ct_net_is_outside(cidr, gw))
		buf_add_str(out, "          on-link: true\n");
}

static void netplan_addresses(const struct ct_net *net, struct buf *out)
{
	bool has4 = ct_net_is_address(net->ip), has6 = ct_net_is_address(net->ip6);

	if (has4 || has6)
		buf_add_str(out, "      addresses:\n");
	if (has4)
		buf_addf(out, "        - \"%s\"\n", net->ip);
	if (has6)
		buf_addf(out, "        - \"%s\"\n", net->ip6);
	if (!(has4 && *net->gw) && !(has6 && *net->gw6))
		return;
	buf_add_str(out, "      routes:\n");
	netplan_route("0.0.0.0/0", net->ip, net->gw, out);
	netplan_route("::/0", net->ip6, net->gw6, out);
}

static void netplan_interface(const struct ct_nets *nets, size_t at, struct buf *out)
{
	const struct ct_net *net = &nets->items[at];
	const struct ct_dns *dns = dns_of(nets, at);

	buf_addf(out, "    \"%s\":\n      dhcp4: %s\n      dhcp6: %s\n      accept-ra: %s\n",
		 net->name, str_eq(net->ip, "dhcp") ? "true" : "false",
		 str_eq(net->ip6, "dhcp") ? "true" : "false", wants_ra(net) ? "true" : "false");
	if (net->mtu)
		buf_addf(out, "      mtu: %u\n", net->mtu);
	netplan_addresses(net, out);
	if (dns) {
		buf_add_str(out, "      nameservers:\n");
		yaml_list("addresses", dns->servers, out);
		yaml_list("search", dns->domains, out);
	}
}

void ct_netplan_text(const struct ct_nets *nets, struct buf *out)
{
	buf_add_str(out, "network:\n  version: 2\n  renderer: networkd\n");
	if (nets->count > 0)
		buf_add_str(out, "  ethernets:\n");
	for (size_t i = 0; i < nets->count; i++)
		netplan_interface(nets, i, out);
}
