/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API token credentials: what is split is well-formed and no longer than its parts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/auth/token.h"
#include "agent/auth/usercfg.h"
#include "agent/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	char tokenid[USERID_MAX], owner[USERID_MAX];
	const char *secret;

	if (!token_split(text, tokenid, &secret))
		return 0;
	if (!tokenid_is_valid(tokenid) || !tokenid_owner(tokenid, owner) ||
	    !userid_is_valid(owner) || strlen(secret) != TOKEN_SECRET_SIZE - 1 ||
	    token_secret_matches(secret, NULL))
		abort();
	return 0;
}
