/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the guest of a request, checks its lock and the caller's rights, starts its jobs. Runs on
 * the core's loop; never waits. */
#include "agent/api/guest_request.h"

#include <stdio.h>

#include "agent/api/await.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

const struct guest_kind_ops *guest_request_ops(const struct api_request *req)
{
	return guest_kind_by_route(req->route->path);
}

enum guest_kind guest_request_kind(const struct guest_kind_ops *ops)
{
	return str_eq(ops->name, guest_kind_name(GUEST_LXC)) ? GUEST_LXC : GUEST_QEMU;
}

int guest_request_target(const struct api_request *req, struct guest_target *ret, struct err *err)
{
	struct guest_target target = {.ops = guest_request_ops(req), .vmid = api_vmid(req)};
	int r = api_check_node(req, err);

	if (r < 0)
		return r;
	target.guest = guests_find(req->core->guests, target.vmid);
	if (!target.guest || target.guest->kind != guest_request_kind(target.ops) ||
	    !str_eq(target.guest->node, req->core->node))
		return err_set(err, ERR_NOT_FOUND,
			       "Configuration file 'nodes/%s/%s/%u.conf' does not exist",
			       req->core->node, target.ops->name, target.vmid);
	if (target.guest->config_is_bad || !target.guest->config)
		return err_set(err, ERR_CORRUPT, "configuration of %s %u cannot be read",
			       target.ops->label, target.vmid);
	target.fact = facts_guest(req->core->facts, target.vmid);
	*ret = target;
	return 0;
}

bool guest_request_is_root(const struct api_request *req)
{
	return str_eq(req->who.userid, "root@pam") && !req->who.is_token;
}

int guest_target_check_lock(const struct guest_target *target, const char *allowed, struct err *err)
{
	const char *lock = guest_config_get(target->guest->config, "lock");

	if (!lock || (allowed && str_eq(lock, allowed)))
		return 0;
	return err_set(err, ERR_BUSY, "%s is locked (%s)", target->ops->label, lock);
}

int guest_request_check_lock(const struct api_request *req, const struct guest_target *target,
			     const char *allowed, struct err *err)
{
	if (!api_bool(req, "skiplock", false))
		return guest_target_check_lock(target, allowed, err);
	return guest_request_is_root(req)
		       ? 0
		       : err_field(err, "skiplock", "Only root may use this option.");
}

int guest_request_unlocked(const struct api_request *req, struct guest_target *ret,
			   struct fields *args, struct err *err)
{
	int r = guest_request_target(req, ret, err);

	if (r == 0)
		r = guest_request_check_lock(req, ret, NULL, err);
	if (r == 0 && args && api_bool(req, "skiplock", false))
		fields_add(args, "skiplock", "1");
	return r;
}

bool guest_target_is_running(const struct guest_target *target)
{
	return target->fact->state == GUEST_RUNNING || target->fact->state == GUEST_PAUSED;
}

bool guest_target_may_run(const struct api_request *req, const struct guest_target *target)
{
	return target->fact->state != GUEST_STOPPED ||
	       jobs_guest_may_start(req->core->jobs, target->vmid);
}

int guest_request_job(struct api_request *req, const struct guest_job *job, struct err *err)
{
	autofree char *command = xasprintf("%s%s", job->ops->task_prefix, job->verb);
	autofree char *id = xasprintf("%u", job->id ? job->id : job->vmid);
	struct job_spec spec = {
		.program = guest_request_kind(job->ops) == GUEST_LXC ? JOB_CT : JOB_VM,
		.command = command,
		.id = id,
		.user = api_user(req),
		.guest = job->vmid,
		.other = job->other,
		.type = job->type,
		.args = job->args,
		.fd = -1,
		.undo = job->undo,
	};

	return job->is_awaited ? api_await_job(req, &spec, err) : api_start_job(req, &spec, err);
}
