/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API token credentials. Runs in the core; must never put a secret into an error or a log. */
#include "agent/auth/token.h"

#include <stdio.h>
#include <string.h>

#include "agent/auth/usercfg.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"

static bool is_uuid(const char *s)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (!s[i] || !strchr(shape[i] == '-' ? "-" : "0123456789abcdef", s[i]))
			return false;
	return !s[sizeof(shape) - 1];
}

bool token_split(const char *text, char ret_tokenid[USERID_MAX], const char **ret_secret)
{
	char tokenid[USERID_MAX];
	const char *mark;
	size_t size;

	if (strnlen(text, TOKEN_TEXT_MAX) >= TOKEN_TEXT_MAX)
		return false;
	mark = strchr(text, '!');
	if (!mark)
		return false;
	/* a user's name may hold '=', a token's own name cannot */
	size = (size_t)(mark - text) + strcspn(mark, "= ");
	if (!text[size] || size >= sizeof(tokenid))
		return false;
	memcpy(tokenid, text, size);
	tokenid[size] = '\0';
	if (!tokenid_is_valid(tokenid) || !is_uuid(text + size + 1))
		return false;
	memcpy(ret_tokenid, tokenid, sizeof(tokenid));
	*ret_secret = text + size + 1;
	return true;
}

void token_secret_make(char ret[TOKEN_SECRET_SIZE])
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* version 4, random */
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(ret, TOKEN_SECRET_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	explicit_bzero(b, sizeof(b));
}

void token_digest(const char *secret, char ret[SHA256_HEX_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	digest_sha256(secret, strlen(secret), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

bool token_secret_matches(const char *secret, const char *digest)
{
	/* no secret has this digest's text: it is no hexadecimal */
	static const char nothing[] =
		"----------------------------------------------------------------";
	char own[SHA256_HEX_SIZE];

	token_digest(secret, own);
	return str_eq_constant_time(own, digest ? digest : nothing);
}
