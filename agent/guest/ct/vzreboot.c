/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: halt a container and start it again, with its pending changes. */
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

#define DEFAULT_TIMEOUT 60 /* s */

int vzreboot_run(struct task_ctx *task, struct err *err)
{
	struct ct_record record;
	int r;

	if ((r = ct_require_running(task->guest, &record, err)) < 0 ||
	    (r = ct_shutdown(task, &record, ct_timeout_arg(task, DEFAULT_TIMEOUT), false, err)) < 0)
		return r;
	return ct_start(task, err);
}
