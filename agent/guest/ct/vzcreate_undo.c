/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: undo a creation whose job died. Finds everything in the stored configuration: the name of
 * the volume was written there before the volume was made. */
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/create.h"
#include "agent/guest/ct/volume_new.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/guest/forget.h"

#define TRIES 5

static int free_rootfs(struct task_ctx *task, const struct guest_config *config, struct err *err)
{
	struct ct_rootfs rootfs;
	int r;

	if (!guest_config_get(config, "rootfs"))
		return 0;
	if ((r = ct_config_rootfs(config, &rootfs, err)) < 0)
		return r;
	return ct_volume_free(task, rootfs.volume, err);
}

/* The creation's last write may still be on its way to the store when its job dies. Writing the config
 * again makes that write come too late; where it came first, there is nothing to undo. */
static int claim(struct task_ctx *task, struct guest_config *ret, uint64_t *ret_version,
		 struct err *err)
{
	struct guest_config config;
	uint64_t version;
	int r = task_config_get(task, "lxc", &config, &version, err);

	if (r < 0)
		return r;
	if (!str_eq(guest_config_get(&config, "lock"), "create"))
		r = err_set(err, ERR_NOT_FOUND, "CT %u is not being created", task->guest);
	else
		r = task_config_put(task, "lxc", &config, version, err);
	guest_config_fini(&config);
	return r < 0 ? r : task_config_get(task, "lxc", ret, ret_version, err);
}

int create_undo(struct task_ctx *task, const struct fields *unmade, struct err *err)
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
	ct_clean(task->guest);
	for (size_t i = 0; unmade && i < unmade->count; i++)
		guest_config_delete(&config, unmade->items[i].name);
	if ((r = free_rootfs(task, &config, err)) == 0)
		r = ct_volumes_free(task, &config, err);
	if (r == 0)
		r = task_guest_forget(task, "lxc", version, true, err);
	guest_config_fini(&config);
	return r;
}

int vzcreate_undo_run(struct task_ctx *task, struct err *err)
{
	task_log("removing what an unfinished creation of CT %u left", task->guest);
	return create_undo(task, NULL, err);
}
