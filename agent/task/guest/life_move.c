/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: move a volume to another storage, or to another guest. A section of the configuration says what is under way
 * before it is done:
 *
 *   [special:move]  key: rootfs   from: local:101/…   to: btr:101/…   delete: 1   guest: 102   guest-key: mp0
 *
 * The copy is made under the name `to`; one change of the configuration (of both guests, where there are two) puts it
 * in place of `from`. Before that change undoing frees `to`, after it what is left to do is done. Runs in jobs. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/life_parts.h"
#include "agent/task/guest/slot.h"

#define TRIES 10

struct move {
	const struct life *life;
	const char *key;	    /* of the volume */
	struct guest_volume volume; /* as it was */
	char to[VOLID_MAX];
	bool is_deleted; /* the old one */
	unsigned other;	 /* guest that gets it, 0: its own */
	const char *other_key;
};

/* -- what is under way -- */

static void write_section(struct guest_config *config, const struct move *move)
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
		       struct move *move, struct err *err)
{
	const char *value = guest_config_get(config, move->key);
	int r = value ? guest_volume_read(life->ops, move->key, value, &move->volume, err) : 0;

	if (r == 0)
		return err_field(err, "volume", "'%s' has no volume", move->key);
	return r < 0 ? r : 0;
}

static int check_use(const struct life *life, const struct guest_config *config,
		     const struct move *move, struct err *err)
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

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct move *move = ctx;
	int r = life_lock_check(life, config, NULL, err);

	if (r == 0)
		r = find_volume(life, config, move, err);
	if (r == 0)
		r = check_use(life, config, move, err);
	if (r < 0)
		return r;
	write_section(config, move);
	guest_config_set(config, "lock", life->disk_lock);
	return 0;
}

static int note_target(const struct life *life, struct guest_config *config, void *ctx,
		       struct err *err)
{
	if (!life_is_locked(config, life->disk_lock))
		return err_set(err, ERR_BUSY, "the lock was taken away meanwhile");
	write_section(config, ctx);
	return 0;
}

static int note(struct task_ctx *task, const char *volid, void *ctx, struct err *err)
{
	struct move *move = ctx;

	str_copy(move->to, sizeof(move->to), volid);
	return life_edit(task, move->life, note_target, move, err);
}

/* -- the change itself -- */

/* Takes the old volume out of the guest that had it. */
static int leave(const struct life *life, struct guest_config *config, const struct move *move,
		 struct err *err)
{
	if (!life_is_locked(config, life->disk_lock))
		return err_set(err, ERR_BUSY, "the lock was taken away meanwhile");
	if (move->is_deleted || guest_volume_is_named(life->ops, config, "", move->volume.volid))
		return 0;
	return guest_unused_add(config, move->volume.volid, NULL, err);
}

static int commit(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	const struct move *move = ctx;
	const char *before = guest_config_get(config, move->key);

	if (!before)
		return err_set(err, ERR_BUSY, "%s was removed meanwhile", move->key);
	autofree char *value = guest_volume_value(before, move->to, 0);

	guest_config_set(config, move->key, value);
	return leave(life, config, move, err);
}

/* The volume's value as the other guest has it: its options go with it, unless nothing uses it there. */
static int give(const struct move *move, struct guest_config *own, struct guest_config *theirs,
		struct err *err)
{
	const char *before = guest_config_get(own, move->key);
	autofree char *value = guest_volume_value(before ?: "", move->to, 0);
	int r = life_lock_check(move->life, theirs, NULL, err);

	if (r < 0)
		return err_prefix(err, "guest %u", move->other);
	if (!before)
		return err_set(err, ERR_BUSY, "%s was removed meanwhile", move->key);
	if (guest_config_get(theirs, move->other_key))
		return err_set(err, ERR_EXISTS, "guest %u has '%s' already", move->other,
			       move->other_key);
	guest_config_set(theirs, move->other_key,
			 guest_key_is_unused(move->other_key) ? move->to : value);
	guest_config_delete(own, move->key);
	return leave(move->life, own, move, err);
}

struct side {
	struct guest_config config;
	uint64_t version;
	char *path; /* owned */
};

static int side_read(struct task_ctx *task, const struct life *life, unsigned vmid,
		     struct side *ret, struct err *err)
{
	struct task_ctx guest = life_of_guest(task, vmid);

	ret->path = xasprintf("/nodes/%s/%s/%u.conf", task->node, life->ops->name, vmid);
	return task_config_get(&guest, life->ops->name, &ret->config, &ret->version, err);
}

static void side_fini(struct side *side)
{
	guest_config_fini(&side->config);
	free(side->path);
}

static void side_put(struct task_txn *txn, const struct side *side)
{
	autobuf text = BUF_INIT;

	guest_config_format(&side->config, &text);
	task_txn_require(txn, side->path, side->version);
	task_txn_put(txn, side->path, buf_str(&text), text.size);
}

static int store_both(struct task_ctx *task, const struct side *own, const struct side *theirs,
		      struct err *err)
{
	struct task_txn *txn = task_txn_new(task->user);
	int r;

	side_put(txn, own);
	side_put(txn, theirs);
	r = task_txn_commit(txn, err);
	task_txn_free(txn);
	return r;
}

static int commit_once(struct task_ctx *task, const struct move *move, struct err *err)
{
	struct side own = {0}, theirs = {0};
	int r;

	if ((r = side_read(task, move->life, task->guest, &own, err)) == 0 &&
	    (r = side_read(task, move->life, move->other, &theirs, err)) == 0 &&
	    (r = give(move, &own.config, &theirs.config, err)) == 0)
		r = store_both(task, &own, &theirs, err);
	side_fini(&own);
	side_fini(&theirs);
	return r;
}

