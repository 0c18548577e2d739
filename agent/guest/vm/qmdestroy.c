/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: remove a virtual machine. The configuration goes last, so that a job that was killed can be asked
 * for again. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/life.h"

/* A lock means that a job, or its undoing, still works on this machine. */
static int check_lock(const struct guest_config *config, struct err *err)
{
	const char *lock = guest_config_get(config, "lock");

	return lock ? err_set(err, ERR_BUSY, "VM is locked (%s)", lock) : 0;
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

static int free_volumes(struct task_ctx *task, const struct guest_config *config, struct err *err)
{
	int r = life_volumes_free(task, &vm_life, config, err);

	if (r == 0 && vm_bool_arg(task, "destroy-unreferenced-disks"))
		r = task_volumes_free_all(task, VOLUME_IMAGES, err);
	return r;
}

int qmdestroy_run(struct task_ctx *task, struct err *err)
{
	struct guest_config config;
	uint64_t version;
	int r;

	if ((r = task_config_get(task, "qemu", &config, &version, err)) < 0)
		return r;
	r = check_lock(&config, err);
	if (r == 0)
		r = ensure_stopped(task, err);
	if (r == 0)
		r = free_volumes(task, &config, err);
	if (r == 0) {
		vm_record_remove(task->guest);
		r = task_config_delete(task, "qemu", version, err);
	}
	guest_config_fini(&config);
	return r < 0 ? err_prefix(err, "unable to destroy VM %u", task->guest) : 0;
}
