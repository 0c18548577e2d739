/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: start a virtual machine. */
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"

int qmstart_run(struct task_ctx *task, struct err *err)
{
	return vm_start(task, err);
}
