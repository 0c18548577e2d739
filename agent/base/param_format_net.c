/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named formats of addresses and network names. Pure. */
#include "agent/base/param_format.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

/* one label of a host name (RFC 1123) */
static bool is_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(ALNUM "-", s[i]) || s[i] == '\0')
			return false;
	return true;
}

bool format_is_node(const char *s)
{
	return is_label(s, strlen(s));
}

bool format_is_dns_name(const char *s)
{
	if (strlen(s) > 253)
		return false;
	for (;;) {
		size_t n = strcspn(s, ".");

		if (!is_label(s, n))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

static bool is_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}

static bool is_ipv6(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, s, &a) == 1;
}

static bool is_ip(const char *s)
{
	return is_ipv4(s) || is_ipv6(s);
}

static bool is_cidr(const char *s, bool (*is_address)(const char *), uint64_t min, uint64_t max)
{
	const char *slash = strchr(s, '/');
	autofree char *address = slash ? xstrndup(s, (size_t)(slash - s)) : NULL;
	uint64_t bits;

	return slash && is_address(address) && str_to_u64(slash + 1, &bits) && bits >= min &&
	       bits <= max;
}

/* "24" or "255.255.255.0" */
static bool is_mask4(const char *s)
{
	struct in_addr a;
	uint64_t bits;

	if (str_to_u64(s, &bits))
		return bits <= 32;
	if (inet_pton(AF_INET, s, &a) != 1)
		return false;
	uint32_t holes = ~ntohl(a.s_addr);
	return (holes & (holes + 1)) == 0;
}

static bool is_cidr4(const char *s)
{
	return is_cidr(s, is_ipv4, 0, 32);
}

static bool is_cidr6(const char *s)
{
	return is_cidr(s, is_ipv6, 0, 128);
}

static bool is_cidr_any(const char *s)
{
	return is_cidr4(s) || is_cidr6(s);
}

static bool is_ip_or_cidr(const char *s)
{
	return is_ip(s) || is_cidr_any(s);
}

static bool is_ipv4_config(const char *s)
{
	return str_eq(s, "dhcp") || str_eq(s, "manual") || is_cidr(s, is_ipv4, 8, 32);
}

static bool is_ipv6_config(const char *s)
{
	return str_eq(s, "auto") || str_eq(s, "dhcp") || str_eq(s, "manual") ||
	       is_cidr(s, is_ipv6, 8, 128);
}

static bool is_address(const char *s)
{
	return is_ip(s) || format_is_dns_name(s);
}

/* unicast: the lowest bit of the first octet is clear */
static bool is_mac(const char *s)
{
	uint64_t first;

	if (strlen(s) != 17)
		return false;
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2 ? s[i] != ':' : !strchr(DIGIT "abcdefABCDEF", s[i]))
			return false;
	}
	return str_hex_to_u64(s, 2, &first) && (first & 1) == 0;
}

static bool is_bridge(const char *s)
{
	return format_has_only(s, ALNUM "-_.", 1, 15) && strchr(ALNUM, s[0]);
}

static bool is_email(const char *s)
{
	const char *at = strchr(s, '@');

	return at && at != s && format_has_only(s, ALNUM "@._+-", 3, 254) &&
	       format_is_dns_name(at + 1);
}

static bool is_interface(const char *s)
{
	return strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM "_.:-", 2, 20);
}

/* "host", or addresses; link-local ones may name their interface */
static bool is_nameserver(const char *s)
{
	const char *scope = strchr(s, '%');
	autofree char *address = scope ? xstrndup(s, (size_t)(scope - s)) : xstrdup(s);

	if (str_eq(s, "host"))
		return true;
	return scope ? is_ipv6(address) && is_interface(scope + 1) : is_ip(address);
}

static bool is_bridge_or_same(const char *s)
{
	return str_eq(s, "1") || format_is_pair(s, ':', true, is_bridge, is_bridge);
}

static bool is_port(const char *s)
{
	uint64_t v;

	return str_to_u64(s, &v) && v >= 1 && v <= 65535;
}

