/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named formats of text values. "…-list" means values separated by commas, semicolons or spaces;
 * "…-opt" one that may be empty. Pure. */
#include "agent/base/param.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

/* Text that fits in the type that it has in the contract: one check per name. */
struct format {
	const char *name;
	bool (*is_valid)(const char *value);
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define ALNUM LOWER UPPER DIGIT

static bool has_only(const char *s, const char *set, size_t min, size_t max)
{
	size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, set) == n;
}

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

static bool is_node(const char *s)
{
	return is_label(s, strlen(s));
}

static bool is_dns_name(const char *s)
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

static bool is_vmid(const char *s)
{
	uint64_t v;

	return s[0] != '0' && str_to_u64(s, &v) && v >= 100 && v <= 999999999;
}

static bool is_storage_id(const char *s)
{
	size_t n = strlen(s);

	return n >= 2 && strchr(LOWER UPPER, s[0]) && has_only(s, ALNUM "-_.", 2, 100) &&
	       strchr(ALNUM, s[n - 1]);
}

static bool is_config_id(const char *s)
{
	return strchr(LOWER UPPER, s[0]) && has_only(s, ALNUM "-_", 2, 100);
}

static bool is_realm(const char *s)
{
	return s[0] && strchr(LOWER UPPER, s[0]) && has_only(s, ALNUM ".-_", 2, 32);
}

/* name@realm; the name has no space, colon or slash */
static bool is_userid(const char *s)
{
	const char *at = strrchr(s, '@');
	size_t n = at ? (size_t) (at - s) : 0;

	if (n < 1 || strlen(s) > 64 || !is_realm(at + 1))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char) s[i] <= ' ' || s[i] == 0x7f || strchr(":/!", s[i]))
			return false;
	return true;
}

static bool is_token_name(const char *s)
{
	return s[0] && strchr(LOWER UPPER, s[0]) && has_only(s, ALNUM ".-_", 2, 128);
}

static bool is_tokenid(const char *s)
{
	const char *mark = strchr(s, '!');
	autofree char *user = mark ? xstrndup(s, (size_t) (mark - s)) : NULL;

	return mark && is_userid(user) && is_token_name(mark + 1);
}

static bool is_name(const char *s)
{
	return has_only(s, ALNUM ".-_", 1, 128);
}

static bool is_poolid(const char *s)
{
	return has_only(s, ALNUM ".-_/", 1, 128) && s[0] != '/' && !str_ends(s, "/") && !strstr(s, "//");
}

static bool is_volume_id(const char *s)
{
	const char *colon = strchr(s, ':');
	autofree char *storage = colon ? xstrndup(s, (size_t) (colon - s)) : NULL;

	return colon && is_storage_id(storage) && colon[1] && strlen(colon + 1) <= 255 &&
	       !strpbrk(colon + 1, " \t\n\r,") && !strstr(colon + 1, "..");
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
	autofree char *address = slash ? xstrndup(s, (size_t) (slash - s)) : NULL;
	uint64_t bits;

	return slash && is_address(address) && str_to_u64(slash + 1, &bits) && bits >= min && bits <= max;
}

static bool is_cidr4(const char *s)
{
	return is_cidr(s, is_ipv4, 0, 32);
}

static bool is_cidr6(const char *s)
{
	return is_cidr(s, is_ipv6, 0, 128);
}

static bool is_ip_or_cidr(const char *s)
{
	return is_ip(s) || is_cidr4(s) || is_cidr6(s);
}

static bool is_ipv4_config(const char *s)
{
	return str_eq(s, "dhcp") || str_eq(s, "manual") || is_cidr(s, is_ipv4, 8, 32);
}

static bool is_ipv6_config(const char *s)
{
	return str_eq(s, "auto") || str_eq(s, "dhcp") || str_eq(s, "manual") || is_cidr(s, is_ipv6, 8, 128);
}

static bool is_address(const char *s)
{
	return is_ip(s) || is_dns_name(s);
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

static bool is_disk_size(const char *s)
{
	uint64_t bytes;
	size_t n = strlen(s);

	return n > 0 && strspn(s, DIGIT ".") >= n - 1 && strchr(DIGIT "KMGT", s[n - 1]) &&
	       str_to_bytes(s, 1, &bytes);
}

static bool is_bridge(const char *s)
{
	return has_only(s, ALNUM "-_.", 1, 15) && strchr(ALNUM, s[0]);
}

static bool is_content(const char *s)
{
	static const char *const known[] = {"images",	"rootdir", "vztmpl", "iso",
					    "backup", "snippets", "import", "none"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(s, known[i]))
			return true;
	return false;
}

static bool is_absolute_path(const char *s)
{
	return s[0] == '/' && strlen(s) <= 4096 && !strpbrk(s, ",\n\r\t");
}

static bool is_mount_path(const char *s)
{
	return is_volume_id(s) || is_absolute_path(s);
}

static bool is_device_path(const char *s)
{
	return str_starts(s, "/dev/") && is_absolute_path(s) && !strstr(s, "..");
}

static bool is_startup_part(const char *s)
{
	static const char *const keys[] = {"order=", "up=", "down="};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_starts(s, keys[i]))
			return str_to_u64(s + strlen(keys[i]), &v);
	return str_to_u64(s, &v); /* a bare number is the order */
}

