/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The change that moves a volume: of one configuration, or of two at once. Runs in jobs. */
#include "agent/task/guest/life_move.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/update.h"

#define TRIES 10

/* Takes the old volume out of the guest that had it. */
static int leave(const struct life *life, struct guest_config *config, const struct life_move *move,
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
	const struct life_move *move = ctx;
	const char *before = life_value_of(life, config, move->key, move->volume.volid, err);

	if (!before)
		return -ERR_BUSY;
	autofree char *value = guest_volume_value(before, move->to, 0);

	guest_config_set(config, move->key, value);
	return leave(life, config, move, err);
}

/* Can the other guest have it there? Options that its bus or its controller does not know would keep it from
 * starting, and from every change. */
static int receive(const struct life_move *move, struct guest_config *theirs, const char *value,
		   struct err *err)
{
	int r = life_lock_check(move->life, theirs, NULL, err);

	if (r == 0 && life_has_pending(theirs, move->other_key))
		r = err_set(err, ERR_BUSY, "a change of '%s' waits for the next start",
			    move->other_key);
	if (r == 0) {
		guest_config_set(theirs, move->other_key, value);
		r = guest_config_check(move->life->ops, theirs, err);
		if (r < 0 && err && err->field[0])
			err_prefix(err, "%s", err->field);
	}
	return r < 0 ? err_prefix(err, "guest %u", move->other) : 0;
}

/* The volume's value as the other guest has it: its options go with it, unless nothing uses it there. */
static int give(const struct life_move *move, struct guest_config *own, struct guest_config *theirs,
		struct err *err)
{
	const char *before = life_value_of(move->life, own, move->key, move->volume.volid, err);
	autofree char *value = guest_volume_value(before ?: "", move->to, 0);

	if (!before)
		return -ERR_BUSY;
	if (guest_config_get(theirs, move->other_key))
		return err_set(err, ERR_EXISTS, "guest %u has '%s' already", move->other,
			       move->other_key);
	int r = receive(move, theirs, guest_key_is_unused(move->other_key) ? move->to : value, err);

	if (r < 0)
		return r;
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

static int commit_once(struct task_ctx *task, const struct life_move *move, struct err *err)
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
static int commit_both(struct task_ctx *task, const struct life_move *move, struct err *err)
{
	int r = -ERR_CONFLICT;

	for (int i = 0; r == -ERR_CONFLICT && i < TRIES; i++)
		r = commit_once(task, move, err);
	return r;
}

int life_move_commit(struct task_ctx *task, const struct life_move *move, struct err *err)
{
	return move->other ? commit_both(task, move, err)
			   : life_edit(task, move->life, commit, (void *)move, err);
}
