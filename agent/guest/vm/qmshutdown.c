/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: ask a virtual machine to shut down. */
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"

#define DEFAULT_TIMEOUT 60 /* s */

int qmshutdown_run(struct task_ctx *task, struct err *err)
{
	struct vm_record record;
	struct hv *hv;
	int r = vm_require_running(task, &hv, &record, err);

	if (r < 0)
		return r;
	return vm_shutdown(task, hv, &record, vm_timeout_arg(task, DEFAULT_TIMEOUT),
			   vm_bool_arg(task, "forceStop"), err);
}