/* Both guests change, or none. */
static int commit_both(struct task_ctx *task, const struct move *move, struct err *err)
{
	int r = -ERR_CONFLICT;

	for (int i = 0; r == -ERR_CONFLICT && i < TRIES; i++)
		r = commit_once(task, move, err);
	return r;
}

/* -- the end -- */

/* ctx: volume id that is to be kept as unused, or NULL. */
static int end(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	guest_config_section_remove(config, UNDERWAY_MOVE);
	if (life_is_locked(config, life->disk_lock))
		guest_config_delete(config, "lock");
	return ctx && !guest_volume_is_named(life->ops, config, "", ctx)
		       ? guest_unused_add(config, ctx, NULL, err)
		       : 0;
}

static int finish(struct task_ctx *task, const struct life *life, const struct move *move,
		  struct err *err)
{
	struct err why = ERR_INIT;
	const char *kept = NULL;

	if (move->is_deleted) {
		task_log("removing volume %s", move->volume.volid);
		if (life_free(task, life, move->volume.volid, &why) < 0) {
			task_warn(task, "%s: it is kept as unused", why.message);
			kept = move->volume.volid;
		}
	}
	return life_edit(task, life, end, (void *)kept, err);
}

static int give_up(struct task_ctx *task, const struct life *life, const struct move *move,
		   struct err *err)
{
	int r = move->to[0] ? life_free(task, life, move->to, err) : 0;

	return r < 0 ? r : life_edit(task, life, end, NULL, err);
}

/* -- how far it came -- */

struct found {
	struct move move;
	char key[16];
	bool is_there, is_done;
};

static void read_section(const struct guest_config *config, const struct guest_section *section,
			 struct found *found)
{
	const struct fields *keys = &section->keys;
	struct move *move = &found->move;
	uint64_t guest = 0;

	str_copy(found->key, sizeof(found->key), fields_get(keys, "key") ?: "");
	str_copy(move->volume.volid, VOLID_MAX, fields_get(keys, "from") ?: "");
	str_copy(move->to, VOLID_MAX, fields_get(keys, "to") ?: "");
	str_to_u64(fields_get(keys, "guest") ?: "0", &guest);
	move->other = (unsigned)guest;
	move->key = found->key;
	move->is_deleted = fields_get(keys, "delete") != NULL;
	/* for another guest: the key is gone with the change */
	const char *value = guest_config_get(config, found->key);
	size_t size = strlen(move->to);

	found->is_done = guest ? !value
			       : value && size && strncmp(value, move->to, size) == 0 &&
					 (value[size] == ',' || value[size] == '\0');
}

static int claim(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct guest_section *section = guest_config_section(config, UNDERWAY_MOVE);
	struct found *found = ctx;

	(void)err;
	found->is_there = section && life_is_locked(config, life->disk_lock);
	if (found->is_there)
		read_section(config, section, found);
	return 0;
}

static int end_as_found(struct task_ctx *task, const struct life *life, const struct found *found,
			struct err *err)
{
	task_log("%s", found->is_done ? "the volume has moved: finishing"
				      : "removing what an unfinished move left");
	return found->is_done ? finish(task, life, &found->move, err)
			      : give_up(task, life, &found->move, err);
}

/* -- the job -- */

static int copy(struct task_ctx *task, struct move *move, struct err *err)
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

static int check_stopped(struct task_ctx *task, const struct move *move, struct err *err)
{
	struct task_ctx other = life_of_guest(task, move->other);
	int r = move->life->require_stopped(task, err);

	return r < 0 || !move->other ? r : move->life->require_stopped(&other, err);
}

/* The failure of a change does not tell that it was not made: what is stored does. Until that can be read nothing is
 * removed, and the lock stays. */
static int end_failed(struct task_ctx *task, const struct life *life, int failure, struct err *err)
{
	struct found found = {0};
	struct err why = ERR_INIT;
	int r = life_edit(task, life, claim, &found, &why);

	if (r == 0 && found.is_there)
		r = end_as_found(task, life, &found, &why);
	if (found.is_done) {
		if (err)
			*err = why;
		return r;
	}
	if (r < 0)
		task_warn(task, "could not remove everything: %s", why.message);
	return failure;
}

int life_move_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct move move = {.life = life,
			    .key = life_arg(task, "volume"),
			    .is_deleted =
				    life_flag(task, "delete") || life_arg(task, "target-vmid"),
			    .other = (unsigned)life_number(task, "target-vmid"),
			    .other_key = life_arg(task, "target-volume")};
	int r;

	if ((r = check_stopped(task, &move, err)) < 0 || (r = task_slot_enter(task, err)) < 0 ||
	    (r = life_edit(task, life, begin, &move, err)) < 0)
		return r;
	r = copy(task, &move, err);
	if (r == 0)
		r = move.other ? commit_both(task, &move, err)
			       : life_edit(task, life, commit, &move, err);
	return r == 0 ? finish(task, life, &move, err) : end_failed(task, life, r, err);
}

int life_move_undo_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct found found = {0};
	int r = life_edit(task, life, claim, &found, err);

	if (r < 0 || !found.is_there)
		return life_is_over(task, r) ? 0 : r;
	return end_as_found(task, life, &found, err);
}
