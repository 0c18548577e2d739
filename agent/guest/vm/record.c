/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records of virtual machines. Runs in jobs. */
#include "agent/guest/vm/record.h"

#include "agent/base/client.h"
#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/vm_process.h"

#define RECORD_MAX 65536
#define TELL_WAIT  (5 * USEC_PER_SEC) /* the monitor tells a core that is away longer */

static char *record_path(unsigned vmid)
{
	return path_join(path_run(), "guests/%u", vmid);
}

int vm_record_write(unsigned vmid, const struct vm_record *record, struct err *err)
{
	autofree char *folder = path_join(path_run(), "guests");
	autofree char *path = record_path(vmid);
	autofields f = FIELDS_INIT;
	autobuf data = BUF_INIT;
	int r;

	if ((r = dir_make(folder, 0755, err)) < 0)
		return r;
	fields_addf(&f, "pid", "%d", (int)record->pid);
	fields_addf(&f, "pid_start", "%llu", (unsigned long long)record->pid_start);
	fields_add(&f, "boot", exec_boot_id());
	fields_add(&f, "kind", "qemu");
	fields_addf(&f, "started", "%llu", (unsigned long long)record->started);
	if (record->is_starting)
		fields_add(&f, "starting", "1");
	fields_encode(&f, &data);
	return file_write_atomic(path, data.data, data.size, 0600, err);
}

void vm_record_remove(unsigned vmid)
{
	autofree char *path = record_path(vmid);

	(void)file_remove(path, NULL);
}

static uint64_t number(const struct fields *f, const char *name)
{
	uint64_t value = 0;

	str_to_u64(fields_get(f, name), &value);
	return value;
}

bool vm_record_find(unsigned vmid, struct vm_record *ret)
{
	autofree char *path = record_path(vmid);
	autobuf data = BUF_INIT;
	autofields f = FIELDS_INIT;

	if (file_read(path, RECORD_MAX, &data, NULL) < 0)
		return false;
	struct cursor c = cursor_on(data.data, data.size);

	if (fields_decode(&c, &f, NULL) < 0 || !str_eq(fields_get(&f, "boot"), exec_boot_id()))
		return false;
	const struct vm_record record = {.pid = (pid_t)number(&f, "pid"),
					 .pid_start = number(&f, "pid_start"),
					 .started = number(&f, "started"),
					 .is_starting = number(&f, "starting") == 1};

	if (record.pid <= 0 || exec_pid_start(record.pid) != record.pid_start)
		return false;
	*ret = record;
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
