/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: start a container. */
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

int vzstart_run(struct task_ctx *task, struct err *err)
{
	return ct_start(task, err);
}
