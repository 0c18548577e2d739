/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files below /priv that hold one value a name: "NAME:VALUE" lines, names without ':'. Password
 * hashes (by user; shadow.h) and digests of token secrets (by token). Pure. */
#pragma once

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *s); /* wipes the values */
/* Errors name the line, never its content. */
int secrets_parse(const char *text, size_t size, struct secrets **ret, struct err *err);
void secrets_format(const struct secrets *s, struct buf *out);
const char *secrets_get(const struct secrets *s, const char *name); /* NULL if absent; borrowed */
void secrets_put(struct secrets *s, const char *name, const char *value);
void secrets_remove(struct secrets *s, const char *name);
void secrets_remove_prefix(struct secrets *s, const char *prefix);

/* Overwrites and frees a heap string; NULL is fine. */
void secret_free(char *secret);
static inline void secret_freep(char **secret)
{
	secret_free(*secret);
}
#define autosecret __attribute__((cleanup(secret_freep))) char
