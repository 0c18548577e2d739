/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs on the volumes of a guest of any kind: snapshots, copies, templates, growing, moving. A kind's program
 * runs them with what only the kind can do (struct life). Each job leaves in the configuration how far it came (a
 * lock, and what it makes or "special:…") before it does it, so that its undo, or the same job again, finds it. Runs in jobs.
 *
 *   job            arguments                                     lock                 undo
 *   snapshot       snapname, description                         snapshot             snapshot_undo
 *   delsnapshot    snapname, force                               snapshot-delete      itself
 *   rollback       snapname, start                               rollback             itself
 *   clone          source, snapname, full, storage, format,      create, on source    clone_undo
 *                  bwlimit (KiB/s)                               disk_lock
 *   template       -                                             disk_lock            itself
 *   resize         disk, size (bytes, of the whole volume)       -                    itself
 *   move           volume, storage, format, delete, bwlimit,     disk_lock            move_undo
 *                  or target-vmid, target-volume */
#pragma once

#include "agent/guest/volumes.h"
#include "agent/task/guest/storage.h"

struct life {
	const struct guest_kind_ops *ops;
	const char *disk_lock; /* "disk" */
	/* ERR_BUSY: it runs, or may. */
	int (*require_stopped)(struct task_ctx *task, struct err *err);
	/* A running guest stands still, with all it wrote on its volumes (on), or goes on; nothing to do is fine.
	 * NULL: such guests cannot. */
	int (*hold)(struct task_ctx *task, bool on, struct err *err);
	int (*stop)(struct task_ctx *task,
		    struct err *err); /* at once; one that does not run is fine */
	int (*start)(struct task_ctx *task, struct err *err);
	/* The storage's part is done; path: of the volume. Makes the guest and what is inside follow. */
	int (*grow)(struct task_ctx *task, const struct guest_volume *volume, const char *path,
		    struct err *err);
	/* Before the storage's part; 1: the guest runs and did it all by itself; an error: it could not follow
	 * while it runs. NULL: never. */
	int (*grow_running)(struct task_ctx *task, const struct guest_volume *volume, uint64_t size,
			    struct err *err);
	/* A copy gets an identity of its own inside. NULL: nothing to do. */
	int (*renew)(struct task_ctx *task, const struct guest_config *config, struct err *err);
	/* What a guest leaves outside of its volumes. NULL: nothing. */
	void (*clean)(unsigned vmid);
};

int life_snapshot_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_snapshot_undo_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_delsnapshot_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_rollback_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_clone_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_clone_undo_run(struct task_ctx *task, const struct life *life, struct err *err);
/* Of a source whose copy's job is gone. */
int life_clone_release_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_template_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_resize_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_move_run(struct task_ctx *task, const struct life *life, struct err *err);
int life_move_undo_run(struct task_ctx *task, const struct life *life, struct err *err);
/* Frees every volume that any section of the configuration of a stopped guest names, for it is destroyed; those of
 * other guests stay. Argument destroy-unreferenced-disks: those that nothing names as well. On failure the guest is
 * whole if none of its volumes is gone, else locked ("destroyed"). */
int life_destroy_volumes(struct task_ctx *task, const struct life *life, struct err *err);
int life_config_delete(struct task_ctx *task, const struct life *life, struct err *err);
/* *ret false: it is to be carried on, and was not begun or came to its end. Another guest may have the number by now. */
int life_destroy_is_meant(struct task_ctx *task, const struct life *life, bool *ret,
			  struct err *err);
/* Did the job that this one does again come to its end, so that the guest is not there? */
bool life_is_over(const struct task_ctx *task, int r);
