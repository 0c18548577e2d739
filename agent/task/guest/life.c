/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations and volumes as the jobs of life.h use them. Runs in jobs. */
#include "agent/guest/ct_roots.h"
#include "agent/guest/snapshots.h"
#include "agent/task/guest/life_parts.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define TRIES 10

const char *life_arg(const struct task_ctx *task, const char *name)
{
	return fields_get(&task->args, name);
}

bool life_flag(const struct task_ctx *task, const char *name)
{
	bool value = false;

	str_to_bool(life_arg(task, name) ?: "0", &value);
	return value;
}

uint64_t life_number(const struct task_ctx *task, const char *name)
{
	uint64_t value = 0;

	str_to_u64(life_arg(task, name) ?: "0", &value);
	return value;
}

bool life_is_undo(const struct task_ctx *task)
{
	return life_arg(task, "undo-of") != NULL;
}

struct task_ctx life_of_guest(const struct task_ctx *task, unsigned vmid)
{
	struct task_ctx other = *task;

	other.guest = vmid;
	return other;
}

int life_read(struct task_ctx *task, const struct life *life, struct guest_config *ret,
	      struct err *err)
{
	return task_config_get(task, life->ops->name, ret, NULL, err);
}

static int edit_once(struct task_ctx *task, const struct life *life, life_edit_fn fn, void *ctx,
		     struct err *err)
{
	struct guest_config config;
	uint64_t version;
	int r = task_config_get(task, life->ops->name, &config, &version, err);

	if (r < 0)
		return r;
	r = fn(life, &config, ctx, err);
	if (r == 0)
		r = task_config_put(task, life->ops->name, &config, version, err);
	guest_config_fini(&config);
	return r;
}

int life_edit(struct task_ctx *task, const struct life *life, life_edit_fn fn, void *ctx,
	      struct err *err)
{
	int r = -ERR_CONFLICT;

	for (int i = 0; r == -ERR_CONFLICT && i < TRIES; i++)
		r = edit_once(task, life, fn, ctx, err);
	return r;
}

int life_lock_check(const struct life *life, const struct guest_config *config, const char *allowed,
		    struct err *err)
{
	const char *lock = guest_config_get(config, "lock");

	if (!lock || str_eq(lock, allowed))
		return 0;
	return err_set(err, ERR_BUSY, "%s is locked (%s)", life->ops->label, lock);
}

int life_check_roots(const struct task_ctx *task, const struct life *life,
		     const struct fields *keys, const struct guest_config *now, struct err *err)
{
	if (life->ops->is_machine || str_eq(task->user, "root@pam"))
		return 0;
	return ct_roots_check_again(keys, now, err);
}

bool life_has_pending(const struct guest_config *config, const char *key)
{
	for (size_t i = 1; i < config->count; i++)
		if (str_eq(config->sections[i].name, "PENDING"))
			return fields_find(&config->sections[i].keys, key) != NULL;
	return false;
}

const char *life_value_of(const struct life *life, const struct guest_config *config,
			  const char *key, const char *volid, struct err *err)
{
	const char *value = guest_config_get(config, key);
	struct guest_volume v;

	if (value && guest_volume_read(life->ops, key, value, &v, NULL) == 1 &&
	    volid_text_same(v.volid, volid))
		return value;
	err_set(err, ERR_BUSY, value ? "%s names another volume now" : "%s was removed meanwhile",
		key);
	return NULL;
}

bool life_is_locked(const struct guest_config *config, const char *lock)
{
	return str_eq(guest_config_get(config, "lock"), lock);
}

struct unlock {
	const char *lock, *underway;
};

static int unlock(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	const struct unlock *what = ctx;

	(void)life;
	(void)err;
	if (life_is_locked(config, what->lock))
		guest_config_delete(config, "lock");
	if (what->underway)
		guest_config_section_remove(config, what->underway);
	return 0;
}

int life_unlock(struct task_ctx *task, const struct life *life, const char *lock,
		const char *underway, struct err *err)
{
	struct unlock what = {lock, underway};

	return life_edit(task, life, unlock, &what, err);
}

int life_used_volumes(const struct life *life, const struct guest_section *section,
		      struct guest_volume **ret, size_t *ret_count, struct err *err)
{
	struct guest_volume *volumes;
	size_t count, used = 0;
	int r = guest_volumes(life->ops, section, &volumes, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (!volumes[i].is_unused)
			volumes[used++] = volumes[i];
	*ret = volumes;
	*ret_count = used;
	return 0;
}

int life_check_open(struct task_ctx *task, const struct life *life,
		    const struct guest_config *config, const char *snapshot, const char *action,
		    struct err *err)
{
	const struct guest_section *section = guest_snapshot_find(config, snapshot);
	struct err why = ERR_INIT;
	int r;

	if (!section || guest_snapshot_check_open(life->ops, config, section, action, &why) == 0)
		return 0;
	r = life->require_stopped(task, err);
	return r == -ERR_BUSY ? err_set(err, (enum err_code)why.code, "%s", why.message) : r;
}

int life_storage_open(struct task_ctx *task, const struct life *life, const struct guest_volume *v,
		      struct task_storage *ret, struct err *err)
{
	return task_storage_open(task, v->volume.storage, life->ops->content, ret, err);
}

int life_check_feature(struct task_ctx *task, const struct life *life, const struct guest_volume *v,
		       const char *snapshot, enum volume_feature feature, struct err *err)
{
	struct task_storage storage;
	int r = life_storage_open(task, life, v, &storage, err);

	if (r < 0)
		return r;
	r = volume_feature_check(storage.def->type, &v->volume, snapshot, feature, err);
	task_storage_close(&storage);
	return r;
}

/* Not what fn misses beside it: that may be back one day. */
static bool is_gone(const struct task_storage *storage, const struct guest_volume *v)
{
	struct volume_info info;

	return storage->driver->info(storage->def, &v->volume, &info, NULL) == -ERR_NOT_FOUND;
}

static int each_one(struct task_ctx *task, const struct life *life, const struct guest_volume *v,
		    life_volume_fn fn, void *ctx, bool *ret_gone, struct err *err)
{
	struct task_storage storage;
	int r = life_storage_open(task, life, v, &storage, err);

	*ret_gone = r == -ERR_NOT_FOUND;
	if (r < 0)
		return r;
	r = fn(task, &storage, v, ctx, err);
	*ret_gone = r == -ERR_NOT_FOUND && is_gone(&storage, v);
	task_storage_close(&storage);
	return r;
}

int life_each_volume(struct task_ctx *task, const struct life *life,
		     const struct guest_volume *volumes, size_t count, life_volume_fn fn, void *ctx,
		     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct err why = ERR_INIT;
		bool gone;

		r = each_one(task, life, &volumes[i], fn, ctx, &gone, &why);
		if (gone && life_is_undo(task)) {
			task_warn(task, "%s is passed over: %s", volumes[i].key, why.message);
			r = 0;
		} else if (r < 0 && err) {
			*err = why;
		}
	}
	return r;
}

int life_free(struct task_ctx *task, const struct life *life, const char *volid, struct err *err)
{
	struct volid volume;
	int r = volid_parse(volid, &volume, err);

	if (r < 0)
		return r;
	volume.content = life->ops->content;
	struct task_ctx owner = life_of_guest(task, volume.vmid);

	return task_volume_free(&owner, &volume, life->ops->content, err);
}
