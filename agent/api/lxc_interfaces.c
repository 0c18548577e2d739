/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /nodes/{node}/lxc/{vmid}/interfaces: addresses inside a container, read by a helper that
 * joins its network namespace. Runs on the core's loop. */
#include <inttypes.h>

#include "agent/api/guest_handlers.h"
#include "agent/api/guest_request.h"
#include "agent/api/lxc_returns.h"

#define INTERFACES_TIMEOUT (2 * USEC_PER_SEC)

static int answer(struct api_request *req, struct buf *output, struct err *err)
{
	(void)err;
	json_raw(&req->json, output->data, output->size);
	return 0;
}

/* A container that does not run has no interfaces to show: null, as clients expect. */
static int handle_interfaces(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	if (!guest_target_is_running(&target) || target.fact->pid <= 0)
		return 0;
	fields_addf(&args, "pid", "%d", (int)target.fact->pid);
	fields_addf(&args, "pid_start", "%" PRIu64, target.fact->pid_start);
	return api_run_helper(req, "ct-interfaces", &args, INTERFACES_TIMEOUT, answer, err);
}

static const struct api_route routes[] = {
	{
		.verb = API_GET,
		.path = "/nodes/{node}/lxc/{vmid}/interfaces",
		.text = "Network interfaces and addresses inside a running container.",
		.params = guest_params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.Audit"},
		.returns = LXC_RETURNS_INTERFACES,
		.handle = handle_interfaces,
	},
};

const struct api_table api_table_lxc_interfaces = {routes, ARRAY_SIZE(routes)};
