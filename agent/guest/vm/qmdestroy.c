/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: remove a virtual machine. The configuration goes last, so that a job that was killed can be asked
 * for again. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/life.h"

/* Another lock means that a job, or its undoing, still works on this machine. */
static int check(const struct task_ctx *task, const struct guest_config *config, struct err *err)
{
	const char *lock = guest_config_get(config, "lock");

	if (lock && !str_eq(lock, "destroyed") && !vm_bool_arg(task, "skiplock"))
		return err_set(err, ERR_BUSY, "VM is locked (%s)", lock);
	if (guest_config_flag(config, "protection"))
		return err_set(err, ERR_BUSY, "can't remove VM %u - protection mode enabled",
			       task->guest);
	return 0;
}

static int ensure_stopped(struct task_ctx *task, struct err *err)
{
	struct vm_record record;
	struct hv *hv;
	int r = vm_require_stopped(task, err);

	if (r != -ERR_BUSY || !vm_bool_arg(task, "force"))
		return r;
	r = vm_require_running(task, &hv, &record, err);
	return r < 0 ? r : vm_stop(task, hv, &record, err);
}

static int destroy(struct task_ctx *task, struct err *err)
{
	int r = ensure_stopped(task, err);

	if (r == 0)
		r = life_destroy_volumes(task, &vm_life, err);
	if (r < 0)
		return r;
	vm_record_remove(task->guest);
	return life_config_delete(task, &vm_life, err);
}

int qmdestroy_run(struct task_ctx *task, struct err *err)
{
	struct guest_config config;
	bool is_meant;
	int r = life_destroy_is_meant(task, &vm_life, &is_meant, err);

	if (r < 0 || !is_meant)
		return r;
	if ((r = task_config_get(task, "qemu", &config, NULL, err)) < 0)
		return r;
	r = check(task, &config, err);
	guest_config_fini(&config);
	if (r == 0)
		r = destroy(task, err);
	return r < 0 ? err_prefix(err, "unable to destroy VM %u", task->guest) : 0;
}
