/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start and reset of virtual machines; stop and shutdown are those of every guest. Runs on the core's
 * loop. */
#include "agent/api/guest_handlers.h"
#include "agent/api/qemu_handlers.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

int vm_handle_start(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_unlocked(req, &target, &args, err);

	if (r < 0)
		return r;
	/* a paused one may be what a start left that was given up: the job sees */
	if (target.fact->state == GUEST_RUNNING)
		return err_set(err, ERR_BUSY, "VM %u already running", target.vmid);
	if (str_eq(guest_config_get(target.guest->config, "template"), "1"))
		return err_set(err, ERR_BUSY, "you can't start a VM if it's a template");
	fields_add(&args, "timeout", api_str(req, "timeout"));
	return guest_request_job(
		req,
		&(struct guest_job){
			.ops = target.ops, .vmid = target.vmid, .verb = "start", .args = &args},
		err);
}

int vm_handle_reset(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_unlocked(req, &target, NULL, err);

	if (r < 0)
		return r;
	if (!guest_target_may_run(req, &target))
		return err_set(err, ERR_BUSY, "VM %u not running", target.vmid);
	return guest_request_job(
		req, &(struct guest_job){.ops = target.ops, .vmid = target.vmid, .verb = "reset"},
		err);
}
