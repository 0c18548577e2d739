/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums as texts list them. Pure. */
#include "storage/catalog/internal.h"

#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct {
	const char *name;
	size_t digits;
} kinds[] = {{"sha256", 64}, {"sha512", 128}};

size_t catalog_sum_digits(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i].name, kind))
			return kinds[i].digits;
	return 0;
}

bool catalog_sum_is_hex(const char *text, size_t digits)
{
	return strspn(text, "0123456789abcdefABCDEF") == digits;
}

/* The digits of a line that is about the file; NULL: it is about another one. */
static const char *sum_in_line(const char *line, const char *kind, const char *file, size_t digits)
{
	const char *open = strchr(line, '('), *close = open ? strstr(open, ") = ") : NULL;
	size_t size = strlen(file);
	if (open && close && strncasecmp(line, kind, strlen(kind)) == 0 &&
	    (size_t)(close - open - 1) == size && memcmp(open + 1, file, size) == 0 &&
	    catalog_sum_is_hex(close + 4, digits))
		return close + 4;
	if (!catalog_sum_is_hex(line, digits) || (line[digits] != ' ' && line[digits] != '\t'))
		return NULL;
	const char *name = line + digits + strspn(line + digits, " \t*");
	name = str_after(name, "./") ?: name;
	return str_eq(name, file) ? line : NULL;
}

static void copy_sum(char ret[129], const char *digits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ret[i] = (char)(digits[i] >= 'A' && digits[i] <= 'F' ? digits[i] + 32 : digits[i]);
	ret[count] = '\0';
}

int catalog_sum_find(const char *text, size_t size, const char *kind, const char *file,
		     char ret[129], struct err *err)
{
	size_t digits = catalog_sum_digits(kind);
	autofree char *copy = xstrndup(text, size);
	autostrv char **lines = str_split(copy, "\r\n");
	if (digits == 0)
		return err_set(err, ERR_INVALID, "'%.32s' is no kind of checksum", kind);
	if (strv_count(lines) == 1 && catalog_sum_is_hex(lines[0], digits) && !lines[0][digits]) {
		copy_sum(ret, lines[0], digits);
		return 0;
	}
	for (char **line = lines; *line; line++) {
		const char *sum = sum_in_line(*line, kind, file, digits);
		if (sum) {
			copy_sum(ret, sum, digits);
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND,
		       "there is no %s checksum of '%.200s' among what was fetched", kind, file);
}
