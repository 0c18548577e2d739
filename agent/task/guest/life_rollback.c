/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: take a guest back to a snapshot. Once it has begun it only goes forward: what was interrupted is done again.
 * Runs in jobs. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/life_parts.h"

#define LOCK "rollback"

struct rollback {
	const struct task_ctx *task;
	const char *name;
	struct guest_volume *volumes; /* owned */
	size_t count, done;
	bool is_undo;
	bool is_begun;
};

/* An undo goes on with what has begun. */
static int find_snapshot(const struct life *life, struct guest_config *config,
			 struct rollback *back, struct err *err)
{
	const struct guest_section *section;
	int r = guest_snapshot_require(config, back->name, &section, err);

	if (r == 0 && !back->is_undo)
		r = life_check_roots(back->task, life, &section->keys, config, err);
	free(back->volumes);
	back->volumes = NULL;
	return r < 0 ? r : life_used_volumes(life, section, &back->volumes, &back->count, err);
}

/* What the end may refuse, volumes that no unused key is left for, is refused before anything is lost. */
static int check_end(const struct life *life, const struct guest_config *config, const char *name,
		     struct err *err)
{
	struct guest_config copy;
	int r;

	guest_config_copy(&copy, config);
	r = guest_snapshot_restore(life->ops, &copy, name, err);
	guest_config_fini(&copy);
	return r;
}

/* What is under way may be another rollback, of somebody who did not wait for the end of this one. */
static int look(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	const struct guest_section *section = guest_config_section(config, UNDERWAY_ROLLBACK);
	const char *name = section ? fields_get(&section->keys, "snapname") : NULL;
	struct rollback *back = ctx;

	(void)life;
	(void)err;
	back->is_begun = !back->is_undo ||
			 (life_is_locked(config, LOCK) && (!name || str_eq(name, back->name)));
	return 0;
}

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct rollback *back = ctx;
	int r;

	look(life, config, ctx, err);
	if (!back->is_begun)
		return 0; /* nothing to do again */
	if ((r = life_lock_check(life, config, LOCK, err)) == 0)
		r = find_snapshot(life, config, back, err);
	if (r == 0)
		r = check_end(life, config, back->name, err);
	if (r == 0) {
		guest_underway_set(config, UNDERWAY_ROLLBACK, "snapname", back->name);
		guest_config_set(config, "lock", LOCK);
	}
	return r;
}

static int is_name(const char *name, uint64_t ctime, void *ctx)
{
	const char **wanted = ctx;

	(void)ctime;
	if (str_eq(name, *wanted))
		*wanted = NULL;
	return 0;
}

static int check_one(struct task_ctx *task, const struct task_storage *storage,
		     const struct guest_volume *v, void *ctx, struct err *err)
{
	const char *wanted = ((struct rollback *)ctx)->name;
	int r = volume_feature_check(storage->def->type, &v->volume, NULL, VOLUME_SNAPSHOT, err);

	(void)task;
	if (r == 0)
		r = storage->driver->snapshots(storage->def, &v->volume, is_name, &wanted, err);
	if (r == 0 && wanted)
		r = err_set(err, ERR_NOT_FOUND, "volume %s has no snapshot '%s'", v->volid, wanted);
	return r < 0 ? err_prefix(err, "%s", v->key) : 0;
}

static int roll_one(struct task_ctx *task, const struct task_storage *storage,
		    const struct guest_volume *v, void *ctx, struct err *err)
{
	struct rollback *back = ctx;
	int r;

	(void)task;
	task_log("rolling volume %s back", v->volid);
	r = storage->driver->rollback(storage->def, &v->volume, back->name, err);
	if (r < 0)
		return err_prefix(err, "%s", v->key);
	back->done++;
	return 0;
}

static int end(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	int r = guest_snapshot_restore(life->ops, config, ((struct rollback *)ctx)->name, err);

	guest_config_section_remove(config, UNDERWAY_ROLLBACK);
	if (r == 0 && life_is_locked(config, LOCK))
		guest_config_delete(config, "lock");
	return r;
}

/* Everything that can be refused before anything is changed. */
static int check(struct task_ctx *task, const struct life *life, struct rollback *back,
		 struct err *err)
{
	struct guest_config config;
	int r = life_read(task, life, &config, err);

	if (r < 0)
		return r;
	r = find_snapshot(life, &config, back, err);
	if (r == 0)
		r = life_each_volume(task, life, back->volumes, back->count, check_one, back, err);
	guest_config_fini(&config);
	return r;
}

static int run(struct task_ctx *task, const struct life *life, struct rollback *back,
	       struct err *err)
{
	int r;

	if ((r = check(task, life, back, err)) < 0 ||
	    (r = life_edit(task, life, begin, back, err)) < 0 || !back->is_begun)
		return r;
	if ((r = life->stop(task, err)) == 0)
		r = life_each_volume(task, life, back->volumes, back->count, roll_one, back, err);
	if (r == 0)
		r = life_edit(task, life, end, back, err);
	else if (back->done == 0 && !back->is_undo &&
		 life_unlock(task, life, LOCK, UNDERWAY_ROLLBACK, NULL) == 0)
		return r;
	task->is_unfinished = r < 0;
	return r;
}

/* The undo asks first whether it was begun: what a guest that was not is on may be away. */
int life_rollback_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct rollback back = {
		.task = task, .name = life_arg(task, "snapname"), .is_undo = life_is_undo(task)};
	int r = back.is_undo ? life_edit(task, life, look, &back, err) : 0;

	if (back.is_undo && (r < 0 || !back.is_begun))
		return life_is_over(task, r) ? 0 : r;
	r = run(task, life, &back, err);
	free(back.volumes);
	if (r == 0 && life_flag(task, "start") && !back.is_undo)
		r = life->start(task, err);
	return r;
}
