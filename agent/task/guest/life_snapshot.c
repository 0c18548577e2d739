/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: make a snapshot of all volumes that a guest uses, and delete one. A running guest stands still while it is
 * made, so that its volumes are of one moment. Runs in jobs. */
#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/task/guest/life_parts.h"

#define LOCK_MAKE   "snapshot"
#define LOCK_DELETE "snapshot-delete"

struct snapshot {
	const char *name;
	struct guest_volume *volumes; /* owned */
	size_t count;
	size_t deleted; /* volumes that have lost it */
	bool is_forced, is_undo;
	bool was_marked; /* a deletion before has begun */
	bool is_over;	 /* as an undo: it was not begun */
	bool is_found;	 /* to be undone */
	bool is_done;	 /* it is there, whole */
};

static int read_volumes(const struct life *life, const struct guest_section *section,
			struct snapshot *s, struct err *err)
{
	free(s->volumes);
	s->volumes = NULL;
	return life_used_volumes(life, section, &s->volumes, &s->count, err);
}

/* -- making -- */

struct making {
	struct snapshot s;
	const char *description;
};

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct making *making = ctx;
	int r = life_lock_check(life, config, NULL, err);

	if (r == 0)
		r = read_volumes(life, &config->sections[0], &making->s, err);
	if (r == 0)
		r = guest_snapshot_begin(config, making->s.name, making->description,
					 clock_wall() / USEC_PER_SEC, err);
	if (r == 0)
		guest_config_set(config, "lock", LOCK_MAKE);
	return r;
}

static int commit(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	(void)life;
	if (!life_is_locked(config, LOCK_MAKE))
		return err_set(err, ERR_BUSY, "the lock was taken away meanwhile");
	guest_snapshot_commit(config, ((struct snapshot *)ctx)->name);
	guest_config_delete(config, "lock");
	return 0;
}

static int take_back(const struct life *life, struct guest_config *config, void *ctx,
		     struct err *err)
{
	int r = guest_snapshot_forget(life->ops, config, ((struct snapshot *)ctx)->name, err);

	if (r == 0 && (life_is_locked(config, LOCK_MAKE) || life_is_locked(config, LOCK_DELETE)))
		guest_config_delete(config, "lock");
	return r;
}

static int make_one(struct task_ctx *task, const struct task_storage *storage,
		    const struct guest_volume *v, void *ctx, struct err *err)
{
	int r = task_check_cancelled(err);

	(void)task;
	if (r < 0)
		return r;
	task_log("snapshot of volume %s", v->volid);
	r = storage->driver->snapshot(storage->def, &v->volume, ctx, err);
	return r < 0 ? err_prefix(err, "%s", v->key) : 0;
}

static int delete_one(struct task_ctx *task, const struct task_storage *storage,
		      const struct guest_volume *v, void *ctx, struct err *err)
{
	struct snapshot *s = ctx;
	int r = storage->driver->snapshot_delete(storage->def, &v->volume, s->name, err);

	(void)task;
	s->deleted += r == 0;
	if (r == 0 || r == -ERR_NOT_FOUND)
		return 0;
	return err_prefix(err, "%s", v->key);
}

static int check_all(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct guest_config config;
	struct snapshot s = {0};
	int r = life_read(task, life, &config, err);

	if (r < 0)
		return r;
	r = read_volumes(life, &config.sections[0], &s, err);
	for (size_t i = 0; r == 0 && i < s.count; i++)
		r = life_check_feature(task, life, &s.volumes[i], NULL, VOLUME_SNAPSHOT, err);
	if (r == 0 && !life->hold && life->require_stopped(task, NULL) < 0)
		r = err_set(err, ERR_UNSUPPORTED, "feature not available: snapshot of a running %s",
			    life->ops->noun);
	free(s.volumes);
	guest_config_fini(&config);
	return r;
}

static int make(struct task_ctx *task, const struct life *life, struct snapshot *s, struct err *err)
{
	struct err why = ERR_INIT;
	int r = life->hold ? life->hold(task, true, err) : 0;

	if (r < 0)
		return r;
	r = life_each_volume(task, life, s->volumes, s->count, make_one, (void *)s->name, err);
	if (life->hold && life->hold(task, false, &why) < 0)
		task_leave(task, "%s", why.message);
	return r;
}

static int undo(struct task_ctx *task, const struct life *life, struct snapshot *s, struct err *err)
{
	int r = life_each_volume(task, life, s->volumes, s->count, delete_one, s, err);

	return r < 0 ? r : life_edit(task, life, take_back, s, err);
}

/* Makes a last write of ours, or of the dead job, come too late; or sees that it was made. */
static int claim(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct snapshot *s = ctx;
	const struct guest_section *section = guest_snapshot_find(config, s->name);

	s->is_done = section && !guest_snapshot_state(section);
	s->is_found = section && life_is_locked(config, LOCK_MAKE) &&
		      str_eq(guest_snapshot_state(section), SNAPSHOT_PREPARE);
	return s->is_found ? read_volumes(life, section, s, err) : 0;
}

/* The failure of a write does not tell that it was not made: what is stored does. Until that can be read nothing is
 * removed, and the lock stays. */
static int fail(struct task_ctx *task, const struct life *life, struct snapshot *s, int failure,
		struct err *err)
{
	struct err why = ERR_INIT;
	int r = life_edit(task, life, claim, s, &why);

	if (r == 0 && s->is_done) {
		*err = why;
		return 0;
	}
	if (r == 0 && s->is_found)
		r = undo(task, life, s, &why);
	if (r < 0)
		task_leave(task, "could not remove everything: %s", why.message);
	return failure;
}

