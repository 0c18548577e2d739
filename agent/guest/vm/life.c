/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual machines as jobs on volumes see them, and these jobs. Runs in jobs. */
#include "agent/guest/vm/life.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/domain.h"

static int require_stopped(struct task_ctx *task, struct err *err)
{
	int r = vm_require_stopped(task, err);

	return r == -ERR_BUSY ? err_set(err, ERR_BUSY, "VM %u is running", task->guest) : r;
}

static int stop(struct task_ctx *task, struct err *err)
{
	struct vm_record record;
	struct hv *hv;
	int r = vm_require_stopped(task, err);

	if (r != -ERR_BUSY)
		return r;
	r = vm_require_running(task, &hv, &record, err);
	return r < 0 ? r : vm_stop(task, hv, &record, err);
}

/* The image is all of it: what is inside is the guest's own business. */
static int grow(struct task_ctx *task, const struct guest_volume *v, const char *path,
		struct err *err)
{
	(void)task;
	(void)v;
	(void)path;
	(void)err;
	return 0;
}

/* A running emulator has the image open: it grows it itself, and tells the guest. */
static int grow_running(struct task_ctx *task, const struct guest_volume *v, uint64_t size,
			struct err *err)
{
	char name[VM_DOMAIN_NAME_SIZE];
	autobuf path = BUF_INIT;
	struct vm_record record;
	struct hv *hv;
	int r = vm_require_stopped(task, err);

	if (r != -ERR_BUSY)
		return r;
	if ((r = task_volume_path(task, &v->volume, VOLUME_IMAGES, &path, err)) < 0 ||
	    (r = vm_require_running(task, &hv, &record, err)) < 0)
		return r;
	vm_domain_name(task->guest, name);
	r = hv_resize_disk(hv, name, buf_str(&path), size, err);
	return r < 0 ? r : 1;
}

const struct life vm_life = {
	.ops = &guest_kind_vm,
	.disk_lock = "clone",
	.require_stopped = require_stopped,
	.stop = stop,
	.start = vm_start,
	.grow = grow,
	.grow_running = grow_running,
};

/* -- the jobs -- */

int qmsnapshot_run(struct task_ctx *task, struct err *err)
{
	return life_snapshot_run(task, &vm_life, err);
}

int qmsnapshot_undo_run(struct task_ctx *task, struct err *err)
{
	return life_snapshot_undo_run(task, &vm_life, err);
}

int qmdelsnapshot_run(struct task_ctx *task, struct err *err)
{
	return life_delsnapshot_run(task, &vm_life, err);
}

int qmrollback_run(struct task_ctx *task, struct err *err)
{
	return life_rollback_run(task, &vm_life, err);
}

int qmclone_run(struct task_ctx *task, struct err *err)
{
	return life_clone_run(task, &vm_life, err);
}

int qmclone_undo_run(struct task_ctx *task, struct err *err)
{
	return life_clone_undo_run(task, &vm_life, err);
}

int qmclone_release_run(struct task_ctx *task, struct err *err)
{
	return life_clone_release_run(task, &vm_life, err);
}

int qmtemplate_run(struct task_ctx *task, struct err *err)
{
	return life_template_run(task, &vm_life, err);
}

int qmresize_run(struct task_ctx *task, struct err *err)
{
	return life_resize_run(task, &vm_life, err);
}

int qmmove_run(struct task_ctx *task, struct err *err)
{
	return life_move_run(task, &vm_life, err);
}

int qmmove_undo_run(struct task_ctx *task, struct err *err)
{
	return life_move_undo_run(task, &vm_life, err);
}
