/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records of virtual machines. Runs in jobs. */
#include "agent/guest/vm/record.h"

#include <string.h>

#include "agent/base/client.h"
#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define RECORD_MAX  65536
#define CMDLINE_MAX 65536
#define TELL_WAIT   (5 * USEC_PER_SEC) /* the monitor tells a core that is away longer */
#define PID_FOLDER  "/run/libvirt/qemu"

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
					 .started = number(&f, "started")};

	if (record.pid <= 0 || exec_pid_start(record.pid) != record.pid_start)
		return false;
	*ret = record;
	return true;
}

/* A pid file may be stale: the process must be a machine of this name. */
static bool is_machine(pid_t pid, const char *name)
{
	autofree char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	autofree char *wanted = xasprintf("guest=%s", name);
	autobuf line = BUF_INIT;

	if (file_read(path, CMDLINE_MAX, &line, NULL) < 0)
		return false;
	const char *data = buf_str(&line);

	for (size_t at = 0; at < line.size; at += strlen(data + at) + 1) {
		const char *rest = str_after(data + at, wanted);

		if (rest && (*rest == ',' || *rest == '\0'))
			return true;
	}
	return false;
}

int vm_record_of_domain(const char *name, struct vm_record *ret, struct err *err)
{
	autofree char *path = xasprintf(PID_FOLDER "/%s.pid", name);
	autobuf text = BUF_INIT;
	uint64_t pid;
	int r;

	if ((r = file_read(path, 64, &text, err)) < 0)
		return err_prefix(err, "process of %s", name);
	char *line = buf_steal(&text);

	line[strcspn(line, "\n")] = '\0';
	bool is_number = str_to_u64(line, &pid) && pid > 0 && pid <= INT32_MAX;

	free(line);
	if (!is_number)
		return err_set(err, ERR_CORRUPT, "%s holds no process id", path);
	struct vm_record record = {.pid = (pid_t)pid, .started = clock_wall() / USEC_PER_SEC};

	record.pid_start = exec_pid_start(record.pid);
	if (record.pid_start == 0 || !is_machine(record.pid, name))
		return err_set(err, ERR_NOT_FOUND, "process of %s is gone", name);
	*ret = record;
	return 0;
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
