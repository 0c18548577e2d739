/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named formats of ids and names. Pure. */
#include "agent/base/param_format.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static bool is_vmid(const char *s)
{
	uint64_t v;

	return s[0] != '0' && str_to_u64(s, &v) && v >= 100 && v <= 999999999;
}

bool format_is_storage_id(const char *s)
{
	size_t n = strlen(s);

	return strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM "-_.", 2, 100) &&
	       strchr(ALNUM, s[n - 1]);
}

static bool is_config_id(const char *s)
{
	return strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM "-_", 2, 100);
}

static bool is_realm(const char *s)
{
	return s[0] && strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM ".-_", 2, 32);
}

/* name@realm; the name has no space, colon or slash */
static bool is_userid(const char *s)
{
	const char *at = strrchr(s, '@');
	size_t n = at ? (size_t)(at - s) : 0;

	if (n < 1 || strlen(s) > 64 || !is_realm(at + 1))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || strchr(":/!", s[i]))
			return false;
	return true;
}

static bool is_token_name(const char *s)
{
	return s[0] && strchr(LOWER UPPER, s[0]) && format_has_only(s, ALNUM ".-_", 2, 128);
}

static bool is_tokenid(const char *s)
{
	const char *mark = strchr(s, '!');
	autofree char *user = mark ? xstrndup(s, (size_t)(mark - s)) : NULL;

	return mark && is_userid(user) && is_token_name(mark + 1);
}

static bool is_name(const char *s)
{
	return format_has_only(s, ALNUM ".-_", 1, 128);
}

static bool is_poolid(const char *s)
{
	return format_has_only(s, ALNUM ".-_/", 1, 128) && s[0] != '/' && !str_ends(s, "/") &&
	       !strstr(s, "//");
}

static bool is_tag(const char *s)
{
	return s[0] && strchr(ALNUM "_", s[0]) && format_has_only(s, ALNUM "_-+.", 1, 124);
}

static bool is_privilege(const char *s)
{
	return strchr(UPPER, s[0]) && format_has_only(s, LOWER UPPER ".", 3, 64);
}

static bool is_volume_group(const char *s)
{
	return format_has_only(s, ALNUM "-_.", 2, 128) && strchr(ALNUM, s[0]) &&
	       strchr(ALNUM, s[strlen(s) - 1]);
}

static bool is_ldap_attribute(const char *s)
{
	return format_has_only(s, ALNUM, 1, 256);
}

static bool is_storage_or_same(const char *s)
{
	return str_eq(s, "1") ||
	       format_is_pair(s, ':', true, format_is_storage_id, format_is_storage_id);
}

const struct param_format param_formats_name[] = {
	{"pve-node", format_is_node},
	{"pve-vmid", is_vmid},
	{"pve-storage-id", format_is_storage_id},
	{"pve-configid", is_config_id},
	{"pve-realm", is_realm},
	{"pve-userid", is_userid},
	{"pve-tokenid", is_tokenid},
	{"pve-token-name", is_token_name},
	{"pve-groupid", is_name},
	{"pve-roleid", is_name},
	{"pve-priv", is_privilege},
	{"pve-poolid", is_poolid},
	{"pve-tag", is_tag},
	{"pve-storage-vgname", is_volume_group},
	{"ldap-simple-attr", is_ldap_attribute},
	{"storage-pair", is_storage_or_same},
	{0},
};
