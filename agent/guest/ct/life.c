/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers as jobs on volumes see them, and these jobs. Runs in jobs. */
#include "agent/guest/ct/life.h"

#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/grow.h"
#include "agent/guest/ct/hold.h"
#include "agent/guest/ct/renew.h"

static int require_stopped(struct task_ctx *task, struct err *err)
{
	struct ct_record record;

	if (ct_find_running(task->guest, &record))
		return err_set(err, ERR_BUSY, "CT %u is running", task->guest);
	return ct_require_settled(task, err);
}

static int stop(struct task_ctx *task, struct err *err)
{
	struct ct_record record;

	return ct_find_running(task->guest, &record) ? ct_stop(task, &record, err)
						     : ct_require_stopped(task->guest, err);
}

const struct life ct_life = {
	.ops = &guest_kind_ct,
	.disk_lock = "disk",
	.require_stopped = require_stopped,
	.hold = ct_hold,
	.stop = stop,
	.start = ct_start,
	.grow = ct_grow,
	.grow_running = ct_grow_check,
	.renew = ct_renew,
	.clean = ct_clean,
};

/* -- the jobs -- */

int vzsnapshot_run(struct task_ctx *task, struct err *err)
{
	return life_snapshot_run(task, &ct_life, err);
}

int vzsnapshot_undo_run(struct task_ctx *task, struct err *err)
{
	return life_snapshot_undo_run(task, &ct_life, err);
}

int vzdelsnapshot_run(struct task_ctx *task, struct err *err)
{
	return life_delsnapshot_run(task, &ct_life, err);
}

int vzrollback_run(struct task_ctx *task, struct err *err)
{
	return life_rollback_run(task, &ct_life, err);
}

int vzclone_run(struct task_ctx *task, struct err *err)
{
	return life_clone_run(task, &ct_life, err);
}

int vzclone_undo_run(struct task_ctx *task, struct err *err)
{
	return life_clone_undo_run(task, &ct_life, err);
}

int vzclone_release_run(struct task_ctx *task, struct err *err)
{
	return life_clone_release_run(task, &ct_life, err);
}

int vztemplate_run(struct task_ctx *task, struct err *err)
{
	return life_template_run(task, &ct_life, err);
}

int vzresize_run(struct task_ctx *task, struct err *err)
{
	return life_resize_run(task, &ct_life, err);
}

int vzmove_run(struct task_ctx *task, struct err *err)
{
	return life_move_run(task, &ct_life, err);
}

int vzmove_undo_run(struct task_ctx *task, struct err *err)
{
	return life_move_undo_run(task, &ct_life, err);
}
