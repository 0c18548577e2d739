/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bridges that somebody may choose. Runs on the core's loop. */
#include "agent/api/node_bridges.h"

#include <json-c/json.h>
#include <string.h>

#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

bool api_bridges_are_asked(const struct api_request *req)
{
	static const char *const types[] = {"any_bridge", "any_local_bridge", "include_sdn"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(api_str(req, "type"), types[i]))
			return true;
	return false;
}

static const char *member(struct json_object *item, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(item, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

static bool is_shown(const struct api_request *req, struct json_object *item)
{
	return !str_eq(member(item, "type"), "bridge") ||
	       rights_on_bridge(req->core->access, &req->who, member(item, "iface"),
				PRIV(SDN_AUDIT) | PRIV(SDN_USE));
}

int api_bridges_write(struct api_request *req, const char *text, size_t size, struct err *err)
{
	struct json_object *list = NULL;
	int r = json_parse(text, size, size, &list, err);

	if (r < 0)
		return r;
	if (!json_object_is_type(list, json_type_array)) {
		json_object_put(list);
		return err_set(err, ERR_INTERNAL, "the helper's list is none");
	}
	json_array_begin(&req->json);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *shown;

		if (!is_shown(req, item))
			continue;
		shown = json_object_to_json_string_ext(
			item, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		json_raw(&req->json, shown, strlen(shown));
	}
	json_array_end(&req->json);
	json_object_put(list);
	return 0;
}
