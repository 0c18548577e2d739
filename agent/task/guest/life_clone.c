/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: make a copy of a guest. The copy's configuration with "lock: create" is there before; each volume is written
 * into it before it is made. A source that must not change meanwhile is locked, too. Runs in jobs. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/creation.h"
#include "agent/task/guest/life_parts.h"
#include "agent/task/guest/slot.h"

#define LOCK "create"

struct clone {
	const struct life *life;
	struct task_ctx source;	      /* this job as the source's */
	const char *snapshot;	      /* or NULL */
	struct guest_volume *volumes; /* of the source; owned */
	size_t count;
	bool is_template;		/* the source */
	bool is_locked, may_be_locked;	/* by us; a failure does not tell that it is not */
	const struct guest_volume *now; /* being copied */
	const char *value;		/* of it, in the source's configuration */
	struct guest_config config;	/* of the source */
	char noted[VOLID_MAX];		/* id of the copy being made, or "" */
	struct fields foreign;		/* one that is noted, but not ours */
};

/* The state as it is must stand still while it is copied; snapshots and templates never change. */
static bool needs_lock(const struct clone *clone)
{
	return !clone->snapshot && !clone->is_template;
}

static int read_source(struct task_ctx *task, struct clone *clone, struct err *err)
{
	const struct guest_section *section;
	const char *template;
	int r = life_read(&clone->source, clone->life, &clone->config, err);

	if (r < 0)
		return r;
	section = &clone->config.sections[0];
	template = guest_config_get(&clone->config, "template");
	str_to_bool(template ?: "0", &clone->is_template);
	if (clone->snapshot)
		r = guest_snapshot_require(&clone->config, clone->snapshot, &section, err);
	if (r == 0)
		r = life_check_roots(task, clone->life, &section->keys, NULL, err);
	if (r == 0)
		r = life_used_volumes(clone->life, section, &clone->volumes, &clone->count, err);
	return r;
}

static int lock_source(const struct life *life, struct guest_config *config, void *ctx,
		       struct err *err)
{
	int r = life_lock_check(life, config, NULL, err);

	if (r < 0)
		return r;
	guest_underway_set(config, UNDERWAY_CLONE, "newid", ctx);
	guest_config_set(config, "lock", life->disk_lock);
	return 0;
}

static int begin(struct task_ctx *task, struct clone *clone, struct err *err)
{
	struct guest_config own;
	bool is_ours;
	int r = life_read(task, clone->life, &own, err);

	if (r < 0)
		return r;
	is_ours = life_is_locked(&own, LOCK);
	guest_config_fini(&own);
	if (!is_ours)
		return err_set(err, ERR_BUSY, "%s %u is not being created", clone->life->ops->label,
			       task->guest);
	if ((r = read_source(task, clone, err)) < 0 || !needs_lock(clone))
		return r;
	autofree char *id = xasprintf("%u", task->guest);

	r = life_edit(&clone->source, clone->life, lock_source, id, err);
	clone->may_be_locked = r != -ERR_BUSY;
	clone->is_locked = r == 0;
	return r < 0 ? err_prefix(err, "%s %u", clone->life->ops->label, clone->source.guest) : 0;
}

static const char *source_value(const struct clone *clone, const char *key)
{
	const struct guest_section *section =
		clone->snapshot ? guest_snapshot_find(&clone->config, clone->snapshot)
				: &clone->config.sections[0];

	return fields_get(&section->keys, key);
}

struct named {
	const struct clone *clone;
	const char *volid; /* or NULL: noted is somebody else's */
};

static int set_volume(const struct life *life, struct guest_config *config, void *ctx,
		      struct err *err)
{
	const struct named *named = ctx;
	const char *key = named->clone->now->key;

	(void)life;
	if (!life_is_locked(config, LOCK))
		return err_set(err, ERR_BUSY, "the lock was taken away meanwhile");
	guest_creation_disown(config, named->clone->noted);
	if (!named->volid) {
		guest_config_delete(config, key);
		return 0;
	}
	autofree char *value = guest_volume_value(source_value(named->clone, key), named->volid, 0);

	guest_creation_note(config, named->volid);
	guest_config_set(config, key, value);
	return 0;
}

