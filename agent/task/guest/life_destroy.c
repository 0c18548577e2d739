/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All volumes of a guest that is to be no more. Once the first one is gone there is no way back: the configuration says
 * so until it goes itself. Runs in jobs. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/forget.h"
#include "agent/task/guest/life_parts.h"

#define LOCK "destroyed"

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	bool skips_lock = life_flag(ctx, "skiplock");
	int r = skips_lock ? 0 : life_lock_check(life, config, LOCK, err);

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

		if (volid_find(&done, volid) || volid_parse(volid, &volume, NULL) < 0)
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

struct clone_search {
	const char *base;
	char clone[VOLID_MAX];
};

static int see_clone(const struct volume_info *info, void *ctx)
{
	struct clone_search *search = ctx;

	if (str_eq(info->parent, search->base))
		str_copy(search->clone, sizeof(search->clone), info->volid);
	return 0;
}

static int check_base(struct task_ctx *task, const struct life *life, const char *volid,
		      const struct volid *volume, struct err *err)
{
	struct clone_search search = {.base = volid};
	struct task_storage storage;
	int r = task_storage_open(task, volume->storage, life->ops->content, &storage, err);

	if (r < 0)
		return r;
	r = storage.driver->list(storage.def, see_clone, &search, err);
	task_storage_close(&storage);
	if (r == 0 && search.clone[0])
		r = err_set(err, ERR_BUSY,
			    "base volume '%.300s' is still in use by the linked clone '%.300s'",
			    volid, search.clone);
	return r;
}

/* Its storage would refuse to remove a base that clones stand on, but others may be gone by then. */
static int check_bases(struct task_ctx *task, const struct life *life, struct err *err)
{
	autofields names = FIELDS_INIT;
	struct guest_config config;
	struct volid volume;
	int r = life_read(task, life, &config, err);

	if (r < 0)
		return r;
	guest_volume_names(life->ops, &config, &names);
	guest_config_fini(&config);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		const char *volid = names.items[i].name;

		if (volid_parse(volid, &volume, NULL) == 0 && volume.vmid == task->guest &&
		    volume_is_base(&volume))
			r = check_base(task, life, volid, &volume, err);
	}
	return r;
}

int life_destroy_volumes(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct guest_config config;
	size_t freed = 0;
	int r = check_bases(task, life, err);

	if (r < 0 || (r = life_edit(task, life, begin, task, err)) < 0)
		return r;
	if ((r = life_read(task, life, &config, err)) == 0) {
		r = free_named(task, life, &config, &freed, err);
		guest_config_fini(&config);
	}
	if (r == 0 && life_flag(task, "destroy-unreferenced-disks"))
		r = task_volumes_free_all(task, life->ops->content, err);
	if (r < 0 && (freed > 0 || life_unlock(task, life, LOCK, UNDERWAY_DESTROY, NULL) < 0))
		task->is_unfinished = true;
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
	if ((r = task_guest_forget(task, life->ops->name, version, false, err)) < 0)
		task->is_unfinished = true;
	return r;
}

static int look(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	bool *has_begun = ctx;

	(void)life;
	(void)err;
	*has_begun = life_is_locked(config, LOCK);
	return 0;
}

/* Writing the configuration again makes a beginning that is still on its way come too late. */
int life_destroy_is_meant(struct task_ctx *task, const struct life *life, bool *ret,
			  struct err *err)
{
	int r;

	*ret = true;
	if (!life_is_undo(task))
		return 0;
	r = life_edit(task, life, look, ret, err);
	if (r == 0 && !*ret)
		task_log("nothing of it was begun");
	*ret = *ret && r == 0;
	return life_is_over(task, r) ? 0 : r;
}

bool life_is_over(const struct task_ctx *task, int r)
{
	return r == -ERR_NOT_FOUND && life_is_undo(task);
}
