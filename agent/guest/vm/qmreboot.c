/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: shut a virtual machine down and start it again, with its pending changes. */
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"

#define DEFAULT_TIMEOUT 60 /* s */

int qmreboot_run(struct task_ctx *task, struct err *err)
{
	struct vm_record record;
	struct hv *hv;
	int r;

	if ((r = vm_require_running(task, &hv, &record, err)) < 0 ||
	    (r = vm_shutdown(task, hv, &record, vm_timeout_arg(task, DEFAULT_TIMEOUT), false,
			     err)) < 0)
		return r;
	fields_remove(&task->args, "timeout"); /* the guest's, not libvirtd's */
	return vm_start(task, err);
}