int life_snapshot_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct making making = {.s.name = life_arg(task, "snapname"),
				.description = life_arg(task, "description")};
	int r;

	if ((r = check_all(task, life, err)) < 0 ||
	    (r = life_edit(task, life, begin, &making, err)) < 0) {
		free(making.s.volumes);
		return r;
	}
	r = make(task, life, &making.s, err);
	if (r == 0)
		r = life_edit(task, life, commit, &making.s, err);
	if (r < 0)
		r = fail(task, life, &making.s, r, err);
	free(making.s.volumes);
	return r;
}

int life_snapshot_undo_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct snapshot s = {.name = life_arg(task, "snapname")};
	struct err why = ERR_INIT;
	int held = life->hold ? life->hold(task, false, &why) : 0;
	int r = life_edit(task, life, claim, &s, err);

	if (r == 0 && s.is_found) {
		task_log("removing what an unfinished snapshot left");
		r = undo(task, life, &s, err);
	}
	free(s.volumes);
	if (r < 0)
		return life_is_over(task, r) ? 0 : r;
	return held < 0 ? err_set(err, (enum err_code)why.code, "%s", why.message) : 0;
}

/* -- deleting -- */

/* What the end may refuse, volumes that no unused key is left for, is refused before anything is lost. */
static int check_end(const struct life *life, const struct guest_config *config, const char *name,
		     struct err *err)
{
	struct guest_config copy;
	int r;

	guest_config_copy(&copy, config);
	r = guest_snapshot_forget(life->ops, &copy, name, err);
	guest_config_fini(&copy);
	return r;
}

static int begin_delete(const struct life *life, struct guest_config *config, void *ctx,
			struct err *err)
{
	struct snapshot *s = ctx;
	const struct guest_section *section = guest_snapshot_find(config, s->name);
	int r;

	/* Not begun, and another one may have its name by now. Writing the configuration again makes a beginning that is
	 * still on its way come too late. */
	s->is_over = s->is_undo && !life_is_locked(config, LOCK_DELETE);
	if (s->is_over)
		return 0;
	r = life_lock_check(life, config, LOCK_DELETE, err);
	if (r == 0 && !section)
		r = err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", s->name);
	if (r == 0)
		r = read_volumes(life, section, s, err);
	if (r == 0)
		r = check_end(life, config, s->name, err);
	if (r == 0) {
		s->was_marked = guest_snapshot_state(section) != NULL;
		guest_snapshot_mark_deleted(config, s->name);
		guest_config_set(config, "lock", LOCK_DELETE);
	}
	return r;
}

static int check_delete_one(struct task_ctx *task, const struct task_storage *storage,
			    const struct guest_volume *v, void *ctx, struct err *err)
{
	struct volume_info info;
	int r = storage->driver->info(storage->def, &v->volume, &info, err);

	(void)task;
	(void)ctx;
	return r < 0 && r != -ERR_NOT_FOUND ? err_prefix(err, "%s", v->key) : 0;
}

/* What can be refused before any of it is gone: a half of a snapshot is none. An undo carries on, and by force it is
 * forgotten, whatever is left of it. */
static int check_delete(struct task_ctx *task, const struct life *life, struct snapshot *s,
			struct err *err)
{
	const struct guest_section *section;
	struct guest_config config;
	int r;

	if (s->is_undo || s->is_forced)
		return 0;
	if ((r = life_read(task, life, &config, err)) < 0)
		return r;
	section = guest_snapshot_find(&config, s->name);
	if (section)
		r = life_check_open(task, life, &config, s->name, "deletion of a snapshot", err);
	if (section && r == 0 && (r = read_volumes(life, section, s, err)) == 0)
		r = life_each_volume(task, life, s->volumes, s->count, check_delete_one, s, err);
	guest_config_fini(&config);
	return r;
}

static int delete_volumes(struct task_ctx *task, const struct life *life, struct snapshot *s,
			  struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->count; i++) {
		struct err why = ERR_INIT;

		r = life_each_volume(task, life, &s->volumes[i], 1, delete_one, s, &why);
		if (r < 0 && s->is_forced) {
			task_warn(task, "%s", why.message);
			r = 0;
		} else if (r < 0 && err) {
			*err = why;
		}
	}
	return r;
}

/* It is whole: nothing of it was deleted, not by an earlier job either. */
static int keep(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	(void)life;
	(void)err;
	if (!life_is_locked(config, LOCK_DELETE))
		return 0;
	guest_snapshot_unmark(config, ((struct snapshot *)ctx)->name);
	guest_config_delete(config, "lock");
	return 0;
}

static int delete_all(struct task_ctx *task, const struct life *life, struct snapshot *s,
		      struct err *err)
{
	int r = delete_volumes(task, life, s, err);

	if (r == 0)
		r = life_edit(task, life, take_back, s, err);
	else if ((s->deleted == 0 && !s->was_marked
			  ? life_edit(task, life, keep, s, NULL)
			  : life_unlock(task, life, LOCK_DELETE, NULL, NULL)) == 0)
		return r;
	task->is_unfinished = r < 0;
	return r;
}

int life_delsnapshot_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct snapshot s = {.name = life_arg(task, "snapname"),
			     .is_forced = life_flag(task, "force"),
			     .is_undo = life_is_undo(task)};
	int r = check_delete(task, life, &s, err);

	if (r == 0)
		r = life_edit(task, life, begin_delete, &s, err);
	if (r == 0 && !s.is_over)
		r = delete_all(task, life, &s, err);
	else if (r == -ERR_NOT_FOUND && s.is_undo)
		r = life_unlock(task, life, LOCK_DELETE, NULL, err); /* it had come to its end */
	free(s.volumes);
	return life_is_over(task, r) ? 0 : r; /* the guest is gone */
}
