/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: freeze a container's processes, and let them go on. */
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

#define FREEZE_WAIT (10 * USEC_PER_SEC)

static int set_frozen(struct task_ctx *task, bool freeze, struct err *err)
{
	struct cgroup_layout layout;
	struct ct_record record;
	autobuf groups = BUF_INIT;
	int r;

	if ((r = ct_require_running(task->guest, &record, err)) < 0 ||
	    (r = ct_groups_read(&record, &groups, err)) < 0)
		return r;
	cgroup_layout_read(&layout);
	if (cgroup_is_frozen(&layout, buf_str(&groups), task->guest) == freeze)
		return err_set(err, ERR_BUSY, "CT %u is %s", task->guest,
			       freeze ? "suspended already" : "not suspended");
	r = cgroup_freeze(&layout, buf_str(&groups), task->guest, freeze,
			  clock_monotonic() + FREEZE_WAIT, err);
	if (r == 0)
		task_guest_state(task->guest, freeze ? "paused" : "running", record.pid);
	return r;
}

int vzsuspend_run(struct task_ctx *task, struct err *err)
{
	return set_frozen(task, true, err);
}

int vzresume_run(struct task_ctx *task, struct err *err)
{
	return set_frozen(task, false, err);
}
