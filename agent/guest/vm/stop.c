/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds running virtual machines and ends them. The truth is QEMU's process; libvirtd is asked to act.
 * Runs in jobs. */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/domain.h"
#include "agent/task/internal.h"

#define END_WAIT (30 * USEC_PER_SEC)

static usec_t call_deadline(void)
{
	return clock_monotonic() + VM_CALL_TIMEOUT * USEC_PER_SEC;
}

static int look(struct task_ctx *task, struct hv **ret_hv, enum hv_state *ret, struct err *err)
{
	char name[VM_DOMAIN_NAME_SIZE];
	int r = hv_open(call_deadline(), ret_hv, err);

	if (r < 0)
		return r;
	vm_domain_name(task->guest, name);
	return hv_look(*ret_hv, name, ret, err);
}

int vm_require_running(struct task_ctx *task, struct hv **ret_hv, struct vm_record *ret,
		       struct err *err)
{
	enum hv_state state;
	char name[VM_DOMAIN_NAME_SIZE];
	int r = look(task, ret_hv, &state, err);

	vm_domain_name(task->guest, name);
	if (r < 0)
		return r;
	if (vm_record_find(task->guest, ret))
		return 0;
	if (state == HV_ABSENT || state == HV_ENDING || vm_record_of_domain(name, ret, NULL) < 0) {
		vm_tell(task->guest, "stopped", NULL);
		return err_set(err, ERR_BUSY, "VM %u not running", task->guest);
	}
	return vm_record_write(task->guest, ret, err);
}

int vm_require_stopped(struct task_ctx *task, struct err *err)
{
	enum hv_state state = HV_ABSENT;
	char name[VM_DOMAIN_NAME_SIZE];
	struct vm_record record;
	struct hv *hv;
	struct err why = ERR_INIT;

	if (vm_record_find(task->guest, &record))
		return err_set(err, ERR_BUSY, "VM %u is running", task->guest);
	int r = look(task, &hv, &state, &why);

	vm_domain_name(task->guest, name);
	/* a machine without a record runs on when libvirtd is gone */
	if (r == -ERR_UNAVAILABLE && vm_record_of_domain(name, &record, NULL) == 0)
		return err_set(err, ERR_BUSY, "VM %u is running", task->guest);
	if (r == -ERR_UNAVAILABLE)
		return 0; /* no libvirtd, no process: nothing can start by itself */
	if (r < 0)
		return err_set(err, ERR_UNKNOWN, "state of VM %u is unknown: %s", task->guest,
			       why.message);
	if (state == HV_RUNNING || state == HV_PAUSED)
		return err_set(err, ERR_BUSY, "VM %u is running", task->guest);
	return 0;
}

static void note_stopped(struct task_ctx *task)
{
	vm_record_remove(task->guest);
	vm_tell(task->guest, "stopped", NULL);
}

int vm_stop(struct task_ctx *task, struct hv *hv, const struct vm_record *record, struct err *err)
{
	autofd int process = task_open_pid(record->pid, record->pid_start);
	char name[VM_DOMAIN_NAME_SIZE];
	struct err why = ERR_INIT;

	vm_domain_name(task->guest, name);
	hv_set_deadline(hv, call_deadline());
	int r = hv_destroy(hv, name, &why);

	if (r == -ERR_NOT_FOUND && process >= 0) {
		task_warn(task, "libvirtd does not know this machine: ended by a signal");
		(void)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
	}
	/* After a refusal or no answer only what is there already counts. */
	usec_t wait = r == 0 || r == -ERR_NOT_FOUND ? END_WAIT : 0;

	if (process >= 0 && task_wait_pidfd(process, clock_monotonic() + wait, err) < 0) {
		if (r < 0 && r != -ERR_NOT_FOUND)
			return err_set(err, (enum err_code) - r, "VM %u still runs: %s",
				       task->guest, why.message);
		return err_prefix(err, "VM %u does not end", task->guest);
	}
	note_stopped(task);
	return 0;
}

int vm_shutdown(struct task_ctx *task, struct hv *hv, const struct vm_record *record,
		unsigned timeout_s, bool force, struct err *err)
{
	autofd int process = task_open_pid(record->pid, record->pid_start);
	char name[VM_DOMAIN_NAME_SIZE];
	int r;

	vm_domain_name(task->guest, name);
	r = hv_shutdown(hv, name, err);
	if (r < 0 && r != -ERR_NOT_FOUND)
		return err_prefix(err, "shutdown of VM %u", task->guest);
	r = process < 0
		    ? 0
		    : task_wait_pidfd(process, clock_monotonic() + timeout_s * USEC_PER_SEC, err);
	if (r == -ERR_TIMEOUT && !force)
		return err_set(err, ERR_TIMEOUT, "VM %u did not shut down within %u s", task->guest,
			       timeout_s);
	if (r == -ERR_TIMEOUT) {
		task_log("no reaction within %u s: stopping it by force", timeout_s);
		return vm_stop(task, hv, record, err);
	}
	if (r == 0)
		note_stopped(task);
	return r;
}

unsigned vm_timeout_arg(const struct task_ctx *task, unsigned fallback)
{
	const char *text = fields_get(&task->args, "timeout");
	uint64_t value;

	return text && str_to_u64(text, &value) && value <= 7 * 24 * 3600 ? (unsigned)value
									  : fallback;
}

bool vm_bool_arg(const struct task_ctx *task, const char *name)
{
	const char *text = fields_get(&task->args, name);
	bool value = false;

	return text && str_to_bool(text, &value) && value;
}