/* "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address */
static bool is_portal(const char *s)
{
	const char *end = s[0] == '[' ? strchr(s, ']') : NULL;
	autofree char *address = end ? xstrndup(s + 1, (size_t)(end - s) - 1) : NULL;

	if (end)
		return is_ipv6(address) && (end[1] == '\0' || (end[1] == ':' && is_port(end + 2)));
	return is_ipv6(s) || format_is_pair(s, ':', true, is_address, is_port);
}

static bool is_set_name(const char *s)
{
	return strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM "-_", 2, 64);
}

/* an alias, alone or as "dc/name" and "guest/name" */
static bool is_alias(const char *s)
{
	const char *rest = str_after(s, "dc/");

	if (!rest)
		rest = str_after(s, "guest/");
	rest = rest ? rest : s;
	return rest[0] && is_set_name(rest);
}

static bool is_ip_cidr_or_alias(const char *s)
{
	return is_ip_or_cidr(s) || is_alias(s);
}

/* one part of a firewall address: address, network, range, alias, or "+set" */
static bool is_fw_address(const char *s)
{
	if (s[0] == '+')
		return s[1] && is_alias(s + 1);
	return is_ip_cidr_or_alias(s) || format_is_pair(s, '-', false, is_ipv4, is_ipv4) ||
	       format_is_pair(s, '-', false, is_ipv6, is_ipv6);
}

/* "2", "2-4094" */
static bool is_vlan_range(const char *s)
{
	const char *dash = strchr(s, '-');
	autofree char *first = dash ? xstrndup(s, (size_t)(dash - s)) : xstrdup(s);
	uint64_t a, b;

	if (!str_to_u64(first, &a) || a < 1 || a > 4094)
		return false;
	return !dash || (str_to_u64(dash + 1, &b) && b >= a && b <= 4094);
}

static bool is_service_name(const char *s)
{
	return strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM "-_", 1, 32);
}

static bool is_fw_port(const char *s)
{
	return is_port(s) || is_service_name(s) || format_is_pair(s, ':', false, is_port, is_port);
}

static bool is_every_part(const char *s, bool (*is_valid)(const char *))
{
	autostrv char **parts = str_split(s, ",");

	for (char **p = parts; *p; p++)
		if (!is_valid(*p))
			return false;
	return parts[0] != NULL;
}

static bool is_fw_addresses(const char *s)
{
	return is_every_part(s, is_fw_address);
}

static bool is_fw_ports(const char *s)
{
	return is_every_part(s, is_fw_port);
}

static bool is_fw_protocol(const char *s)
{
	uint64_t v;

	return str_to_u64(s, &v) ? v <= 255 : is_service_name(s);
}

static bool is_fw_icmp_type(const char *s)
{
	uint64_t v;

	return str_to_u64(s, &v) ? v <= 255
				 : is_service_name(s) || format_has_only(s, DIGIT "/", 3, 7);
}

const struct param_format param_formats_net[] = {
	{"dns-name", format_is_dns_name},
	{"address", is_address},
	{"ip", is_ip},
	{"ipv4", is_ipv4},
	{"ipv6", is_ipv6},
	{"ipv4mask", is_mask4},
	{"CIDR", is_cidr_any},
	{"CIDRv4", is_cidr4},
	{"CIDRv6", is_cidr6},
	{"IPorCIDR", is_ip_or_cidr},
	{"IPorCIDRorAlias", is_ip_cidr_or_alias},
	{"mac-addr", is_mac},
	{"email", is_email},
	{"pve-iface", is_interface},
	{"pve-vlan-id-or-range", is_vlan_range},
	{"pve-bridge-id", is_bridge},
	{"bridge-pair", is_bridge_or_same},
	{"pve-ipv4-config", is_ipv4_config},
	{"pve-ipv6-config", is_ipv6_config},
	{"lxc-ip-with-ll-iface", is_nameserver},
	{"pve-storage-server", is_address},
	{"pve-storage-portal-dns", is_portal},
	{"pve-fw-addr-spec", is_fw_addresses},
	{"pve-fw-sport-spec", is_fw_ports},
	{"pve-fw-dport-spec", is_fw_ports},
	{"pve-fw-protocol-spec", is_fw_protocol},
	{"pve-fw-icmp-type-spec", is_fw_icmp_type},
	{0},
};
