/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: press a virtual machine's reset button. */
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/domain.h"

int qmreset_run(struct task_ctx *task, struct err *err)
{
	char name[VM_DOMAIN_NAME_SIZE];
	struct vm_record record;
	struct hv *hv;
	int r = vm_require_running(task, &hv, &record, err);

	if (r < 0)
		return r;
	vm_domain_name(task->guest, name);
	r = hv_reset(hv, name, err);
	return r < 0 ? err_prefix(err, "reset of VM %u", task->guest) : 0;
}
