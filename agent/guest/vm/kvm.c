/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is KVM usable here? /dev/kvm may be there, answer, and still hang real guests: a test of the node keeps
 * its result in the store, /nodes/NODE/kvm (agent/guest/kvm_record.h). Runs in jobs. */
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/guest/kvm_record.h"
#include "agent/guest/vm/control.h"

#define EMULATE "set the machine's kvm to 0 for plain emulation"

static int read_test(struct task_ctx *task, struct kvm_record *ret)
{
	autofree char *path = xasprintf("/nodes/%s/kvm", task->node);
	autobuf text = BUF_INIT;
	int r = task_store_get(path, &text, NULL, NULL);

	return r < 0 ? r : kvm_record_parse(buf_str(&text), text.size, ret, NULL);
}

int vm_kvm_check(struct task_ctx *task, struct err *err)
{
	struct kvm_record test;

	if (access(KVM_DEVICE, R_OK | W_OK) != 0)
		return err_set(
			err, ERR_UNSUPPORTED,
			"KVM is not available: " KVM_DEVICE
			" is not there; switch virtualisation on in the firmware, or " EMULATE);
	if (read_test(task, &test) < 0 || test.is_usable)
		return 0; /* never tested, or well */
	return err_set(err, ERR_UNSUPPORTED,
		       "KVM is not usable on this node: its test failed%s (%s); " EMULATE
		       ", or test again with 'lodge kvm-check'",
		       kvm_record_is_outdated(&test) ? " under another kernel" : "", test.reason);
}
