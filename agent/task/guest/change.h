/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job that changes a guest's configuration, of any kind of guest; the core checked who may. What a kind's volumes are,
 * and which go, is the kind's.
 *
 * A volume to make is first named in the configuration as unusedN, then made, then takes its place; one to free is
 * freed before its name goes. Until the change is done a section ([special:config]) says which volumes these are, and of
 * which job: the undo of one that was killed frees its own, and their names go.
 *
 * A caller who names the digest that it knows has no other user's change overwritten: each write must find what the
 * one before it left. */
#pragma once

#include "agent/guest/update.h"
#include "agent/task/task.h"

struct guest_change {
	const struct guest_kind_ops *ops;
	struct fields set;
	const char *delete_list, *revert_list, *raw; /* borrowed from the job's arguments */
	/* Ids as names: volumes that this job made or is about to ("" or "foreign": it has the name from us, the
	 * volume from somebody else); and those that it frees ("" or "freed"). */
	struct fields made, doomed;
	const char *owner; /* of what is noted: the job's serial, borrowed; NULL: whoever's */
	char written[SHA1_HEX_SIZE]; /* digest of what this job wrote last; "": nothing */
	bool is_checked;	     /* what others change is no matter any more */
	bool is_undone;		     /* whatever the lock says */
};

/* Arguments: set.KEY, delete, revert, lxc, digest, skiplock. */
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
/* It is not ours: it must not be freed, but its name goes with the others when the change is undone. */
void guest_change_disown(struct guest_change *change, const char *volid);
/* The volume is to be freed; the step says so in the configuration. What is not freed when the change fails stays. */
void guest_change_doom(struct guest_change *change, const char *volid);
int guest_change_note_doomed(struct task_ctx *task, struct guest_change *change,
			     struct guest_config *config, struct err *err);
/* In the step that does the change: nothing is under way any more. */
void guest_change_end(const struct guest_change *change, struct guest_config *config);
/* The change failed: frees what was made, and its names. What a key in use names stays. */
void guest_change_undo(struct task_ctx *task, struct guest_change *change);
/* The job "config-undo". */
int guest_change_undo_run(struct task_ctx *task, const struct guest_kind_ops *ops, struct err *err);
/* Keys that are to be deleted. Free with strv_free(). */
char **guest_change_deleted(const struct guest_change *change);
int guest_change_free_volume(struct task_ctx *task, struct guest_change *change, const char *volid,
			     struct err *err);
