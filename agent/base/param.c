/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checking one value against its description; the wording is the API contract's. */
#include "agent/base/param.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/propstr.h"
#include "agent/base/str.h"

#define INDEX_MAX_DEFAULT 32

/* "net[n]": is name "net" and a number below the bound, without leading zeros */
static bool matches_indexed(const struct param *p, size_t stem, const char *name)
{
	unsigned max = p->index_max ? p->index_max : INDEX_MAX_DEFAULT;
	uint64_t n;

	if (strncmp(p->name, name, stem) != 0 || !str_to_u64(name + stem, &n))
		return false;
	return n < max && (name[stem] != '0' || name[stem + 1] == '\0');
}

const struct param *param_find(const struct param *table, const char *name)
{
	for (const struct param *p = table; p && p->name; p++) {
		const char *bracket = strchr(p->name, '[');

		if (bracket ? matches_indexed(p, (size_t)(bracket - p->name), name)
			    : str_eq(p->name, name))
			return p;
	}
	return NULL;
}

/* Compiled once per pattern, for the life of the process; one thread. */
static const regex_t *compiled(const char *pattern)
{
	static struct map *cache;
	regex_t *re;

	if (!cache)
		cache = map_new();
	re = map_get(cache, pattern);
	if (!re) {
		autofree char *whole = xasprintf("^(%s)$", pattern);

		re = xcalloc(1, sizeof(*re));
		if (regcomp(re, whole, REG_EXTENDED | REG_NOSUB) != 0)
			abort(); /* patterns are the program's own */
		map_put(cache, pattern, re);
	}
	return re;
}

static int check_bounds(const struct param *p, const char *name, double v, struct err *err)
{
	if (p->has_min && v < p->min)
		return err_field(err, name, "value must have a minimum value of %.15g", p->min);
	if (p->has_max && v > p->max)
		return err_field(err, name, "value must have a maximum value of %.15g", p->max);
	return 0;
}

static int check_format(const struct param *p, const char *name, const char *value, struct err *err)
{
	if (!p->format || param_format_is_valid(p->format, value))
		return 0;
	return err_field(err, name, "invalid format - value '%.100s' does not look like a valid %s",
			 value, p->format);
}

static int check_integer(const struct param *p, const char *name, const char *value,
			 struct err *err)
{
	int64_t v;

	if (!str_to_i64(value, &v))
		return err_field(err, name, "type check ('integer') failed - got '%.100s'", value);
	int r = check_bounds(p, name, (double)v, err);
	return r < 0 ? r : check_format(p, name, value, err);
}

static int check_number(const struct param *p, const char *name, const char *value, struct err *err)
{
	double v;

	if (!str_to_double(value, &v))
		return err_field(err, name, "type check ('number') failed - got '%.100s'", value);
	return check_bounds(p, name, v, err);
}

static int check_boolean(const struct param *p, const char *name, const char *value,
			 struct err *err)
{
	bool v;

	(void)p;
	if (!str_to_bool(value, &v))
		return err_field(err, name, "type check ('boolean') failed - got '%.100s'", value);
	return 0;
}

static int check_choices(const struct param *p, const char *name, const char *value,
			 struct err *err)
{
	autobuf all = BUF_INIT;

	for (const char *const *c = p->choices; *c; c++) {
		if (str_eq(*c, value))
			return 0;
		buf_addf(&all, "%s%s", c == p->choices ? "" : ", ", *c);
	}
	return err_field(err, name, "value '%.100s' does not have a value in the enumeration '%s'",
			 value, buf_str(&all));
}

/* characters of well-formed UTF-8: continuation bytes do not count */
static size_t character_count(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static int check_length(const struct param *p, const char *name, const char *value, struct err *err)
{
	double n = (double)character_count(value);

	if (p->has_min && n < p->min)
		return err_field(err, name, "value must be at least %.0f characters long", p->min);
	if (p->has_max && n > p->max)
		return err_field(err, name, "value may only be %.0f characters long", p->max);
	return 0;
}

static int check_string(const struct param *p, const char *name, const char *value, struct err *err)
{
	autofields ignored = FIELDS_INIT;
	int r;

	if (!str_is_utf8(value, strlen(value)))
		return err_field(err, name, "value is not valid UTF-8 text");
	if ((r = check_length(p, name, value, err)) < 0)
		return r;
	if (p->choices && (r = check_choices(p, name, value, err)) < 0)
		return r;
	if (p->pattern && regexec(compiled(p->pattern), value, 0, NULL, 0) != 0)
		return err_field(err, name, "value does not match the regex pattern");
	if ((r = check_format(p, name, value, err)) < 0)
		return r;
	return p->keys ? propstr_parse(p->keys, p->default_key, name, value, &ignored, err) : 0;
}

int param_check(const struct param *p, const char *name, const char *value, struct err *err)
{
	static int (*const checks[])(const struct param *, const char *, const char *,
				     struct err *) = {
		[PARAM_STRING] = check_string, [PARAM_INTEGER] = check_integer,
		[PARAM_NUMBER] = check_number, [PARAM_BOOLEAN] = check_boolean,
		[PARAM_ARRAY] = check_string,
	};

	return checks[p->type](p, name, value, err);
}
