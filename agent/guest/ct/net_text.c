/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces for ifupdown, and what all writers ask about addresses. Pure. */
#include "agent/guest/ct/net_text.h"

#include <arpa/inet.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

bool ct_net_is_address(const char *ip)
{
	return strchr(ip, '/') != NULL;
}

int ct_nets_dns_at(const struct ct_net *nets, size_t count)
{
	int first = -1;

	for (size_t i = 0; i < count; i++) {
		bool is_static = ct_net_is_address(nets[i].ip) || ct_net_is_address(nets[i].ip6);

		if (is_static && (*nets[i].gw || *nets[i].gw6))
			return (int)i;
		if (is_static && first < 0)
			first = (int)i;
	}
	return first;
}

static bool is_equal_prefix(const uint8_t *a, const uint8_t *b, uint64_t bits)
{
	size_t whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool ct_net_is_outside(const char *cidr, const char *gateway)
{
	bool is_v6 = strchr(gateway, ':') != NULL;
	const char *slash = strchr(cidr, '/');
	autofree char *address = xstrndup(cidr, slash ? (size_t)(slash - cidr) : strlen(cidr));
	uint8_t a[16] = {0}, b[16] = {0};
	uint64_t bits = is_v6 ? 128 : 32;

	if (slash)
		str_to_u64(slash + 1, &bits);
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address, a) != 1 ||
	    inet_pton(is_v6 ? AF_INET6 : AF_INET, gateway, b) != 1)
		return false;
	if (is_v6 && b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return false; /* link-local: on every link */
	return !is_equal_prefix(a, b, bits <= (is_v6 ? 128 : 32) ? bits : 0);
}

/* Apart, and dotted for IPv4: the ifup of busybox knows neither "address A/24" nor "netmask 24". */
static void address_lines(const char *cidr, struct buf *out)
{
	const char *slash = strchr(cidr, '/');
	bool is_v6 = strchr(cidr, ':') != NULL;
	uint64_t bits = is_v6 ? 128 : 32;

	if (slash)
		str_to_u64(slash + 1, &bits);
	buf_addf(out, "\taddress %.*s\n", (int)strcspn(cidr, "/"), cidr);
	if (is_v6) {
		buf_addf(out, "\tnetmask %u\n", (unsigned)bits);
		return;
	}
	uint32_t mask = bits == 0 ? 0 : ~UINT32_C(0) << (32 - (bits > 32 ? 32 : bits));
	buf_addf(out, "\tnetmask %u.%u.%u.%u\n", mask >> 24, mask >> 16 & 255, mask >> 8 & 255,
		 mask & 255);
}

/* The kernel takes a gateway only where it has a route to it already. */
static void gateway_lines(const char *name, const char *cidr, const char *gw, struct buf *out)
{
	const char *six = strchr(gw, ':') ? "-6 " : "";

	if (!ct_net_is_outside(cidr, gw)) {
		buf_addf(out, "\tgateway %s\n", gw);
		return;
	}
	buf_addf(out, "\tpost-up ip %sroute add %s dev %s\n", six, gw, name);
	buf_addf(out, "\tpost-up ip %sroute add default via %s dev %s\n", six, gw, name);
	buf_addf(out, "\tpre-down ip %sroute del default via %s dev %s\n", six, gw, name);
	buf_addf(out, "\tpre-down ip %sroute del %s dev %s\n", six, gw, name);
}

static void interface_stanza(const char *name, const char *family, const char *ip, const char *gw,
			     unsigned mtu, struct buf *out)
{
	bool is_static = ct_net_is_address(ip);

	buf_addf(out, "iface %s %s %s\n", name, family, is_static ? "static" : ip);
	if (is_static)
		address_lines(ip, out);
	if (is_static && *gw)
		gateway_lines(name, ip, gw, out);
	if (mtu && !str_eq(ip, "dhcp"))
		buf_addf(out, "\tmtu %u\n", mtu);
}

void ct_interfaces_text(const struct ct_net *nets, size_t count, bool is_plain, struct buf *out)
{
	buf_add_str(out, "auto lo\niface lo inet loopback\n");
	for (size_t i = 0; i < count; i++) {
		const struct ct_net *net = &nets[i];
		const char *ip6 = is_plain && !ct_net_is_address(net->ip6) ? "manual" : net->ip6;

		buf_addf(out, "\nauto %s\n", net->name);
		interface_stanza(net->name, "inet", *net->ip ? net->ip : "manual", net->gw,
				 net->mtu, out);
		if (*net->ip6)
			interface_stanza(net->name, "inet6", ip6, net->gw6, 0, out);
	}
}
