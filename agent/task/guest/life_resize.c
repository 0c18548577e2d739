/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: grow a volume, and what lies on it. The size is the whole one, so that doing it again does no more; once the volume
 * has it, what died is carried on. Runs in jobs. */
#include <inttypes.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/guest/life_parts.h"

struct resize {
	const char *key;
	uint64_t size;
	const char *volid; /* that was grown */
};

static int find_volume(const struct life *life, const struct guest_config *config,
		       const struct resize *resize, struct guest_volume *ret, struct err *err)
{
	const char *value = guest_config_get(config, resize->key);
	int r = value ? guest_volume_read(life->ops, resize->key, value, ret, err) : 0;

	if (r == 0)
		return err_field(err, "disk", "'%s' has no volume", resize->key);
	return r < 0 ? r : 0;
}

static int set_size(const struct life *life, struct guest_config *config, void *ctx,
		    struct err *err)
{
	const struct resize *resize = ctx;
	const char *before = life_value_of(life, config, resize->key, resize->volid, err);

	if (!before)
		return -ERR_BUSY;
	autofree char *value = guest_volume_value(before, NULL, resize->size);

	guest_config_set(config, resize->key, value);
	return 0;
}

/* What an undo finds; 1 is no failure, and the end of it. */
static int nothing_to_end(void)
{
	task_log("nothing of it was begun, or more was done since");
	return 1;
}

/* Where the guest, its volume or the storage is gone, the undo would fail for ever. */
static int unless_gone(const struct task_ctx *task, int r)
{
	return life_is_over(task, r) ? nothing_to_end() : r;
}

static int grow(struct task_ctx *task, const struct life *life, const struct task_storage *storage,
		const struct guest_volume *v, uint64_t size, struct err *err)
{
	struct volume_info info;
	autobuf path = BUF_INIT;
	int r = volume_feature_check(storage->def->type, &v->volume, NULL, VOLUME_RESIZE, err);

	if (r == 0)
		r = storage->driver->info(storage->def, &v->volume, &info, err);
	else if (life_is_undo(task)) /* a template's by now */
		return nothing_to_end();
	if (r < 0)
		return unless_gone(task, r);
	if (life_is_undo(task) && info.size != size)
		return nothing_to_end();
	if (info.size > size)
		return err_set(err, ERR_UNSUPPORTED, "unable to shrink disk size");
	r = life->grow_running ? life->grow_running(task, v, size, err) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	if (info.size < size &&
	    (r = storage->driver->resize(storage->def, &v->volume, size, err)) < 0)
		return r;
	r = storage->driver->path(storage->def, &v->volume, &path, err);
	return r < 0 ? r : life->grow(task, v, buf_str(&path), err);
}

/* A change that waits for the next start came after the job that died: it would have refused to begin. */
static int find(struct task_ctx *task, const struct life *life, const struct resize *resize,
		struct guest_volume *ret, struct err *err)
{
	struct guest_config config;
	int r = life_read(task, life, &config, err);

	if (r < 0)
		return unless_gone(task, r);
	if (!life_flag(task, "skiplock"))
		r = life_lock_check(life, &config, NULL, err);
	if (r == 0 && !life_is_undo(task) && life_has_pending(&config, resize->key))
		r = err_set(err, ERR_BUSY, "a change of '%s' waits for the next start",
			    resize->key);
	if (r == 0) {
		r = find_volume(life, &config, resize, ret, err);
		if (r < 0 && life_is_undo(task))
			r = nothing_to_end();
	}
	guest_config_fini(&config);
	return r;
}

static int run(struct task_ctx *task, const struct life *life, struct resize *resize,
	       const struct guest_volume *v, struct err *err)
{
	struct task_storage storage;
	int r = life_storage_open(task, life, v, &storage, err);

	if (r < 0)
		return unless_gone(task, r);
	resize->volid = v->volid;
	task_log("growing volume %s to %" PRIu64 " MiB", v->volid, resize->size >> 20);
	r = grow(task, life, &storage, v, resize->size, err);
	task_storage_close(&storage);
	if (r == 0 && (r = life_edit(task, life, set_size, resize, err)) == -ERR_UNAVAILABLE)
		task->is_unfinished = true;
	return unless_gone(task, r);
}

int life_resize_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct resize resize = {.key = life_arg(task, "disk"), .size = life_number(task, "size")};
	struct guest_volume v;
	int r = find(task, life, &resize, &v, err);

	if (r == 0)
		r = run(task, life, &resize, &v, err);
	return r < 0 ? r : 0;
}
