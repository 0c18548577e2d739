/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: move a volume to another storage, or to another guest (life_move.h). Runs in jobs. */
#include "agent/task/guest/life_move.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/underway.h"

/* -- what is under way -- */

void life_move_write(struct guest_config *config, const struct life_move *move)
{
	struct guest_section *section = guest_config_section_add(config, UNDERWAY_MOVE);

	fields_fini(&section->keys);
	section->keys = (struct fields)FIELDS_INIT;
	fields_add(&section->keys, "key", move->key);
	fields_add(&section->keys, "from", move->volume.volid);
	fields_add(&section->keys, "to", move->to[0] ? move->to : NULL);
	if (move->is_deleted)
		fields_add(&section->keys, "delete", "1");
	if (move->other) {
		fields_addf(&section->keys, "guest", "%u", move->other);
		fields_add(&section->keys, "guest-key", move->other_key);
	}
}

static int find_volume(const struct life *life, const struct guest_config *config,
		       struct life_move *move, struct err *err)
{
	const char *value = guest_config_get(config, move->key);
	int r = value ? guest_volume_read(life->ops, move->key, value, &move->volume, err) : 0;

	if (r == 0)
		return err_field(err, "volume", "'%s' has no volume", move->key);
	return r < 0 ? r : 0;
}

static int check_use(const struct life *life, const struct guest_config *config,
		     const struct life_move *move, struct err *err)
{
	const char *snapshot = guest_volume_snapshot(life->ops, config, move->volume.volid);

	if (snapshot && move->is_deleted)
		return err_set(err, ERR_BUSY,
			       "cannot move volume '%s' and delete it: snapshot '%s' needs it",
			       move->volume.volid, snapshot);
	if (life_has_pending(config, move->key))
		return err_set(err, ERR_BUSY, "a change of '%s' waits for the next start",
			       move->key);
	if (move->volume.volume.vmid == 0)
		return err_set(err, ERR_UNSUPPORTED, "'%s' is no volume of a guest",
			       move->volume.volid);
	if (move->other && volume_is_base(&move->volume.volume))
		return err_set(err, ERR_UNSUPPORTED, "a base volume belongs to its template");
	return 0;
}

/* The old volume becomes unused if it is to stay, or cannot be removed: no time to find that there is no key for it. */
static int check_room(const struct guest_config *config, const struct life_move *move,
		      struct err *err)
{
	struct guest_config copy;
	int r;

	guest_config_copy(&copy, config);
	r = guest_unused_add(&copy, move->volume.volid, NULL, err);
	guest_config_fini(&copy);
	return r;
}

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct life_move *move = ctx;
	int r = life_lock_check(life, config, NULL, err);

	if (r == 0)
		r = find_volume(life, config, move, err);
	if (r == 0)
		r = check_use(life, config, move, err);
	if (r == 0)
		r = check_room(config, move, err);
	if (r < 0)
		return r;
	life_move_write(config, move);
	guest_config_set(config, "lock", life->disk_lock);
	return 0;
}

static int note_target(const struct life *life, struct guest_config *config, void *ctx,
		       struct err *err)
{
	if (!life_is_locked(config, life->disk_lock))
		return err_set(err, ERR_BUSY, "the lock was taken away meanwhile");
	life_move_write(config, ctx);
	return 0;
}

static int note(struct task_ctx *task, const char *volid, void *ctx, struct err *err)
{
	struct life_move *move = ctx;

	move->is_foreign = volid == NULL;
	str_copy(move->to, sizeof(move->to), volid ?: "");
	return life_edit(task, move->life, note_target, move, err);
}

/* -- the job -- */

static int copy(struct task_ctx *task, struct life_move *move, struct err *err)
{
	autofields taken = FIELDS_INIT;
	struct task_ctx owner = life_of_guest(task, move->other ? move->other : task->guest);
	const char *storage = life_arg(task, "storage");
	struct guest_config config;
	char volid[VOLID_MAX];
	int r = life_read(&owner, move->life, &config, err);

	if (r < 0)
		return r;
	guest_volume_names(move->life->ops, &config, &taken);
	guest_config_fini(&config);
	/* on the same storage, to another guest: shared where the storage can; of a tree that would leave out the
	 * subvolumes that the guest made inside, and the original goes */
	bool is_linked =
		!storage && !str_eq(move->volume.volume.format, "subvol") &&
		life_check_feature(task, move->life, &move->volume, NULL, VOLUME_CLONE, NULL) == 0;
	struct life_copy what = {.volume = &move->volume,
				 .storage = storage,
				 .format = life_arg(task, "format"),
				 .vmid = owner.guest,
				 .taken = &taken,
				 .is_linked = is_linked,
				 .bwlimit = life_number(task, "bwlimit") * 1024,
				 .note = note,
				 .ctx = move};

	r = life_copy_volume(task, move->life, &what, volid, err);
	return r < 0 ? r : task_check_cancelled(err);
}

static int check_stopped(struct task_ctx *task, const struct life_move *move, struct err *err)
{
	struct task_ctx other = life_of_guest(task, move->other);
	int r = move->life->require_stopped(task, err);

	return r < 0 || !move->other ? r : move->life->require_stopped(&other, err);
}

int life_move_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct life_move move = {.life = life,
				 .key = life_arg(task, "volume"),
				 .is_deleted =
					 life_flag(task, "delete") || life_arg(task, "target-vmid"),
				 .other = (unsigned)life_number(task, "target-vmid"),
				 .other_key = life_arg(task, "target-volume")};
	int r;

	if ((r = check_stopped(task, &move, err)) < 0 ||
	    (r = life_slot_enter(task, life, task, move.key, err)) < 0 ||
	    (r = life_edit(task, life, begin, &move, err)) < 0)
		return r;
	r = copy(task, &move, err);
	if (r == 0)
		r = life_move_commit(task, &move, err);
	return r == 0 ? life_move_finish(task, life, &move, err)
		      : life_move_fail(task, &move, r, err);
}
