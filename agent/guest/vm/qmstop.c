/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: end a virtual machine at once. */
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"

int qmstop_run(struct task_ctx *task, struct err *err)
{
	struct vm_record record;
	struct hv *hv;
	int r = vm_require_running(task, &hv, &record, err);

	return r < 0 ? r : vm_stop(task, hv, &record, err);
}
