/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is KVM usable here? /dev/kvm may be there, answer, and still hang real guests: a test of the node keeps
 * its result in the store, /nodes/NODE/kvm: "usable: 0|1", "reason: …". Runs in jobs. */
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/control.h"

#define KVM_DEVICE "/dev/kvm"
#define REMEDY	   "set the machine's kvm to 0 for plain emulation"

static int read_test(struct task_ctx *task, struct guest_config *ret, struct err *err)
{
	autofree char *path = xasprintf("/nodes/%s/kvm", task->node);
	autobuf text = BUF_INIT;
	int r = task_store_get(path, &text, NULL, err);

	return r < 0 ? r : guest_config_parse(buf_str(&text), text.size, ret, err);
}

int vm_kvm_check(struct task_ctx *task, struct err *err)
{
	struct guest_config test __attribute__((cleanup(guest_config_fini))) = {0};
	bool is_usable = true;

	if (access(KVM_DEVICE, R_OK | W_OK) != 0)
		return err_set(
			err, ERR_UNSUPPORTED,
			"KVM is not available: " KVM_DEVICE
			" is not there; switch virtualisation on in the firmware, or " REMEDY);
	if (read_test(task, &test, NULL) < 0)
		return 0; /* never tested */
	const char *reason = guest_config_get(&test, "reason");

	str_to_bool(guest_config_get(&test, "usable"), &is_usable);
	if (is_usable)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "KVM is not usable on this node: its test failed (%s); " REMEDY
		       ", or test again with 'lodge kvm-check'",
		       reason ? reason : "no reason stored");
}
