/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameter descriptions as JSON schema, the way the API contract writes them. */
#include "agent/base/json.h"
#include "agent/base/param.h"

#include "agent/base/str.h"

static const char *const type_names[] = {
	[PARAM_STRING] = "string",   [PARAM_INTEGER] = "integer", [PARAM_NUMBER] = "number",
	[PARAM_BOOLEAN] = "boolean", [PARAM_ARRAY] = "array",
};

static void bound_to_json(struct json *j, const char *key, double v)
{
	json_key(j, key);
	if (v == (double)(int64_t)v)
		json_int(j, (int64_t)v);
	else
		json_double(j, v);
}

static void keys_to_json(struct json *j, const struct param *p)
{
	json_key(j, "format");
	json_object_begin(j);
	for (const struct param *k = p->keys; k->name; k++) {
		json_key(j, k->name);
		param_to_json(j, k);
	}
	json_object_end(j);
}

static void choices_to_json(struct json *j, const struct param *p)
{
	json_key(j, "enum");
	json_array_begin(j);
	for (const char *const *c = p->choices; *c; c++)
		json_string(j, *c);
	json_array_end(j);
}

void param_to_json(struct json *j, const struct param *p)
{
	bool is_text = p->type == PARAM_STRING || p->type == PARAM_ARRAY;

	json_object_begin(j);
	json_kv_string(j, "type", type_names[p->type]);
	if (p->text)
		json_kv_string(j, "description", p->text);
	if (p->optional)
		json_kv_bool(j, "optional", true);
	if (p->requires)
		json_kv_string(j, "requires", p->requires);
	if (p->default_text)
		json_kv_string(j, "default", p->default_text);
	if (p->has_min)
		bound_to_json(j, is_text ? "minLength" : "minimum", p->min);
	if (p->has_max)
		bound_to_json(j, is_text ? "maxLength" : "maximum", p->max);
	if (p->choices)
		choices_to_json(j, p);
	if (p->pattern)
		json_kv_string(j, "pattern", p->pattern);
	if (p->keys)
		keys_to_json(j, p);
	else if (p->format)
		json_kv_string(j, "format", p->format);
	json_object_end(j);
}
