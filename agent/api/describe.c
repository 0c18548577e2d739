/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine-readable description of all routes, made from their tables: GET /lodge/api, which is
 * Lodge's own and no part of the contract. Core's loop. */
#include <string.h>

#include "agent/api/match.h"
#include "agent/base/str.h"

static void describe_params(struct json *j, const struct param *p)
{
	for (; p && p->name; p++) {
		json_key(j, p->name);
		param_to_json(j, p);
	}
}

static void describe_check(struct json *j, const struct api_permission *permission)
{
	autostrv char **privs = str_split(permission->privs, "|, ");
	json_kv_string(j, "path", permission->path);
	json_key(j, "privs");
	json_array_begin(j);
	for (size_t i = 0; privs[i]; i++)
		json_string(j, privs[i]);
	json_array_end(j);
	json_kv_bool(j, "any", permission->any);
}

static void describe_permission(struct json *j, const struct api_permission *permission)
{
	static const char *const kinds[] = {[API_WORLD] = "world",
					    [API_USER] = "user",
					    [API_CHECK] = "check",
					    [API_HANDLER] = "handler"};
	json_key(j, "permissions");
	json_object_begin(j);
	json_kv_string(j, "kind", kinds[permission->kind]);
	if (permission->kind == API_CHECK)
		describe_check(j, permission);
	if (permission->text)
		json_kv_string(j, "description", permission->text);
	json_object_end(j);
}

static void describe_route(struct json *j, const struct api_route *route)
{
	json_object_begin(j);
	json_kv_string(j, "path", route->path);
	json_kv_string(j, "method", api_verb_name(route->verb));
	json_kv_string(j, "description", route->text ? route->text : "");
	json_key(j, "params");
	json_object_begin(j);
	describe_params(j, route->params);
	describe_params(j, route->more);
	json_object_end(j);
	json_key(j, "returns");
	if (route->returns)
		json_raw(j, route->returns, strlen(route->returns));
	else
		json_null(j);
	describe_permission(j, &route->permission);
	json_kv_bool(j, "token", !route->no_token);
	json_kv_bool(j, "upload", route->takes_upload);
	json_object_end(j);
}

void api_describe(struct json *j)
{
	json_array_begin(j);
	for (const struct api_table *const *table = api_tables; *table; table++) {
		for (size_t i = 0; i < (*table)->count; i++)
			describe_route(j, &(*table)->routes[i]);
	}
	json_array_end(j);
}

static int get_description(struct api_request *req, struct err *err)
{
	(void)err;
	api_describe(&req->json);
	return 0;
}

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/lodge/api",
	 .text = "Describe every route: parameters, returned data, permissions.",
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{}}}",
	 .handle = get_description},
};

const struct api_table api_table_describe = {routes, ARRAY_SIZE(routes)};
