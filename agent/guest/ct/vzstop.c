/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: end a container at once. */
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

int vzstop_run(struct task_ctx *task, struct err *err)
{
	struct ct_record record;
	int r;

	if ((r = ct_require_running(task->guest, &record, err)) < 0)
		return r;
	return ct_stop(task, &record, err);
}
