/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /version and /nodes/{node}/version. Core's loop. */
#include "agent/api/version.h"
#include "agent/api/api.h"

static int get_version(struct api_request *req, struct err *err)
{
	(void)err;
	json_object_begin(&req->json);
	json_kv_string(&req->json, "version", API_CONTRACT_VERSION);
	json_kv_string(&req->json, "release", API_CONTRACT_RELEASE);
	json_kv_string(&req->json, "repoid", API_CONTRACT_REPOID);
	json_kv_string(&req->json, "lodge", LODGE_VERSION);
	json_object_end(&req->json);
	return 0;
}

static const struct param node_params[] = {
	PARAM_NODE,
	PARAM_END,
};

#define VERSION                                                                                    \
	"{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"string\"},"                  \
	"\"release\":{\"type\":\"string\"},\"repoid\":{\"type\":\"string\"},"                      \
	"\"lodge\":{\"type\":\"string\"}}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/version",
	 .text = "Version of the API and of Lodge.",
	 .permission = {.kind = API_USER},
	 .returns = VERSION,
	 .handle = get_version},
	{.verb = API_GET,
	 .path = "/nodes/{node}/version",
	 .text = "Version of the API and of Lodge on one node.",
	 .params = node_params,
	 .permission = {.kind = API_USER},
	 .returns = VERSION,
	 .handle = get_version},
};

const struct api_table api_table_version = {routes, ARRAY_SIZE(routes)};
