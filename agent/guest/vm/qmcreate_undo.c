/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: undo a creation whose job died. Finds everything in the stored configuration: the names of volumes
 * were written there before the volumes were made. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/create.h"
#include "agent/guest/vm/record.h"
#include "agent/guest/vm/volume.h"
#include "agent/task/guest/forget.h"

#define TRIES 5

static int free_drives(struct task_ctx *task, const struct guest_config *config,
		       const struct fields *kept, struct err *err)
{
	autofree struct vm_drive *drives = NULL;
	size_t count = 0;
	int r = vm_config_drives(config, &drives, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (drives[i].is_cdrom || drives[i].is_new ||
		    (kept && fields_find(kept, drives[i].key)))
			continue;
		r = task_volume_free(task, &drives[i].volume, VOLUME_IMAGES, err);
	}
	return r;
}

/* The creation's last write may still be on its way to the store when its job dies. Writing the config
 * again makes that write come too late; where it came first, there is nothing to undo. */
static int claim(struct task_ctx *task, struct guest_config *ret, uint64_t *ret_version,
		 struct err *err)
{
	struct guest_config config;
	uint64_t version;
	int r = task_config_get(task, "qemu", &config, &version, err);

	if (r < 0)
		return r;
	if (!str_eq(guest_config_get(&config, "lock"), "create"))
		r = err_set(err, ERR_NOT_FOUND, "VM %u is not being created", task->guest);
	else
		r = task_config_put(task, "qemu", &config, version, err);
	guest_config_fini(&config);
	return r < 0 ? r : task_config_get(task, "qemu", ret, ret_version, err);
}

int vm_create_undo(struct task_ctx *task, const struct fields *kept, struct err *err)
{
	struct guest_config config;
	uint64_t version;
	int r;

	for (int i = 0; (r = claim(task, &config, &version, err)) == -ERR_CONFLICT && i < TRIES;
	     i++)
		continue;
	if (r == -ERR_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	r = free_drives(task, &config, kept, err);
	if (r == 0)
		r = task_guest_forget(task, "qemu", version, true, err);
	guest_config_fini(&config);
	return r;
}

int qmcreate_undo_run(struct task_ctx *task, struct err *err)
{
	task_log("removing what an unfinished creation of VM %u left", task->guest);
	return vm_create_undo(task, NULL, err);
}
