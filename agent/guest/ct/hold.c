/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Freezing for snapshots. A mark beside the run record tells a later job that the container was not suspended by its
 * user. Runs in jobs. */
#include "agent/guest/ct/hold.h"

#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/mounted.h"
#include "agent/guest/ct/record.h"
#include "agent/task/guest/record.h"

#define FREEZE_WAIT (10 * USEC_PER_SEC)
#define SYNC_WAIT   (600 * USEC_PER_SEC)
#define HELD_WAIT   (60 * USEC_PER_SEC) /* for what came after that, while it stands still */
#define MARK	    ".held"

static bool is_marked(unsigned vmid)
{
	autofree char *path = path_join(path_run(), "guests/%u" MARK, vmid);

	return access(path, F_OK) == 0;
}

static int freeze(struct task_ctx *task, const struct cgroup_layout *layout, const char *groups,
		  struct err *err)
{
	struct fields none = FIELDS_INIT;
	struct err why = ERR_INIT;
	int r;

	if (cgroup_is_frozen(layout, groups, task->guest) && !is_marked(task->guest))
		return ct_mounted_sync(task, HELD_WAIT, err);
	/* most of it before, so that it stands still for a short time only */
	if ((r = ct_mounted_sync(task, SYNC_WAIT, err)) < 0 ||
	    (r = task_record_write_beside(task->guest, MARK, &none, err)) < 0)
		return r;
	r = cgroup_freeze(layout, groups, task->guest, true, clock_monotonic() + FREEZE_WAIT, err);
	if (r == 0)
		r = ct_mounted_sync(task, HELD_WAIT, err);
	if (r < 0 && ct_hold(task, false, &why) < 0)
		task_leave(task, "the container stands still: %s", why.message);
	return r;
}

static int thaw(struct task_ctx *task, const struct cgroup_layout *layout, const char *groups,
		struct err *err)
{
	int r = cgroup_freeze(layout, groups, task->guest, false, clock_monotonic() + FREEZE_WAIT,
			      err);

	if (r == 0)
		task_record_remove_beside(task->guest, MARK);
	return r;
}

int ct_hold(struct task_ctx *task, bool on, struct err *err)
{
	struct cgroup_layout layout;
	struct ct_record record;
	autobuf groups = BUF_INIT;
	int r;

	if (!on && !is_marked(task->guest)) {
		task_record_remove_beside(task->guest, MARK); /* one that was begun */
		return 0;
	}
	if (!ct_find_running(task->guest, &record)) {
		task_record_remove_beside(task->guest, MARK);
		return on ? ct_require_settled(task, err) : 0;
	}
	if ((r = ct_groups_read(&record, &groups, err)) < 0)
		return r;
	cgroup_layout_read(&layout);
	return on ? freeze(task, &layout, buf_str(&groups), err)
		  : thaw(task, &layout, buf_str(&groups), err);
}
