/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of a request against the tables of its route: unknown, missing, repeated and wrong
 * ones, all reported at once. Pure; used on the core's loop. */
#include "agent/api/validate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const char *const type_names[] = {
	[PARAM_STRING] = "string",   [PARAM_INTEGER] = "integer", [PARAM_NUMBER] = "number",
	[PARAM_BOOLEAN] = "boolean", [PARAM_ARRAY] = "array",
};

/* Names that every route accepts and ignores: "_dc" keeps browser caches away. */
static const char *const ignored[] = {"_dc"};

static void complain(struct fields *errors, const char *name, const char *text)
{
	if (!fields_find(errors, name))
		fields_add(errors, name, text);
}

static bool is_ignored(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
		if (str_eq(name, ignored[i]))
			return true;
	}
	return false;
}

static const struct param *find_param(const struct api_route *route, const char *name)
{
	const struct param *p = route->params ? param_find(route->params, name) : NULL;
	if (!p && route->more)
		p = param_find(route->more, name);
	return p;
}

/* One form for each value: what is compared as text later, such as a path of the access lists, must not be another one for
 * "0100". Heap; NULL: as it came. */
static char *canonical(const struct param *p, const struct field *f)
{
	int64_t number;
	bool on;
	if (p->type == PARAM_INTEGER && str_to_i64(f->value, &number))
		return xasprintf("%" PRId64, number);
	if (p->type == PARAM_BOOLEAN && str_to_bool(f->value, &on))
		return xstrdup(on ? "1" : "0");
	return NULL;
}

static void add_checked(const struct param *p, const struct field *f, struct fields *ret)
{
	autofree char *value = canonical(p, f);
	if (value)
		fields_add(ret, f->name, value);
	else
		fields_add_n(ret, f->name, f->value, f->size);
}

/* Stored text has no NUL: its place takes the escape that stands for one. */
static char *nuls_escaped(const struct field *f)
{
	autobuf out = BUF_INIT;

	for (size_t i = 0; i < f->size; i++)
		if (f->value[i])
			buf_add_char(&out, f->value[i]);
		else
			buf_add_str(&out, "\\0");
	buf_str(&out);
	return buf_steal(&out);
}

static void check_nul_list(const struct param *p, const struct field *f, struct fields *ret,
			   struct fields *errors);

static void check_value(const struct param *p, const struct field *f, struct fields *ret,
			struct fields *errors)
{
	struct err err = ERR_INIT;
	if (p->is_nul_list && memchr(f->value, '\0', f->size))
		check_nul_list(p, f, ret, errors);
	else if (memchr(f->value, '\0', f->size) || !str_is_utf8(f->value, f->size))
		complain(errors, f->name, "value is not valid UTF-8 text");
	else if (param_check(p, f->name, f->value, &err) < 0)
		complain(errors, f->name, err.message);
	else
		add_checked(p, f, ret);
}

static void check_nul_list(const struct param *p, const struct field *f, struct fields *ret,
			   struct fields *errors)
{
	autofree char *text = nuls_escaped(f);
	struct field escaped = {.name = f->name, .value = text, .size = strlen(text)};

	check_value(p, &escaped, ret, errors);
}

/* A name given twice is an array; scalars may only repeat themselves. */
static bool is_repeated(const struct param *p, const struct field *f, const struct fields *ret,
			struct fields *errors)
{
	const struct field *before = p->type == PARAM_ARRAY ? NULL : fields_find(ret, f->name);
	if (!before)
		return false;
	autofree char *value = canonical(p, f);
	size_t size = value ? strlen(value) : f->size;
	if (before->size != size || memcmp(before->value, value ?: f->value, size) != 0) {
		char text[80];
		snprintf(text, sizeof(text), "type check ('%s') failed - got ARRAY",
			 type_names[p->type]);
		complain(errors, f->name, text);
	}
	return true;
}

static void check_given(const struct api_route *route, const struct fields *path,
			const struct field *f, struct fields *ret, struct fields *errors)
{
	if (is_ignored(f->name))
		return;
	const struct param *p = find_param(route, f->name);
	if (!p)
		complain(errors, f->name,
			 "property is not defined in schema and the schema does not allow "
			 "additional properties");
	else if (fields_find(path, f->name))
		complain(errors, f->name, "duplicate parameter (already defined in URI)");
	else if (!is_repeated(p, f, ret, errors))
		check_value(p, f, ret, errors);
}

static void check_missing(const struct param *table, const struct fields *ret,
			  struct fields *errors)
{
	for (const struct param *p = table; p && p->name; p++) {
		if (!p->optional && !fields_find(ret, p->name))
			complain(errors, p->name, "property is missing and it is not optional");
	}
}

static void check_required(const struct param *table, const struct fields *ret,
			   struct fields *errors)
{
	for (const struct param *p = table; p && p->name; p++) {
		char text[120];

		if (!p->requires || !fields_find(ret, p->name) || fields_find(ret, p->requires))
			continue;
		snprintf(text, sizeof(text), "missing property - '%.40s' requires this property",
			 p->name);
		complain(errors, p->requires, text);
	}
}

bool api_validate(const struct api_route *route, const struct fields *path,
		  const struct fields *given, struct fields *ret, struct fields *ret_errors)
{
	size_t before = ret_errors->count;
	for (size_t i = 0; i < path->count; i++) {
		const struct param *p = find_param(route, path->items[i].name);
		if (p)
			check_value(p, &path->items[i], ret, ret_errors);
		else
			fields_add_n(ret, path->items[i].name, path->items[i].value,
				     path->items[i].size);
	}
	for (size_t i = 0; i < given->count; i++)
		check_given(route, path, &given->items[i], ret, ret_errors);
	check_missing(route->params, ret, ret_errors);
	check_missing(route->more, ret, ret_errors);
	check_required(route->params, ret, ret_errors);
	check_required(route->more, ret, ret_errors);
	return ret_errors->count == before;
}
