/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API tokens: "user@realm!id=UUID" as a client sends it, and the digest that is kept of the UUID.
 * The secret has 122 random bits, so a plain SHA-256 is enough. Pure but for token_secret_make(). */
#pragma once

#include <stdbool.h>

#include "agent/auth/access.h"
#include "agent/base/digest.h"

#define TOKEN_SECRET_SIZE 37 /* a UUID, lower case, with the NUL */
#define TOKEN_TEXT_MAX	  256

/* Splits a credential at '=' or a space. *ret_secret is borrowed from text. false: malformed. */
bool token_split(const char *text, char ret_tokenid[USERID_MAX], const char **ret_secret);
void token_secret_make(char ret[TOKEN_SECRET_SIZE]);
void token_digest(const char *secret, char ret[SHA256_HEX_SIZE]);
/* digest NULL (no such token) takes the same time and is false. */
bool token_secret_matches(const char *secret, const char *digest);
