/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: undo a creation whose job died. Finds everything in the stored configuration. */
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/guest/creation.h"

int vzcreate_undo_run(struct task_ctx *task, struct err *err)
{
	const struct guest_creation creation = {.ops = &guest_kind_ct, .clean = ct_clean};

	task_log("removing what an unfinished creation of CT %u left", task->guest);
	return guest_creation_undo(task, &creation, err);
}
