/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named formats of text values, looked up by name. "…-list" means values separated by commas,
 * semicolons or spaces; "…-opt" one that may be empty. Pure. */
#include "agent/base/param_format.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/str.h"

bool format_has_only(const char *s, const char *set, size_t min, size_t max)
{
	size_t n = strlen(s);

	return n >= min && n <= max && strspn(s, set) == n;
}

bool format_is_pair(const char *s, char separator, bool may_be_single,
		    bool (*is_left)(const char *), bool (*is_right)(const char *))
{
	const char *at = strchr(s, separator);
	autofree char *left = at ? xstrndup(s, (size_t)(at - s)) : NULL;

	if (!at)
		return may_be_single && is_left(s);
	return left[0] && at[1] && is_left(left) && is_right(at + 1);
}

static const struct param_format *format_find(const char *name, size_t length)
{
	static const struct param_format *const tables[] = {param_formats_name, param_formats_net,
							    param_formats_value};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct param_format *f = tables[i]; f->name; f++)
			if (strlen(f->name) == length && memcmp(f->name, name, length) == 0)
				return f;
	return NULL;
}

static bool is_list_of(const struct param_format *f, const char *value)
{
	autostrv char **parts = str_split(value, ",; ");

	for (char **p = parts; *p; p++)
		if (!f->is_valid(*p))
			return false;
	return true;
}

/* No format has any: such values become lines of configuration. */
static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

bool param_format_is_valid(const char *format, const char *value)
{
	size_t n = strlen(format);
	const struct param_format *f = format_find(format, n);

	if (has_control(value))
		return false;
	if (f)
		return value[0] != '\0' && f->is_valid(value);
	if (str_ends(format, "-list") && (f = format_find(format, n - 5)))
		return is_list_of(f, value);
	if (str_ends(format, "-opt") && (f = format_find(format, n - 4)))
		return value[0] == '\0' || f->is_valid(value);
	abort(); /* route tables are the program's own; the tests walk through all of them */
}
