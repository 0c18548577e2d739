/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records of virtual machines. Runs in jobs. */
#include "agent/guest/vm/record.h"

#include "agent/base/client.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/vm_process.h"
#include "agent/task/guest/record.h"

#define TELL_WAIT (5 * USEC_PER_SEC) /* the monitor tells a core that is away longer */

int vm_record_write(unsigned vmid, const struct vm_record *record, struct err *err)
{
	const struct task_record basis = {record->pid, record->pid_start, record->started};
	autofields own = FIELDS_INIT;

	fields_add(&own, "starting", record->is_starting ? "1" : NULL);
	return task_record_write(vmid, "qemu", &basis, &own, err);
}

void vm_record_remove(unsigned vmid)
{
	task_record_remove(vmid);
}

bool vm_record_find(unsigned vmid, struct vm_record *ret)
{
	struct task_record basis;
	autofields f = FIELDS_INIT;

	if (task_record_read(vmid, &basis, &f, NULL) < 0 || !task_record_is_alive(&basis))
		return false;
	*ret = (struct vm_record){.pid = basis.pid,
				  .pid_start = basis.pid_start,
				  .started = basis.started,
				  .is_starting = task_record_number(&f, "starting") == 1};
	return true;
}

int vm_record_of_domain(const char *name, struct vm_record *ret, struct err *err)
{
	struct vm_record record = {.started = clock_wall() / USEC_PER_SEC};
	int r = vm_process_find(name, &record.pid, &record.pid_start, err);

	if (r == 0)
		*ret = record;
	return r;
}

void vm_tell(unsigned vmid, const char *state, const struct vm_record *record)
{
	autofree char *path = path_join(path_run(), CORE_SOCKET);
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;

	call.op = CALL_GUEST_STATE;
	call.deadline_ms = TELL_WAIT / USEC_PER_MSEC;
	fields_addf(&call.head, "vmid", "%u", vmid);
	fields_add(&call.head, "kind", "qemu");
	fields_add(&call.head, "state", state);
	if (record) {
		fields_addf(&call.head, "pid", "%d", (int)record->pid);
		fields_addf(&call.head, "pid_start", "%llu", (unsigned long long)record->pid_start);
	}
	if (str_eq(state, "stopped"))
		fields_add(&call.head, "target", "stop");
	(void)client_call(path, &call, clock_monotonic() + TELL_WAIT, true, &reply, NULL);
	reply_fini(&reply);
	call_fini(&call);
}
