/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict text helpers. Nothing here depends on the locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_is_empty(const char *s); /* NULL or "" */
/* The rest of s after prefix, or NULL. */
const char *str_after(const char *s, const char *prefix);
/* Decimal, whole string, no sign for u64, no spaces, no overflow; false leaves *ret alone. */
bool str_to_u64(const char *s, uint64_t *ret);
bool str_to_i64(const char *s, int64_t *ret);
bool str_to_double(const char *s, double *ret); /* decimal notation only: no hex, inf or nan */
bool str_hex_to_u64(const char *s, size_t digits, uint64_t *ret); /* first `digits` characters */
/* 1/0, yes/no, true/false, on/off in any case of letters. */
bool str_to_bool(const char *s, bool *ret);
bool str_is_ident(const char *s); /* [A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9] or one letter */
bool str_is_utf8(const char *s, size_t size);
/* UTF-8 without control characters and white space, in any script: one word to whoever splits text there. */
bool str_is_word(const char *s, size_t size);
/* A control character beyond ASCII starts here: U+0080 to U+009F, two bytes. Terminals obey them, too. */
bool str_is_c1(const char *s);
/* "8", "32G", "512M", "1.5T": value in bytes, bare numbers are multiplied by unit. */
bool str_to_bytes(const char *s, uint64_t unit, uint64_t *ret);
/* Copies at most size - 1 bytes and terminates; false if it did not fit. */
bool str_copy(char *dst, size_t size, const char *src);
/* Splits at any of `separators`, skips empty parts. The array ends with NULL; free with strv_free. */
char **str_split(const char *s, const char *separators);
void strv_free(char **v);
size_t strv_count(char *const *v);
bool strv_has(char *const *v, const char *s);
static inline void strv_freep(char ***v)
{
	strv_free(*v);
}
#define autostrv __attribute__((cleanup(strv_freep)))
/* Equal content without an early exit; for secrets. Lengths may leak. */
bool str_eq_constant_time(const char *a, const char *b);
