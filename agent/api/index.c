/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Index routes: what lies below a path, read from the routes themselves. Core's loop. */
#include "agent/api/match.h"

struct index {
	struct json *json;
	const char *key;
};

static void add_child(const char *name, void *ctx)
{
	struct index *index = ctx;
	json_object_begin(index->json);
	json_kv_string(index->json, index->key, name);
	json_object_end(index->json);
}

static int write_index(struct api_request *req, const char *key)
{
	struct index index = {&req->json, key};
	json_array_begin(&req->json);
	api_match_children(api_routes(), req->route->path, add_child, &index);
	json_array_end(&req->json);
	return 0;
}

int api_index_names(struct api_request *req, struct err *err)
{
	(void)err;
	return write_index(req, "name");
}

int api_index_subdirs(struct api_request *req, struct err *err)
{
	(void)err;
	return write_index(req, "subdir");
}

#define LIST "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{}}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/",
	 .text = "List the top folders.",
	 .permission = {.kind = API_USER},
	 .returns = LIST,
	 .handle = api_index_subdirs},
};

const struct api_table api_table_index = {routes, ARRAY_SIZE(routes)};