static int note(struct task_ctx *task, const char *volid, void *ctx, struct err *err)
{
	struct clone *clone = ctx;
	struct named named = {.clone = clone, .volid = volid};
	int r;

	if (!volid)
		fields_set(&clone->foreign, clone->noted, "");
	r = life_edit(task, clone->life, set_volume, &named, err);
	str_copy(clone->noted, sizeof(clone->noted), volid ?: "");
	return r;
}

/* Templates are linked where that can be done, everything else where it is asked for. */
static int choose(struct task_ctx *task, const struct clone *clone, bool *ret_linked,
		  struct err *err)
{
	struct err why = ERR_INIT;
	bool is_asked = life_arg(task, "full") && !life_flag(task, "full");
	int r;

	*ret_linked = false;
	if (!is_asked && (!clone->is_template || life_arg(task, "full")))
		return 0;
	r = life_check_feature(task, clone->life, clone->now, clone->snapshot, VOLUME_CLONE, &why);
	if (r == 0)
		*ret_linked = true;
	else if (r == -ERR_UNSUPPORTED && !is_asked)
		task_log("full copy: %s", why.message);
	else
		return err_set(err, (enum err_code)why.code, "%s", why.message);
	return 0;
}

static int copy_one(struct task_ctx *task, struct clone *clone, const struct guest_volume *v,
		    const struct fields *taken, struct err *err)
{
	char volid[VOLID_MAX];
	bool is_linked;
	int r = task_check_cancelled(err);

	clone->now = v;
	clone->noted[0] = '\0';
	if (r == 0)
		r = choose(task, clone, &is_linked, err);
	if (r < 0)
		return r;
	/* a linked copy is of one moment: a running guest may stand still for it */
	if (!is_linked && needs_lock(clone) &&
	    (r = clone->life->require_stopped(&clone->source, err)) < 0)
		return err_prefix(err, "full copy of the current state");
	struct life_copy copy = {.volume = v,
				 .snapshot = clone->snapshot,
				 .storage = is_linked ? NULL : life_arg(task, "storage"),
				 .format = life_arg(task, "format"),
				 .vmid = task->guest,
				 .taken = taken,
				 .is_linked = is_linked,
				 .bwlimit = life_number(task, "bwlimit") * 1024,
				 .note = note,
				 .ctx = clone};

	return life_copy_volume(task, clone->life, &copy, volid, err);
}

static int copy_all(struct task_ctx *task, struct clone *clone, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < clone->count; i++) {
		autofields taken = FIELDS_INIT;
		struct guest_config own;

		if ((r = life_read(task, clone->life, &own, err)) < 0)
			break;
		guest_volume_names(clone->life->ops, &own, &taken);
		guest_config_fini(&own);
		r = copy_one(task, clone, &clone->volumes[i], &taken, err);
	}
	return r;
}

/* Only linked copies are made of a running guest, and only by kinds that can stand still. */
static int hold(struct clone *clone, bool on, struct err *err)
{
	if (!needs_lock(clone))
		return on ? life_check_open(&clone->source, clone->life, &clone->config,
					    clone->snapshot, "copy of a snapshot", err)
			  : 0;
	if (!clone->life->hold)
		return on ? clone->life->require_stopped(&clone->source, err) : 0;
	return clone->life->hold(&clone->source, on, err);
}

static int copy_held(struct task_ctx *task, struct clone *clone, struct err *err)
{
	struct err why = ERR_INIT;
	int r = hold(clone, true, err);

	if (r < 0)
		return r;
	r = copy_all(task, clone, err);
	if (hold(clone, false, &why) < 0)
		task_leave(task, "%s", why.message);
	return r;
}

static int renew(struct task_ctx *task, const struct clone *clone, struct err *err)
{
	struct guest_config own;
	int r = clone->life->renew ? life_read(task, clone->life, &own, err) : -ERR_NOT_FOUND;

	if (!clone->life->renew)
		return 0;
	if (r == 0) {
		r = clone->life->renew(task, &own, err);
		guest_config_fini(&own);
	}
	return r;
}

static int unlock_copy(const struct life *life, struct guest_config *config, void *ctx,
		       struct err *err)
{
	(void)life;
	(void)ctx;
	(void)err;
	guest_creation_end(config);
	return 0;
}

