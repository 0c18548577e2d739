/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Property strings. Pure. */
#include "agent/base/propstr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static int wrong(const char *field, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(const char *field, struct err *err, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_field(err, field, "invalid format - %s", why);
}

static int take_part(const struct param *keys, const char *default_key, const char *field,
		     const char *part, struct fields *f, struct err *err)
{
	const char *equals = strchr(part, '=');
	autofree char *key = equals ? xstrndup(part, (size_t)(equals - part)) : NULL;
	const struct param *p;
	struct err why = ERR_INIT;

	if (!key) {
		if (!default_key)
			return wrong(field, err, "'%s' has no value (KEY=VALUE is expected)", part);
		key = xstrdup(default_key);
	}
	p = param_find(keys, key);
	if (!p)
		return wrong(field, err,
			     "%s: property is not defined in schema and the schema does not allow "
			     "additional properties",
			     key);
	if (fields_find(f, key))
		return wrong(field, err, "duplicate key '%s'", key);
	if (param_check(p, key, equals ? equals + 1 : part, &why) < 0)
		return wrong(field, err, "%s: %s", key, why.message);
	fields_add(f, key, equals ? equals + 1 : part);
	return 0;
}

static int check_complete(const struct param *keys, const char *field, const struct fields *f,
			  struct err *err)
{
	for (const struct param *p = keys; p->name; p++)
		if (!p->optional && !fields_find(f, p->name))
			return wrong(field, err, "%s: property is missing and it is not optional",
				     p->name);
	return 0;
}

int propstr_parse(const struct param *keys, const char *default_key, const char *field,
		  const char *text, struct fields *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	autostrv char **parts = NULL;
	int r = 0;

	if (strlen(text) > PROPSTR_SIZE_MAX)
		return wrong(field, err, "longer than %d characters", PROPSTR_SIZE_MAX);
	parts = str_split(text, ",");
	for (char **part = parts; r == 0 && *part; part++)
		r = take_part(keys, default_key, field, *part, &f, err);
	if (r < 0 || (r = check_complete(keys, field, &f, err)) < 0)
		return r;
	*ret = f;
	f = FIELDS_INIT;
	return 0;
}

static void add_part(struct buf *out, const char *key, const char *value)
{
	if (out->size > 0)
		buf_add_char(out, ',');
	if (key)
		buf_addf(out, "%s=", key);
	buf_add_str(out, value);
}

/* a value that would be read as another key, or as nothing */
static bool needs_name(const char *value)
{
	return value[0] == '\0' || strchr(value, '=');
}

char *propstr_format(const struct param *keys, const char *default_key, const struct fields *f)
{
	const char *first = default_key ? fields_get(f, default_key) : NULL;
	autobuf out = BUF_INIT;

	if (first)
		add_part(&out, needs_name(first) ? default_key : NULL, first);
	for (const struct param *p = keys; p->name; p++)
		if (!str_eq(p->name, default_key) && fields_get(f, p->name))
			add_part(&out, p->name, fields_get(f, p->name));
	return buf_steal(&out);
}
