/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The move of a volume, step by step: life_move.c begins and copies, life_move_commit.c puts the copy in place,
 * life_move_end.c ends it, from wherever it came to. A section of the configuration says what is under way before it is
 * done:
 *
 *   [special:move]  key: rootfs   from: local:101/…   to: btr:101/…   delete: 1   guest: 102   guest-key: mp0
 *
 * The copy is made under the name `to`; one change of the configuration (of both guests, where there are two) puts it
 * in place of `from`. Before that change undoing frees `to`, after it what is left to do is done. */
#pragma once

#include "agent/task/guest/life_parts.h"

struct life_move {
	const struct life *life;
	const char *key;	    /* of the volume */
	struct guest_volume volume; /* as it was */
	char to[VOLID_MAX];
	bool is_foreign; /* `to` is not ours: somebody else took the name first */
	bool is_deleted; /* the old one */
	unsigned other;	 /* guest that gets it, 0: its own */
	const char *other_key;
};

void life_move_write(struct guest_config *config, const struct life_move *move);
/* Puts the copy in place. A failure does not tell that the change was not made. */
int life_move_commit(struct task_ctx *task, const struct life_move *move, struct err *err);
/* After the change. */
int life_move_finish(struct task_ctx *task, const struct life *life, const struct life_move *move,
		     struct err *err);
/* After `failure`, whose error is in err, before or at the change: forward if it was made all the same, else back. */
int life_move_fail(struct task_ctx *task, const struct life_move *move, int failure,
		   struct err *err);
