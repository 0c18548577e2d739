/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: ask a container to halt. */
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

#define DEFAULT_TIMEOUT 60 /* s */

int vzshutdown_run(struct task_ctx *task, struct err *err)
{
	struct ct_record record;
	int r;

	if ((r = ct_require_running(task->guest, &record, err)) < 0)
		return r;
	return ct_shutdown(task, &record, ct_timeout_arg(task, DEFAULT_TIMEOUT),
			   ct_bool_arg(task, "forceStop"), err);
}
