/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All volumes of a guest that is to be no more. Once the first one is gone there is no way back: the configuration says
 * so until it goes itself. Runs in jobs. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/life_parts.h"

#define LOCK "destroyed"

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	int r = life_lock_check(life, config, LOCK, err);

	(void)ctx;
	if (r < 0)
		return r;
	guest_underway_set(config, UNDERWAY_DESTROY, "begun", "1");
	guest_config_set(config, "lock", LOCK);
	return 0;
}

static int free_named(struct task_ctx *task, const struct life *life,
		      const struct guest_config *config, size_t *ret_freed, struct err *err)
{
	autofields names = FIELDS_INIT, done = FIELDS_INIT;
	int r = 0;

	guest_volume_names(life->ops, config, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		const char *volid = names.items[i].name;
		struct volid volume;

		if (fields_find(&done, volid) || volid_parse(volid, &volume, NULL) < 0)
			continue;
		fields_add(&done, volid, "");
		if (volume.vmid != task->guest) {
			task_warn(task, "volume %s is another guest's and stays", volid);
			continue;
		}
		task_log("removing volume %s", volid);
		if ((r = life_free(task, life, volid, err)) == 0)
			++*ret_freed;
	}
	return r;
}

int life_volumes_free(struct task_ctx *task, const struct life *life,
		      const struct guest_config *config, struct err *err)
{
	size_t freed = 0;

	return free_named(task, life, config, &freed, err);
}

int life_destroy_volumes(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct guest_config config;
	size_t freed = 0;
	int r = life_edit(task, life, begin, NULL, err);

	if (r < 0 || (r = life_read(task, life, &config, err)) < 0)
		return r;
	r = free_named(task, life, &config, &freed, err);
	guest_config_fini(&config);
	if (r == 0 && life_flag(task, "destroy-unreferenced-disks"))
		r = task_volumes_free_all(task, life->ops->content, err);
	if (r < 0 && freed == 0)
		(void)life_unlock(task, life, LOCK, UNDERWAY_DESTROY, NULL);
	return r;
}

int life_config_delete(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct guest_config config;
	uint64_t version;
	int r = task_config_get(task, life->ops->name, &config, &version, err);

	if (r < 0)
		return r;
	guest_config_fini(&config);
	return task_config_delete(task, life->ops->name, version, err);
}

bool life_is_over(const struct task_ctx *task, int r)
{
	return r == -ERR_NOT_FOUND && life_is_undo(task);
}
