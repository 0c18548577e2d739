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
#include "agent/task/guest/record.h"
#include "agent/task/internal.h"

#define KILL_WAIT    (30 * USEC_PER_SEC)
#define MONITOR_WAIT (30 * USEC_PER_SEC)
#define THAW_WAIT    (5 * USEC_PER_SEC)

int ct_require_running(unsigned vmid, struct ct_record *ret, struct err *err)
{
	if (!ct_find_running(vmid, ret))
		return err_set(err, ERR_BUSY, "CT %u not running", vmid);
	return 0;
}

int ct_require_stopped(unsigned vmid, struct err *err)
{
	struct ct_record record;
	autofd int monitor = -1;

	if (ct_find_running(vmid, &record))
		return err_set(err, ERR_BUSY, "CT %u already running", vmid);
	/* init is gone, but its monitor may not have cleaned up yet */
	if (ct_record_read(vmid, &record, NULL) == 0)
		monitor = task_open_pid(record.monitor, record.monitor_start);
	if (monitor >= 0 && task_wait_pidfd(monitor, clock_monotonic() + MONITOR_WAIT, err) < 0)
		return err_prefix(err, "CT %u is still stopping", vmid);
	return 0;
}

static int send_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* The monitor runs the post-stop hook, unmounts the root and exits. One that does not is ended, and
 * its work done here. */
static int finish_stop(struct task_ctx *task, const struct ct_record *record, int monitor,
		       struct err *err)
{
	int r = monitor < 0 ? 0 : task_wait_pidfd(monitor, clock_monotonic() + MONITOR_WAIT, err);

	if (r == -ERR_TIMEOUT) {
		task_warn(task, "the container's monitor hangs: ended by force");
		send_signal(monitor, SIGKILL);
		r = task_wait_pidfd(monitor, clock_monotonic() + KILL_WAIT, err);
	}
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
	const struct fields none = {0};
	struct err err = ERR_INIT;

	(void)task_record_write_beside(task->guest, CT_ASKED_SUFFIX, &none, NULL);
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
