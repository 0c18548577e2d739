/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of guests, their indexes and status/current. Runs on the core's loop, reads memory only. */
#include "agent/api/guest_handlers.h"
#include "agent/api/guest_request.h"
#include "agent/api/guest_status.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static bool may_see(const struct api_request *req, unsigned vmid, privset audit)
{
	autofree char *path = xasprintf("/vms/%u", vmid);

	return (access_privileges(req->core->access, &req->who, path) & audit) != 0;
}

static void status_write(struct api_request *req, const struct guest_kind_ops *ops,
			 const struct guest *guest, bool with_ha)
{
	guest_status_write(
		&(struct guest_status){
			.ops = ops,
			.vmid = guest->vmid,
			.config = guest->config_is_bad ? NULL : guest->config,
			.fact = facts_guest(req->core->facts, guest->vmid),
			.node_cpus = facts_node(req->core->facts)->cpus,
			.now = clock_monotonic(),
			.with_ha = with_ha,
		},
		&req->json);
}

int guest_handle_list(struct api_request *req, struct err *err)
{
	const struct guest_kind_ops *ops = guest_request_ops(req);
	privset audit;
	int r = api_check_node(req, err);

	if (r == 0)
		r = privset_from_names("VM.Audit", &audit, err);
	if (r < 0)
		return r;
	json_array_begin(&req->json);
	for (const struct guest *g = guests_next(req->core->guests, 0); g;
	     g = guests_next(req->core->guests, g->vmid)) {
		if (g->kind == guest_request_kind(ops) && str_eq(g->node, req->core->node) &&
		    may_see(req, g->vmid, audit))
			status_write(req, ops, g, false);
	}
	json_array_end(&req->json);
	return 0;
}

int guest_handle_status_current(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	status_write(req, target.ops, target.guest, true);
	return 0;
}

int guest_handle_index(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	return r < 0 ? r : api_index_subdirs(req, err);
}
