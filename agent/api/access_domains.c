/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/domains: the realms. Core's loop. */
#include "agent/api/api.h"

static const struct {
	const char *name, *comment;
	bool is_default;
} realms[] = {
	{"pam", "Users of the operating system", false},
	{"pve", "Users kept by Lodge", true},
};

static int list_domains(struct api_request *req, struct err *err)
{
	struct json *j = &req->json;

	(void)err;
	json_array_begin(j);
	for (size_t i = 0; i < ARRAY_SIZE(realms); i++) {
		json_object_begin(j);
		json_kv_string(j, "realm", realms[i].name);
		json_kv_string(j, "type", realms[i].name);
		json_kv_string(j, "comment", realms[i].comment);
		if (realms[i].is_default)
			json_kv_bool(j, "default", true);
		json_object_end(j);
	}
	json_array_end(j);
	return 0;
}

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/domains",
	 .text = "List the realms that users log in to.",
	 .permission = {.kind = API_WORLD},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"comment\":{\"type\":\"string\",\"optional\":1},"
		    "\"realm\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"}}}}",
	 .handle = list_domains},
};

const struct api_table api_table_access_domains = {routes, ARRAY_SIZE(routes)};
