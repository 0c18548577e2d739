/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict numbers out of text: whole string, no locale, no overflow. */
#include "agent/base/str.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"

bool str_to_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (str_is_empty(s))
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	*ret = v;
	return true;
}

bool str_to_i64(const char *s, int64_t *ret)
{
	bool is_negative = s && s[0] == '-';
	uint64_t v;

	if (!str_to_u64(is_negative ? s + 1 : s, &v) || v > (uint64_t)INT64_MAX + is_negative)
		return false;
	*ret = is_negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* digits, at most one point, an optional exponent: what strtod takes less hex, inf and nan */
static bool is_decimal(const char *s)
{
	size_t digits;

	s += *s == '-';
	digits = strspn(s, "0123456789");
	s += digits;
	if (*s == '.') {
		size_t more = strspn(++s, "0123456789");

		digits += more;
		s += more;
	}
	if (digits > 0 && (*s == 'e' || *s == 'E')) {
		s++;
		s += *s == '-' || *s == '+';
		digits = strspn(s, "0123456789");
		s += digits;
	}
	return digits > 0 && *s == '\0';
}

static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", NULL);
}

bool str_to_double(const char *s, double *ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	double v;

	if (!s || strlen(s) > 64 || !is_decimal(s))
		return false;
	pthread_once(&once, make_locale);
	errno = 0;
	v = strtod_l(s, NULL, c_locale);
	if (errno == ERANGE && (v > 1 || v < -1))
		return false;
	*ret = v;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool str_hex_to_u64(const char *s, size_t digits, uint64_t *ret)
{
	uint64_t v = 0;

	if (digits == 0 || digits > 16)
		return false;
	for (size_t i = 0; i < digits; i++) {
		int h = hex_value(s[i]); /* the terminating NUL is no digit: never read past it */

		if (h < 0)
			return false;
		v = v << 4 | (uint64_t)h;
	}
	*ret = v;
	return true;
}

bool str_to_bool(const char *s, bool *ret)
{
	static const char *const yes[] = {"1", "yes", "true", "on"};
	static const char *const no[] = {"0", "no", "false", "off"};

	for (size_t i = 0; s && i < ARRAY_SIZE(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return *ret = true, true;
		if (strcasecmp(s, no[i]) == 0)
			return *ret = false, true;
	}
	return false;
}

bool str_to_bytes(const char *s, uint64_t unit, uint64_t *ret)
{
	static const char suffixes[] = "KMGTP";
	size_t n = s ? strlen(s) : 0;
	const char *suffix = n ? strchr(suffixes, s[n - 1]) : NULL;
	char number[32];
	double v;

	if (n == 0 || n >= sizeof(number))
		return false;
	memcpy(number, s, n + 1);
	if (suffix) {
		number[n - 1] = '\0';
		unit = 1ull << (10 * (suffix - suffixes + 1));
	}
	if (strspn(number, "0123456789.") != strlen(number) || !str_to_double(number, &v))
		return false;
	v *= (double)unit;
	if (v >= 9.0e18)
		return false;
	*ret = (uint64_t)v;
	return true;
}
