/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ids of users, groups, roles and tokens may look like. Pure. */
#include <string.h>

#include "agent/auth/usercfg.h"
#include "agent/base/str.h"

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_char(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || (c && strchr("._-", c));
}

static bool is_name(const char *s, size_t max)
{
	size_t size = 0;

	while (is_name_char(s[size]))
		size++;
	return size > 0 && size <= max && !s[size];
}

/* [A-Za-z][A-Za-z0-9._-]+ : realms and the own part of token ids */
static bool is_long_name(const char *s, size_t max)
{
	return is_alpha(s[0]) && s[1] && is_name(s, max);
}

/* Beside what the contract excludes (white space, ':', '/') no separators of lists, and no '!',
 * which would make a user look like a token. */
static bool is_user_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && !strchr(":/,;|!%\"\\", c);
}

const char *userid_realm(const char *userid)
{
	const char *at = strrchr(userid, '@');

	return at ? at + 1 : "";
}

bool userid_is_valid(const char *userid)
{
	size_t size = strlen(userid);
	const char *realm = userid_realm(userid);

	if (size > USERCFG_USERID_MAX || !is_long_name(realm, 32) || realm == userid + 1 ||
	    !str_is_utf8(userid, size))
		return false;
	for (const char *c = userid; *c; c++)
		if (!is_user_char(*c))
			return false;
	return true;
}

bool groupid_is_valid(const char *groupid)
{
	return is_name(groupid, USERCFG_NAME_MAX);
}

bool tokenid_owner(const char *tokenid, char ret[USERID_MAX])
{
	const char *mark = strchr(tokenid, '!');

	if (!mark || (size_t)(mark - tokenid) > USERCFG_USERID_MAX)
		return false;
	memcpy(ret, tokenid, (size_t)(mark - tokenid));
	ret[mark - tokenid] = '\0';
	return true;
}

bool tokenid_is_valid(const char *tokenid)
{
	char owner[USERID_MAX];

	return strlen(tokenid) < USERID_MAX && tokenid_owner(tokenid, owner) &&
	       userid_is_valid(owner) && is_long_name(strchr(tokenid, '!') + 1, USERCFG_NAME_MAX);
}
