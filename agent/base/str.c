/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict text helpers: comparing, copying, splitting. Numbers are in str_number.c. */
#include "agent/base/str.h"

#include <string.h>

#include "agent/base/mem.h"

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return str_after(s, prefix) != NULL;
}

const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s && strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = s ? strlen(s) : 0, m = strlen(suffix);

	return s && n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_is_empty(const char *s)
{
	return !s || s[0] == '\0';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

bool str_is_ident(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0 || !is_letter(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

/* length of the UTF-8 sequence at p (Unicode 15, table 3-7), or 0 if it is malformed */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (left < forms[i].length || p[1] < forms[i].second_min ||
		    p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool str_is_utf8(const char *s, size_t size)
{
	const unsigned char *p = (const unsigned char *)s;

	while (size > 0) {
		size_t n = utf8_length(p, size);

		if (n == 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* Of the sequence at p, which is well-formed. */
static uint32_t utf8_decode(const unsigned char *p, size_t length)
{
	uint32_t code = length == 1 ? p[0] : p[0] & (0x7fu >> length);

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (p[i] & 0x3fu);
	return code;
}

/* Unicode's White_Space, and what some languages' patterns count among it. */
static bool is_space_or_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0, 0x20},	  {0x7f, 0xa0},	    {0x1680, 0x1680}, {0x180e, 0x180e},
		{0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
		{0x3000, 0x3000}, {0xfeff, 0xfeff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

bool str_is_word(const char *s, size_t size)
{
	const unsigned char *p = (const unsigned char *)s;

	while (size > 0) {
		size_t n = utf8_length(p, size);

		if (n == 0 || is_space_or_control(utf8_decode(p, n)))
			return false;
		p += n;
		size -= n;
	}
	return true;
}

bool str_is_c1(const char *s)
{
	return (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] >= 0x80 &&
	       (unsigned char)s[1] < 0xa0;
}

bool str_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);
	bool fits = n < size;

	if (size == 0)
		return false;
	if (!fits)
		n = size - 1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return fits;
}

char **str_split(const char *s, const char *separators)
{
	char **v = xcalloc(1, sizeof(*v));
	size_t count = 0;

	for (; s && *s; s += strcspn(s, separators)) {
		s += strspn(s, separators);
		if (*s == '\0')
			break;
		v = xrealloc(v, count + 2, sizeof(*v));
		v[count++] = xstrndup(s, strcspn(s, separators));
		v[count] = NULL;
	}
	return v;
}

void strv_free(char **v)
{
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
}

size_t strv_count(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

bool strv_has(char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (str_eq(*v, s))
			return true;
	return false;
}

bool str_eq_constant_time(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	volatile unsigned char difference = n != m;

	for (size_t i = 0; i < n; i++)
		difference |= (unsigned char)(a[i] ^ (m ? b[i % m] : 1));
	return difference == 0;
}
