/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start, stop, shutdown, reboot and destruction of guests: checks that can be made at once, then a
 * job. The job checks the state again at its last safe moment. Runs on the core's loop. */
#include "agent/api/guest_handlers.h"
#include "agent/api/guest_request.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SHUTDOWN_TIMEOUT 60 /* seconds */

/* A state that is not known yet passes, as does one that is being started: the job will see. */
static int check_running(const struct api_request *req, const struct guest_target *target,
			 struct err *err)
{
	if (guest_target_may_run(req, target))
		return 0;
	return err_set(err, ERR_BUSY, "%s %u not running", target->ops->label, target->vmid);
}

int guest_handle_start(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_unlocked(req, &target, &args, err);

	if (r < 0)
		return r;
	if (api_bool(req, "debug", false))
		fields_add(&args, "debug", "1");
	if (guest_target_is_running(&target))
		return err_set(err, ERR_BUSY, "%s %u already running", target.ops->label,
			       target.vmid);
	if (str_eq(guest_config_get(target.guest->config, "template"), "1"))
		return err_set(err, ERR_BUSY, "you can't start a %s if it's a template",
			       target.ops->label);
	return guest_request_job(
		req,
		&(struct guest_job){
			.ops = target.ops, .vmid = target.vmid, .verb = "start", .args = &args},
		err);
}

/* Is this a running shutdown of that guest, which the caller may end? */
static bool may_overrule(const struct api_request *req, const struct guest_target *target,
			 const struct task *task)
{
	autofree char *type = xasprintf("%sshutdown", target->ops->task_prefix);
	autofree char *node = xasprintf("/nodes/%s", req->core->node);

	if (task->state != TASK_RUNNING || task->guest != target->vmid ||
	    !str_eq(task->id.type, type))
		return false;
	return str_eq(task->id.user, api_user(req)) || api_may(req, node, "Sys.Modify");
}

static void shutdowns_overrule(const struct api_request *req, const struct guest_target *target)
{
	struct jobs *jobs = req->core->jobs;

	for (const struct task *task = jobs_next(jobs, NULL); task; task = jobs_next(jobs, task)) {
		/* One that ends right now needs no stopping. */
		if (may_overrule(req, target, task))
			jobs_stop(jobs, task->upid, NULL);
	}
}

int guest_handle_stop(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_unlocked(req, &target, NULL, err);

	if (r == 0)
		r = check_running(req, &target, err);
	if (r < 0)
		return r;
	if (api_bool(req, "overrule-shutdown", false))
		shutdowns_overrule(req, &target);
	return guest_request_job(
		req, &(struct guest_job){.ops = target.ops, .vmid = target.vmid, .verb = "stop"},
		err);
}

static int freeze(struct api_request *req, const char *verb, bool wants_frozen, struct err *err)
{
	struct guest_target target;
	int r = guest_request_unlocked(req, &target, NULL, err);

	if (r == 0)
		r = check_running(req, &target, err);
	if (r < 0)
		return r;
	if ((target.fact->state == GUEST_PAUSED) == wants_frozen &&
	    target.fact->state != GUEST_UNKNOWN)
		return err_set(err, ERR_BUSY, "%s %u is %s", target.ops->label, target.vmid,
			       wants_frozen ? "suspended already" : "not suspended");
	return guest_request_job(
		req, &(struct guest_job){.ops = target.ops, .vmid = target.vmid, .verb = verb},
		err);
}

int ct_handle_suspend(struct api_request *req, struct err *err)
{
	return freeze(req, "suspend", true, err);
}

int ct_handle_resume(struct api_request *req, struct err *err)
{
	return freeze(req, "resume", false, err);
}

static int shutdown_start(struct api_request *req, const char *verb, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_unlocked(req, &target, NULL, err);

	if (r == 0)
		r = check_running(req, &target, err);
	if (r < 0)
		return r;
	fields_addf(&args, "timeout", "%lld", (long long)api_int(req, "timeout", SHUTDOWN_TIMEOUT));
	if (api_bool(req, "forceStop", false))
		fields_add(&args, "forceStop", "1");
	return guest_request_job(
		req,
		&(struct guest_job){
			.ops = target.ops, .vmid = target.vmid, .verb = verb, .args = &args},
		err);
}

int guest_handle_shutdown(struct api_request *req, struct err *err)
{
	return shutdown_start(req, "shutdown", err);
}

int guest_handle_reboot(struct api_request *req, struct err *err)
{
	return shutdown_start(req, "reboot", err);
}

static int check_protection(const struct guest_target *target, struct err *err)
{
	if (!guest_config_flag(target->guest->config, "protection"))
		return 0;
	return err_set(err, ERR_BUSY, "can't remove %s %u - protection mode enabled",
		       target->ops->label, target->vmid);
}

int guest_handle_destroy(struct api_request *req, struct err *err)
{
	static const char *const flags[] = {"force", "purge", "destroy-unreferenced-disks",
					    "skiplock"};
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = guest_request_check_lock(req, &target, "destroyed", err);
	if (r == 0)
		r = check_protection(&target, err);
	if (r < 0)
		return r;
	if (guest_target_is_running(&target) && !api_bool(req, "force", false))
		return err_set(err, ERR_BUSY, "unable to destroy %s %u - %s is running",
			       target.ops->label, target.vmid, target.ops->noun);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (api_bool(req, flags[i], false))
			fields_add(&args, flags[i], "1");
	}
	autofree char *undo = xasprintf("%sdestroy", target.ops->task_prefix);

	return guest_request_job(req,
				 &(struct guest_job){.ops = target.ops,
						     .vmid = target.vmid,
						     .verb = "destroy",
						     .undo = undo,
						     .args = &args},
				 err);
}
