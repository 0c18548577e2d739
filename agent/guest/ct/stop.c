/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends containers by signals to their init, never through liblxc's command socket, which has no
 * deadline. Runs in jobs. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/str.h"
#include "agent/base/fd.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/hookscript.h"
#include "agent/guest/ct/mounted.h"
#include "agent/task/guest/record.h"
#include "agent/task/internal.h"

#define KILL_WAIT    (30 * USEC_PER_SEC)
#define MONITOR_WAIT (30 * USEC_PER_SEC)  /* from init's end to that of the hooks */
#define UNMOUNT_WAIT (300 * USEC_PER_SEC) /* what a memory held is written out */
#define SHORT_WAIT   (10 * USEC_PER_SEC)  /* for who has a volume, and is none of ours that ends */
#define THAW_WAIT    (5 * USEC_PER_SEC)
#define SAY_AFTER    (2 * USEC_PER_SEC)

int ct_require_running(unsigned vmid, struct ct_record *ret, struct err *err)
{
	if (!ct_find_running(vmid, ret))
		return err_set(err, ERR_BUSY, "CT %u not running", vmid);
	return 0;
}

/* How long its hooks may take: the node's script has a deadline of its own. */
static usec_t hooks_wait(const struct ct_record *record)
{
	return MONITOR_WAIT + (record->script[0] ? CT_HOOKSCRIPT_WAIT : 0);
}

static int wait_for_monitor(unsigned vmid, const struct ct_record *record, struct err *err)
{
	autofd int monitor = task_open_pid(record->monitor, record->monitor_start);
	usec_t now = clock_monotonic();
	int r = monitor < 0 ? 0 : task_wait_pidfd(monitor, now + SAY_AFTER, err);

	if (r == -ERR_TIMEOUT) {
		task_log("waiting for the end of CT %u: its hooks, its volumes", vmid);
		r = task_wait_pidfd(monitor, now + hooks_wait(record) + UNMOUNT_WAIT, err);
	}
	return r < 0 ? err_prefix(err, "CT %u is still stopping", vmid) : 0;
}

int ct_require_stopped(unsigned vmid, struct err *err)
{
	struct ct_record record;

	if (ct_find_running(vmid, &record))
		return err_set(err, ERR_BUSY, "CT %u already running", vmid);
	return ct_monitor_read(vmid, &record, NULL) == 0 ? wait_for_monitor(vmid, &record, err) : 0;
}

int ct_require_settled(struct task_ctx *task, struct err *err)
{
	bool is_ending = ct_monitor_read(task->guest, &(struct ct_record){0}, NULL) == 0;
	int r = ct_require_stopped(task->guest, err);

	/* a script of the node, left behind by a monitor that was killed, keeps them mounted as well */
	return r < 0 ? r : ct_mounted_wait(task, is_ending ? UNMOUNT_WAIT : SHORT_WAIT, err);
}

static int send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* The monitor runs the post-stop hook, unmounts the volumes and exits. One whose hook does not come to its end is
 * ended; one that unmounts takes as long as that does. */
static int await_monitor(struct task_ctx *task, const struct ct_record *record, int monitor,
			 struct err *err)
{
	int r = task_wait_pidfd(monitor, clock_monotonic() + hooks_wait(record), err);

	if (r != -ERR_TIMEOUT)
		return r;
	if (ct_record_read(task->guest, &(struct ct_record){0}, NULL) == 0) {
		task_warn(task, "the container's monitor hangs: ended by force");
		send_signal(monitor, SIGKILL);
	}
	return task_wait_pidfd(monitor, clock_monotonic() + UNMOUNT_WAIT, err);
}

static int finish_stop(struct task_ctx *task, const struct ct_record *record, int monitor,
		       struct err *err)
{
	int r = monitor < 0 ? 0 : await_monitor(task, record, monitor, err);

	if (r < 0)
		return r;
	if (ct_record_read(task->guest, &(struct ct_record){0}, NULL) == 0)
		ct_note_stopped(task->guest, record->pid, "stop");
	ct_clean(task->guest);
	return 0;
}

/* What a script says against it stops nobody from stopping. */
static void announce(struct task_ctx *task, const struct ct_record *record)
{
	struct err err = ERR_INIT;

	(void)ct_asked_write(task->guest, NULL);
	if (ct_hookscript_run(record->script, task->guest, "pre-stop", &err) < 0)
		task_warn(task, "%s", err.message);
}

/* Signals wait for processes that are frozen. */
static void thaw(const struct task_ctx *task, const struct ct_record *record)
{
	usec_t deadline = clock_monotonic() + THAW_WAIT;
	struct cgroup_layout layout;
	autobuf groups = BUF_INIT;

	cgroup_layout_read(&layout);
	if (ct_groups_read(record, &groups, NULL) == 0 &&
	    cgroup_is_frozen(&layout, buf_str(&groups), task->guest))
		(void)cgroup_freeze(&layout, buf_str(&groups), task->guest, false, deadline, NULL);
}

static int end(struct task_ctx *task, const struct ct_record *record, struct err *err)
{
	autofd int init = task_open_pid(record->pid, record->pid_start);
	autofd int monitor = task_open_pid(record->monitor, record->monitor_start);
	int r = 0;

	if (init >= 0 && send_signal(init, SIGKILL) != 0 && errno != ESRCH)
		return err_errno(err, errno, "kill init of CT %u", task->guest);
	thaw(task, record);
	if (init >= 0)
		r = task_wait_pidfd(init, clock_monotonic() + KILL_WAIT, err);
	if (r < 0)
		return err_prefix(err, "CT %u does not end", task->guest);
	return finish_stop(task, record, monitor, err);
}

int ct_stop(struct task_ctx *task, const struct ct_record *record, struct err *err)
{
	announce(task, record);
	return end(task, record, err);
}

int ct_shutdown(struct task_ctx *task, const struct ct_record *record, unsigned timeout_s,
		bool force, struct err *err)
{
	autofd int init = task_open_pid(record->pid, record->pid_start);
	autofd int monitor = task_open_pid(record->monitor, record->monitor_start);
	int r = 0;

	announce(task, record);
	thaw(task, record);
	if (init >= 0 && send_signal(init, record->halt) != 0 && errno != ESRCH)
		return err_errno(err, errno, "signal init of CT %u", task->guest);
	if (init >= 0)
		r = task_wait_pidfd(init, clock_monotonic() + timeout_s * USEC_PER_SEC, err);
	/* it runs on: what ends it later is not what was asked for */
	if (r < 0 && !(r == -ERR_TIMEOUT && force))
		task_record_remove_beside(task->guest, CT_ASKED_SUFFIX);
	if (r == -ERR_TIMEOUT && !force)
		return err_set(err, ERR_TIMEOUT, "CT %u did not shut down within %u s", task->guest,
			       timeout_s);
	if (r == -ERR_TIMEOUT) {
		task_log("no reaction within %u s: stopping it by force", timeout_s);
		return end(task, record, err);
	}
	return r < 0 ? r : finish_stop(task, record, monitor, err);
}

unsigned ct_timeout_arg(const struct task_ctx *task, unsigned fallback)
{
	const char *text = fields_get(&task->args, "timeout");
	uint64_t value;

	return text && str_to_u64(text, &value) && value <= 7 * 24 * 3600 ? (unsigned)value
									  : fallback;
}

bool ct_bool_arg(const struct task_ctx *task, const char *name)
{
	const char *text = fields_get(&task->args, name);
	bool value = false;

	return text && str_to_bool(text, &value) && value;
}
