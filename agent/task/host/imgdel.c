/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job imgdel: removes one volume. Whether a guest still uses it was the caller's question. */
#include "agent/task/host/jobs.h"

#include "agent/task/host/volume.h"

int job_imgdel(struct task_ctx *task, struct err *err)
{
	autotarget target = {0};
	int r = volume_target_volume(&task->args, &target, err);
	if (r == 0)
		r = target.driver->free(&target.def, &target.volume, err);
	if (r == 0)
		task_log("removed volume '%s:%s'", target.volume.storage, target.volume.name);
	return r;
}
