/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded JSON parsing by json-c. */
#include "agent/base/json.h"

#include <limits.h>
#include <json-c/json.h>

/* json-c 0.16 takes 'single quotes', NaN, Infinity and comments even when strict. They all need a
 * character that JSON has in strings only. */
static bool is_beyond_json(const char *text, size_t size)
{
	bool in_string = false;

	for (size_t i = 0; i < size; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '\'' || text[i] == '/' || text[i] == 'N' || text[i] == 'I'))
			return true;
	}
	return false;
}

int json_parse(const char *text, size_t size, size_t limit, struct json_object **ret,
	       struct err *err)
{
	struct json_tokener *tokener;
	struct json_object *o;
	size_t used;
	int r = 0;

	if (size > limit || size >= INT_MAX)
		return err_set(err, ERR_LIMIT, "JSON document is longer than %zu bytes", limit);
	if (is_beyond_json(text, size))
		return err_set(err, ERR_INVALID, "not a JSON document: unexpected character");
	tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		return err_set(err, ERR_INTERNAL, "out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tokener, text, (int)size);
	used = json_tokener_get_parse_end(tokener);
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		o = json_tokener_parse_ex(tokener, "", 1); /* a bare number ends with the input */
	if (json_tokener_get_error(tokener) != json_tokener_success)
		r = err_set(err, ERR_INVALID, "not a JSON document: %s",
			    json_tokener_error_desc(json_tokener_get_error(tokener)));
	else if (used < size)
		r = err_set(err, ERR_INVALID, "not a JSON document: text after its end");
	json_tokener_free(tokener);
	if (r < 0) {
		json_object_put(o);
		return r;
	}
	*ret = o;
	return 0;
}
