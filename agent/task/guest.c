/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs tell the core of guests, ask it, and have it do with them. Runs in job processes. */
#include "agent/task/task.h"

#include <poll.h>

#include "agent/base/digest.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/core_call.h"
#include "agent/task/internal.h"

#define CORE_WAIT	(60 * USEC_PER_SEC)
#define CALL_DEADLINE	(20 * 1000) /* ms, of one attempt */
#define GUEST_TELL_WAIT (5 * USEC_PER_SEC)
#define REASON_WAIT	(1 * USEC_PER_SEC)
#define REASON_STEP_MS	50
#define REQUEST_ID_SIZE 16
#define ASK_AGAIN_MS	200

void task_guest_state(unsigned vmid, const char *state, pid_t pid)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	uint64_t start = pid > 0 ? exec_pid_start(pid) : 0;

	/* It ended meanwhile: whoever saw its end has told so, and must not be contradicted. */
	if (pid > 0 && start == 0)
		return;
	call.op = CALL_GUEST_STATE;
	call.deadline_ms = GUEST_TELL_WAIT / USEC_PER_MSEC;
	fields_addf(&call.head, "vmid", "%u", vmid);
	fields_add(&call.head, "kind", "lxc");
	fields_add(&call.head, "state", state);
	if (pid > 0) {
		fields_addf(&call.head, "pid", "%d", (int)pid);
		fields_addf(&call.head, "pid_start", "%llu", (unsigned long long)start);
	}
	(void)task_call_core(&call, clock_monotonic() + GUEST_TELL_WAIT, true, &reply, NULL);
	reply_fini(&reply);
	call_fini(&call);
}

static void name_request(struct call *call)
{
	uint8_t id[REQUEST_ID_SIZE];
	autobuf hex = BUF_INIT;

	random_bytes(id, sizeof(id));
	digest_hex(id, sizeof(id), &hex);
	fields_add(&call->head, "request", buf_str(&hex));
}

static int ask_job(const struct call *call, usec_t deadline, char ret_upid[UPID_MAX],
		   struct err *err)
{
	struct reply reply = REPLY_INIT;
	const char *upid;
	int r = task_call_core(call, deadline, true, &reply, err);

	if (r == 0)
		r = task_reply_error(&reply, fields_get(&call->head, "verb"), err);
	upid = fields_get(&reply.head, "upid");
	if (r == 0 && (!upid || !str_copy(ret_upid, UPID_MAX, upid)))
		r = err_set(err, ERR_CORRUPT, "the core names no task");
	reply_fini(&reply);
	return r;
}

int task_guest_job(const struct task_ctx *task, unsigned vmid, const char *mark, const char *verb,
		   const struct fields *args, char ret_upid[UPID_MAX], struct err *err)
{
	usec_t deadline = clock_monotonic() + CORE_WAIT;
	struct pollfd cancel = {.fd = task_cancel_fd(), .events = POLLIN};
	struct call call = CALL_INIT;
	int r;

	call.op = CALL_GUEST_JOB;
	call.deadline_ms = CALL_DEADLINE;
	fields_addf(&call.head, "vmid", "%u", vmid);
	fields_add(&call.head, "verb", verb);
	fields_add(&call.head, "user", task->user);
	fields_add(&call.head, "mark", mark);
	name_request(&call);
	if (args)
		fields_copy(&call.params, args);
	while ((r = ask_job(&call, deadline, ret_upid, err)) == -ERR_UNKNOWN &&
	       clock_left_ms(deadline) > 0 && task_check_cancelled(NULL) == 0)
		(void)poll(&cancel, 1, ASK_AGAIN_MS);
	call_fini(&call);
	return r;
}

int task_guest_is_stopped(unsigned vmid, struct err *err)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	int r;

	call.op = CALL_GUEST_END;
	call.deadline_ms = CALL_DEADLINE;
	fields_addf(&call.head, "vmid", "%u", vmid);
	if ((r = task_call_core(&call, clock_monotonic() + CORE_WAIT, true, &reply, err)) == 0 &&
	    (r = task_reply_error(&reply, "state", err)) == 0)
		r = str_eq(fields_get(&reply.head, "state"), "stopped");
	reply_fini(&reply);
	call_fini(&call);
	return r;
}

static bool ask_end(unsigned vmid, struct buf *ret)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	const char *reason, *code, *sig;

	call.op = CALL_GUEST_END;
	call.deadline_ms = REASON_WAIT / USEC_PER_MSEC;
	fields_addf(&call.head, "vmid", "%u", vmid);
	(void)task_call_core(&call, clock_monotonic() + REASON_WAIT, true, &reply, NULL);
	reason = fields_get(&reply.head, "reason");
	code = fields_get(&reply.head, "exit_code");
	sig = fields_get(&reply.head, "exit_signal");
	if (reason)
		buf_addf(ret, "%s%s%s", reason,
			 code  ? ", code "
			 : sig ? ", signal "
			       : "",
			 code  ? code
			 : sig ? sig
			       : "");
	reply_fini(&reply);
	call_fini(&call);
	return ret->size > 0;
}

void task_guest_reason(unsigned vmid, struct buf *ret)
{
	usec_t deadline = clock_monotonic() + REASON_WAIT;

	while (!ask_end(vmid, ret) && clock_left_ms(deadline) > 0)
		(void)poll(NULL, 0, REASON_STEP_MS);
	(void)buf_str(ret);
}
