/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flat JSON body as fields. Pure. */
#include "agent/gate/parse.h"

#include <string.h>
#include <json-c/json.h>

#include "agent/base/json.h"

#define BODY_MAX (512u * 1024)

static int take_scalar(const char *name, struct json_object *value, struct fields *f,
		       struct err *err)
{
	if (f->count >= FIELDS_COUNT_MAX)
		return err_set(err, ERR_INVALID, "more than %d parameters", FIELDS_COUNT_MAX);
	switch (json_object_get_type(value)) {
	case json_type_null:
		return 0;
	case json_type_boolean:
		fields_add(f, name, json_object_get_boolean(value) ? "1" : "0");
		return 0;
	case json_type_int:
	case json_type_double:
		fields_add(f, name, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
		return 0;
	case json_type_string:
		if (strlen(json_object_get_string(value)) !=
		    (size_t)json_object_get_string_len(value))
			return err_field(err, name, "the text holds a NUL character");
		fields_add_n(f, name, json_object_get_string(value),
			     (size_t)json_object_get_string_len(value));
		return 0;
	default:
		return err_field(err, name,
				 "must be a text, a number, a boolean or a list of these");
	}
}

static int take_member(const char *name, struct json_object *value, struct fields *f,
		       struct err *err)
{
	int r = 0;

	if (name[0] == '\0' || strlen(name) > FIELDS_NAME_MAX)
		return err_set(err, ERR_INVALID, "the name of a parameter is empty or too long");
	if (!json_object_is_type(value, json_type_array))
		return take_scalar(name, value, f, err);
	for (size_t i = 0; r == 0 && i < json_object_array_length(value); i++)
		r = take_scalar(name, json_object_array_get_idx(value, i), f, err);
	return r;
}

int parse_json(const char *text, size_t size, struct fields *ret, struct err *err)
{
	struct json_object *root = NULL;
	int r = json_parse(text, size, BODY_MAX, &root, err);

	if (r < 0)
		return err_set(err, ERR_INVALID, "the body is not JSON that can be read: %s",
			       err->message);
	if (!json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		return err_set(err, ERR_INVALID, "the body must be a JSON object");
	}
	json_object_object_foreach(root, name, value)
	{
		r = take_member(name, value, ret, err);
		if (r < 0)
			break;
	}
	json_object_put(root);
	return r;
}
