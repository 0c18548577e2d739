/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request as the gate may send it: path, then encoded parameters; matched and validated. */
#include <stdlib.h>
#include <string.h>

#include "agent/api/match.h"
#include "agent/api/reply.h"
#include "agent/api/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct param params[] = {
	{.name = "node", .format = "pve-node"},
	{.name = "vmid", .type = PARAM_INTEGER, .has_min = true, .min = 100},
	{.name = "start", .type = PARAM_BOOLEAN, .optional = true},
	{.name = "limit", .type = PARAM_NUMBER, .optional = true},
	{.name = "command", .type = PARAM_ARRAY, .optional = true},
	{.name = "net[n]", .optional = true},
	{.name = "size", .optional = true, .pattern = "[0-9]+[MG]?"},
	PARAM_END,
};
static const struct api_route routes[] = {
	{.verb = API_GET, .path = "/"},
	{.verb = API_GET, .path = "/nodes/{node}/lxc/{vmid}", .params = params},
	{.verb = API_GET, .path = "/nodes/{node}/content/{volume}", .params = params},
};
static const struct api_table table = {routes, ARRAY_SIZE(routes)};
static const struct api_table *const tables[] = {&table, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct api_matcher *matcher;
	autofields path_params = FIELDS_INIT, given = FIELDS_INIT, ret = FIELDS_INIT,
		   errors = FIELDS_INIT;
	struct reply reply = REPLY_INIT;
	if (!matcher)
		matcher = api_matcher_new(tables);
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	if (!end)
		return 0;
	autofree char *path = xstrndup((const char *)data, (size_t)(end - data));
	struct cursor c = cursor_on(end + 1, size - (size_t)(end + 1 - data));
	const struct api_route *route = api_match(matcher, API_GET, path, &path_params);
	if (!route || fields_decode(&c, &given, NULL) < 0)
		return 0;
	bool is_valid = api_validate(route, &path_params, &given, &ret, &errors);
	if (is_valid != (errors.count == 0))
		abort();
	api_reply_error(&reply, 400, "Parameter verification failed.", &errors);
	reply_fini(&reply);
	return 0;
}
