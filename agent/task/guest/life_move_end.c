/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a move, and of one whose job died. Runs in jobs. */
#include "agent/task/guest/life_move.h"

#include <string.h>

#include "agent/base/str.h"
#include "agent/guest/underway.h"

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

int life_move_finish(struct task_ctx *task, const struct life *life, const struct life_move *move,
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
	int r = life_edit(task, life, end, (void *)kept, err);

	if (r < 0)
		task->is_unfinished = true;
	return r;
}

static int give_up(struct task_ctx *task, const struct life *life, const struct life_move *move,
		   struct err *err)
{
	struct err why = ERR_INIT;
	int r = move->to[0] && !move->is_foreign ? life_free(task, life, move->to, &why) : 0;

	if (life_is_over(task, r)) { /* its storage is no more: that would fail for ever */
		task_warn(task, "volume %s is left: %s", move->to, why.message);
		r = 0;
	}
	if (r < 0)
		return err_set(err, (enum err_code)why.code, "%s", why.message);
	return life_edit(task, life, end, NULL, err);
}

/* -- how far it came -- */

struct found {
	struct life_move move;
	char key[16];
	bool is_there, is_done;
};

static void read_section(const struct guest_config *config, const struct guest_section *section,
			 struct found *found)
{
	const struct fields *keys = &section->keys;
	struct life_move *move = &found->move;
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
	return found->is_done ? life_move_finish(task, life, &found->move, err)
			      : give_up(task, life, &found->move, err);
}

/* The failure of a change does not tell that it was not made: what is stored does. Until that can be read nothing is
 * removed, and the lock stays. */
int life_move_fail(struct task_ctx *task, const struct life_move *move, int failure,
		   struct err *err)
{
	const struct life *life = move->life;
	struct found found = {0};
	struct err why = ERR_INIT;
	int r = life_edit(task, life, claim, &found, &why);

	found.move.is_foreign = move->is_foreign;
	if (r == 0 && found.is_there)
		r = end_as_found(task, life, &found, &why);
	if (found.is_done) {
		if (err)
			*err = why;
		return r;
	}
	if (r < 0)
		task_leave(task, "could not remove everything: %s", why.message);
	return failure;
}

int life_move_undo_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct found found = {0};
	int r = life_edit(task, life, claim, &found, err);

	if (r < 0 || !found.is_there)
		return life_is_over(task, r) ? 0 : r;
	r = end_as_found(task, life, &found, err);
	return life_is_over(task, r) ? 0 : r; /* the guest is gone */
}