/* -- the source after it -- */

struct release {
	const char *newid; /* of the copy; NULL: of whichever */
	bool is_ours;
};

static int find_release(const struct life *life, struct guest_config *config, void *ctx,
			struct err *err)
{
	const struct guest_section *section = guest_config_section(config, UNDERWAY_CLONE);
	struct release *release = ctx;

	(void)life;
	(void)err;
	release->is_ours = section && (!release->newid ||
				       str_eq(fields_get(&section->keys, "newid"), release->newid));
	return 0;
}

static int unlock_source(const struct life *life, struct guest_config *config, void *ctx,
			 struct err *err)
{
	struct release *release = ctx;

	find_release(life, config, ctx, err);
	if (!release->is_ours)
		return 0;
	guest_config_section_remove(config, UNDERWAY_CLONE);
	if (life_is_locked(config, life->disk_lock))
		guest_config_delete(config, "lock");
	return 0;
}

/* It goes on, and is unlocked, if that copy is what holds it. Writes first: a lock that is still on its way comes too
 * late. One that is gone is fine. */
static int release_source(struct task_ctx *source, const struct life *life, const char *newid,
			  struct err *err)
{
	struct release release = {.newid = newid};
	struct err why = ERR_INIT;
	int r = life_edit(source, life, find_release, &release, &why);

	if (r == 0 && release.is_ours && life->hold)
		r = life->hold(source, false, &why);
	if (r == 0 && release.is_ours)
		r = life_edit(source, life, unlock_source, &release, &why);
	return r < 0 && r != -ERR_NOT_FOUND
		       ? err_set(err, (enum err_code)why.code, "%s", why.message)
		       : 0;
}

/* Each whatever became of the other: the copy's storage may be away, the source is needed. */
static int undo_both(struct task_ctx *task, const struct guest_creation *made,
		     struct task_ctx *source, const struct life *life, struct err *err)
{
	autofree char *id = xasprintf("%u", task->guest);
	struct err why = ERR_INIT;
	int r = guest_creation_undo(task, made, err);
	int released = source ? release_source(source, life, id, &why) : 0;

	if (r < 0 || released == 0)
		return r;
	return err_set(err, (enum err_code)why.code, "%u stays locked: %s", source->guest,
		       why.message);
}

static void undo(struct task_ctx *task, struct clone *clone)
{
	const struct guest_creation made = {
		.ops = clone->life->ops, .foreign = &clone->foreign, .clean = clone->life->clean};
	struct err why = ERR_INIT;

	task_log("cloning failed: removing what was made");
	if (undo_both(task, &made, clone->may_be_locked ? &clone->source : NULL, clone->life,
		      &why) < 0)
		task_leave(task, "could not remove everything: %s", why.message);
}

int life_clone_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct clone clone = {.life = life, .snapshot = life_arg(task, "snapname")};
	int r;

	clone.source = life_of_guest(task, (unsigned)life_number(task, "source"));
	if ((r = life_slot_enter(task, life, &clone.source, NULL, err)) == 0 &&
	    (r = begin(task, &clone, err)) == 0 && (r = copy_held(task, &clone, err)) == 0 &&
	    (r = renew(task, &clone, err)) == 0 && (r = task_check_cancelled(err)) == 0 &&
	    clone.is_locked)
		r = life_unlock(&clone.source, life, life->disk_lock, UNDERWAY_CLONE, err);
	if (r == 0)
		r = life_edit(task, life, unlock_copy, NULL, err);
	if (r < 0)
		undo(task, &clone);
	task_slot_leave();
	free(clone.volumes);
	fields_fini(&clone.foreign);
	guest_config_fini(&clone.config);
	return r < 0 ? err_prefix(err, "clone of %s %u failed", life->ops->label,
				  clone.source.guest)
		     : 0;
}

int life_clone_release_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	return release_source(task, life, NULL, err);
}

int life_clone_undo_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	const struct guest_creation made = {.ops = life->ops, .clean = life->clean};
	struct task_ctx source = life_of_guest(task, (unsigned)life_number(task, "source"));

	task_log("removing what an unfinished copy %u left", task->guest);
	return undo_both(task, &made, life_arg(task, "locks-source") ? &source : NULL, life, err);
}