static bool is_startup_order(const char *s)
{
	autostrv char **parts = str_split(s, ",");

	for (char **p = parts; *p; p++)
		if (!is_startup_part(*p))
			return false;
	return parts[0] != NULL;
}

static bool is_tag(const char *s)
{
	return s[0] && strchr(LOWER DIGIT "_", s[0]) && has_only(s, LOWER DIGIT "_-+.", 1, 124);
}

static bool is_privilege(const char *s)
{
	return strchr(UPPER, s[0]) && has_only(s, LOWER UPPER ".", 3, 64);
}

static bool is_email(const char *s)
{
	const char *at = strchr(s, '@');

	return at && at != s && has_only(s, ALNUM "@._+-", 3, 254) && is_dns_name(at + 1);
}

static bool is_interface(const char *s)
{
	return strchr(LOWER UPPER, s[0]) && has_only(s, ALNUM "_.:-", 2, 20);
}

static bool is_timezone(const char *s)
{
	return has_only(s, ALNUM "/_+-", 1, 64) && s[0] != '/' && !strstr(s, "..");
}

/* "host", or addresses; link-local ones may name their interface */
static bool is_nameserver(const char *s)
{
	const char *scope = strchr(s, '%');
	autofree char *address = scope ? xstrndup(s, (size_t) (scope - s)) : xstrdup(s);

	if (str_eq(s, "host"))
		return true;
	return scope ? is_ipv6(address) && is_interface(scope + 1) : is_ip(address);
}

static bool is_task_status(const char *s)
{
	return str_eq(s, "ok") || str_eq(s, "warning") || str_eq(s, "error") || str_eq(s, "unknown");
}

static const struct format formats[] = {
	{"pve-node", is_node},
	{"pve-vmid", is_vmid},
	{"pve-storage-id", is_storage_id},
	{"pve-configid", is_config_id},
	{"pve-realm", is_realm},
	{"pve-userid", is_userid},
	{"pve-tokenid", is_tokenid},
	{"pve-token-name", is_token_name},
	{"pve-groupid", is_name},
	{"pve-roleid", is_name},
	{"pve-priv", is_privilege},
	{"pve-poolid", is_poolid},
	{"pve-volume-id", is_volume_id},
	{"pve-storage-path", is_absolute_path},
	{"pve-storage-content", is_content},
	{"pve-bridge-id", is_bridge},
	{"pve-iface", is_interface},
	{"pve-ipv4-config", is_ipv4_config},
	{"pve-ipv6-config", is_ipv6_config},
	{"pve-lxc-mp-string", is_mount_path},
	{"pve-lxc-dev-string", is_device_path},
	{"pve-startup-order", is_startup_order},
	{"pve-tag", is_tag},
	{"pve-ct-timezone", is_timezone},
	{"pve-task-status-type", is_task_status},
	{"lxc-ip-with-ll-iface", is_nameserver},
	{"dns-name", is_dns_name},
	{"address", is_address},
	{"ip", is_ip},
	{"ipv4", is_ipv4},
	{"ipv6", is_ipv6},
	{"CIDRv4", is_cidr4},
	{"CIDRv6", is_cidr6},
	{"IPorCIDR", is_ip_or_cidr},
	{"mac-addr", is_mac},
	{"disk-size", is_disk_size},
	{"email", is_email},
};

static const struct format *format_find(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strlen(formats[i].name) == length && memcmp(formats[i].name, name, length) == 0)
			return &formats[i];
	return NULL;
}

static bool is_list_of(const struct format *f, const char *value)
{
	autostrv char **parts = str_split(value, ",; ");

	for (char **p = parts; *p; p++)
		if (!f->is_valid(*p))
			return false;
	return true;
}

bool param_format_is_valid(const char *format, const char *value)
{
	size_t n = strlen(format);
	const struct format *f = format_find(format, n);

	if (f)
		return value[0] != '\0' && f->is_valid(value);
	if (str_ends(format, "-list") && (f = format_find(format, n - 5)))
		return is_list_of(f, value);
	if (str_ends(format, "-opt") && (f = format_find(format, n - 4)))
		return value[0] == '\0' || f->is_valid(value);
	abort(); /* route tables are the program's own; the tests walk through all of them */
}
