/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the files that Lodge writes inside a container. Pure. */
#include "agent/guest/ct/setup.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void own_line(const char *hostname, const char *domain, struct buf *out)
{
	buf_add_str(out, "127.0.1.1 ");
	if (!str_is_empty(domain) && !strchr(hostname, '.'))
		buf_addf(out, "%s.%s ", hostname, domain);
	buf_addf(out, "%s\n", hostname);
}

/* Lines keep their order; the one for 127.0.1.1 is ours. */
void ct_hosts_text(const char *old, const char *hostname, const char *domain, struct buf *out)
{
	const char *end;
	bool is_written = false;

	if (!*old)
		buf_add_str(out, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
	for (const char *line = old; *line; line = *end ? end + 1 : end) {
		const char *rest = str_after(line, "127.0.1.1");

		end = strchrnul(line, '\n');
		if (!rest || !strchr(" \t\n", *rest)) {
			buf_add(out, line, (size_t)(end - line));
			buf_add_char(out, '\n');
		} else if (!is_written) {
			own_line(hostname, domain, out);
			is_written = true;
		}
	}
	if (!is_written)
		own_line(hostname, domain, out);
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

static void interface_stanza(const char *name, const char *family, const char *ip, const char *gw,
			     unsigned mtu, struct buf *out)
{
	bool is_word = str_eq(ip, "dhcp") || str_eq(ip, "manual") || str_eq(ip, "auto");

	buf_addf(out, "iface %s %s %s\n", name, family, is_word ? ip : "static");
	if (!is_word)
		address_lines(ip, out);
	if (!is_word && *gw)
		buf_addf(out, "\tgateway %s\n", gw);
	if (mtu && !str_eq(ip, "dhcp"))
		buf_addf(out, "\tmtu %u\n", mtu);
}

void ct_interfaces_text(const struct ct_net *nets, size_t count, struct buf *out)
{
	buf_add_str(out, CT_SETUP_MARK "auto lo\niface lo inet loopback\n");
	for (size_t i = 0; i < count; i++) {
		const struct ct_net *net = &nets[i];

		buf_addf(out, "\nauto %s\n", net->name);
		interface_stanza(net->name, "inet", *net->ip ? net->ip : "manual", net->gw,
				 net->mtu, out);
		if (*net->ip6)
			interface_stanza(net->name, "inet6", net->ip6, net->gw6, 0, out);
	}
}

static bool is_address(const char *ip)
{
	return strchr(ip, '/') != NULL;
}

void ct_network_text(const struct ct_net *net, struct buf *out)
{
	bool dhcp4 = str_eq(net->ip, "dhcp"), dhcp6 = str_eq(net->ip6, "dhcp");

	buf_addf(out, CT_SETUP_MARK "[Match]\nName=%s\n", net->name);
	if (net->mtu)
		buf_addf(out, "\n[Link]\nMTUBytes=%u\n", net->mtu);
	buf_addf(out, "\n[Network]\nDHCP=%s\nIPv6AcceptRA=%s\n",
		 dhcp4 && dhcp6 ? "yes"
		 : dhcp4	? "ipv4"
		 : dhcp6	? "ipv6"
				: "no",
		 dhcp6 || str_eq(net->ip6, "auto") ? "yes" : "no");
	if (is_address(net->ip))
		buf_addf(out, "Address=%s\n", net->ip);
	if (is_address(net->ip) && *net->gw)
		buf_addf(out, "Gateway=%s\n", net->gw);
	if (is_address(net->ip6))
		buf_addf(out, "Address=%s\n", net->ip6);
	if (is_address(net->ip6) && *net->gw6)
		buf_addf(out, "Gateway=%s\n", net->gw6);
}

void ct_resolv_text(const char *nameserver, const char *searchdomain, struct buf *out)
{
	autostrv char **servers = str_split(nameserver, " ,;");
	autostrv char **domains = str_split(searchdomain ? searchdomain : "", " ,;");

	buf_add_str(out, CT_SETUP_MARK);
	if (*domains)
		buf_add_str(out, "search");
	for (char **domain = domains; *domain; domain++)
		buf_addf(out, " %s", *domain);
	if (*domains)
		buf_add_char(out, '\n');
	for (char **server = servers; *server; server++)
		buf_addf(out, "nameserver %s\n", *server);
}

void ct_resolv_parse(const char *text, struct buf *servers, struct buf *domains)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		autostrv char **words = str_split(*line, " \t\r");

		if (strv_count(words) < 2)
			continue;
		if (str_eq(words[0], "nameserver") && !str_starts(words[1], "127.") &&
		    !str_eq(words[1], "::1"))
			buf_addf(servers, "%s ", words[1]);
		if (!str_eq(words[0], "search") && !str_eq(words[0], "domain"))
			continue;
		buf_clear(domains); /* the last such line counts */
		for (char **word = words + 1; *word; word++)
			buf_addf(domains, "%s ", *word);
	}
}

void ct_shadow_text(const char *old, const char *hash, unsigned long day, struct buf *out)
{
	autostrv char **lines = str_split(old, "\n");
	bool is_written = false;

	for (char **line = lines; *line; line++) {
		const char *rest = str_after(*line, "root:");

		if (!rest) {
			buf_addf(out, "%s\n", *line);
			continue;
		}
		/* hash and day of change are ours, the ageing fields stay */
		const char *second = strchr(rest, ':');
		const char *third = second ? strchr(second + 1, ':') : NULL;

		buf_addf(out, "root:%s:%lu%s\n", hash, day, third ? third : ":0:99999:7:::");
		is_written = true;
	}
	if (!is_written)
		buf_addf(out, "root:%s:%lu:0:99999:7:::\n", hash, day);
}
