/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /lodge/check: what a call would be told of its parameters, without the call. Lodge's own and no part of the
 * contract: forms say with it what is wrong while it is typed. Only the route tables are looked at. Core's loop. */
#include <json-c/json.h>
#include <string.h>

#include "agent/api/match.h"
#include "agent/api/validate.h"
#include "agent/base/str.h"

#define PARAMS_MAX (128 * 1024)
#define NAMES_MAX  512

static void add_params(struct json_object *object, struct fields *ret)
{
	json_object_object_foreach(object, name, value)
		fields_add(ret, name, value ? json_object_get_string(value) : "");
}

static int read_params(const char *text, struct fields *ret, struct err *err)
{
	struct json_object *object;
	struct err why = ERR_INIT;
	int r = 0;

	if (json_parse(text, strlen(text), PARAMS_MAX, &object, &why) < 0)
		return err_field(err, "params", "%s", why.message);
	if (!json_object_is_type(object, json_type_object))
		r = err_field(err, "params", "value is not a JSON object");
	else if (json_object_object_length(object) > NAMES_MAX)
		r = err_field(err, "params", "more than %d names", NAMES_MAX);
	else
		add_params(object, ret);
	json_object_put(object);
	return r;
}

static void write_errors(struct json *j, const struct fields *errors)
{
	json_object_begin(j);
	json_key(j, "errors");
	json_object_begin(j);
	for (size_t i = 0; i < errors->count; i++)
		json_kv_string(j, errors->items[i].name, errors->items[i].value);
	json_object_end(j);
	json_object_end(j);
}

static int check_call(struct api_request *req, struct err *err)
{
	autofields in_path = FIELDS_INIT, given = FIELDS_INIT;
	autofields valid = FIELDS_INIT, errors = FIELDS_INIT;
	const struct api_route *route;
	enum api_verb verb;
	int r = read_params(api_str(req, "params"), &given, err);

	if (r < 0)
		return r;
	if (!api_verb_from_name(api_str(req, "method"), &verb) ||
	    !(route = api_match(api_routes(), verb, api_str(req, "path"), &in_path)))
		return err_field(err, "path", "there is no such call");
	api_validate(route, &in_path, &given, &valid, &errors);
	write_errors(&req->json, &errors);
	return 0;
}

static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", NULL};

static const struct param params[] = {
	{.name = "method", .choices = methods, .text = "Of the call."},
	{.name = "path", .has_max = true, .max = 1024, .text = "Of the call, as /nodes/NAME/lxc."},
	{.name = "params",
	 .has_max = true,
	 .max = PARAMS_MAX,
	 .is_secret = true,
	 .text = "A JSON object of the call's parameters."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/lodge/check",
	 .text = "Say what is wrong with the parameters of a call that is not made.",
	 .params = params,
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"object\",\"properties\":{\"errors\":{\"type\":\"object\"}}}",
	 .handle = check_call},
};

const struct api_table api_table_check = {routes, ARRAY_SIZE(routes)};
