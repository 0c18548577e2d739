/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: undo a creation whose job died. Finds everything in the stored configuration. */
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm_schema.h"
#include "agent/task/guest/creation.h"

int qmcreate_undo_run(struct task_ctx *task, struct err *err)
{
	task_log("removing what an unfinished creation of VM %u left", task->guest);
	return guest_creation_undo(task, &(struct guest_creation){.ops = &guest_kind_vm}, err);
}
