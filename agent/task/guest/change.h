/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job that changes a guest's configuration, of any kind of guest; the core checked who may. What a kind's volumes are,
 * and which go, is the kind's.
 *
 * A volume to make is first named in the configuration as unusedN, then made, then takes its place: a job that is
 * killed leaves nothing that is not named. One to free is freed before its name goes. */
#pragma once

#include "agent/guest/update.h"
#include "agent/task/task.h"

struct guest_change {
	const struct guest_kind_ops *ops;
	struct fields set;
	const char *delete_list, *revert_list, *raw; /* borrowed from the job's arguments */
	struct fields made; /* volumes that this job made or is about to: ids as names */
	bool is_checked;    /* the digest that the caller knows was there */
};

/* Arguments: set.KEY, delete, revert, lxc, digest. */
void guest_change_read(const struct task_ctx *task, const struct guest_kind_ops *ops,
		       struct guest_change *ret);
void guest_change_fini(struct guest_change *change);

typedef int (*guest_change_step)(struct task_ctx *task, struct guest_change *change,
				 struct guest_config *config, struct err *err);
/* Reads, lets step edit, and writes; again when someone else was faster, unless the caller named the digest that it
 * knows. ERR_BUSY: the guest is locked; ERR_CONFLICT. */
int guest_change_edit(struct task_ctx *task, struct guest_change *change, guest_change_step step,
		      struct err *err);
/* The update that is asked for; the rest of it is zero. */
struct guest_update guest_change_update(const struct guest_change *change, bool is_running);
/* Names a volume before it is made. */
int guest_change_name(struct task_ctx *task, struct guest_change *change, const char *volid,
		      struct err *err);
/* It is not ours: it must not be freed. */
void guest_change_disown(struct guest_change *change, const char *volid);
/* The change failed: frees what was made, and its names. What a key in use names stays. */
void guest_change_undo(struct task_ctx *task, struct guest_change *change);
/* Keys that are to be deleted. Free with strv_free(). */
char **guest_change_deleted(const struct guest_change *change);
int guest_change_free_volume(struct task_ctx *task, const struct guest_change *change,
			     const char *volid, struct err *err);
