/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /nodes/{node}/status: reboots the node, or switches it off. A job asks systemd; guests are shut down by
 * lodge-guests.service on the way. Core's loop. */
#include "agent/api/api.h"
#include "agent/api/await.h"
#include "agent/base/str.h"

static int post_status(struct api_request *req, struct err *err)
{
	bool is_reboot = str_eq(api_str(req, "command"), "reboot");
	struct job_spec spec = {.program = JOB_HOST,
				.command = is_reboot ? "nodereboot" : "nodeshutdown",
				.user = api_user(req),
				.fd = -1};
	int r = api_check_node(req, err);

	return r < 0 ? r : api_await_job(req, &spec, err);
}

static const char *const commands[] = {"reboot", "shutdown", NULL};

static const struct param params[] = {
	PARAM_NODE,
	{.name = "command", .choices = commands, .text = "What to do."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/nodes/{node}/status",
	 .text = "Reboot the node or switch it off; its guests are shut down first.",
	 .params = params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.PowerMgmt"},
	 .returns = "{\"type\":\"null\"}",
	 .handle = post_status},
};

const struct api_table api_table_node_power = {routes, ARRAY_SIZE(routes)};
