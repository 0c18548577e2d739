/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the jobs of life.h share. Private to agent/task/guest/life*.c. */
#pragma once

#include "agent/task/guest/life.h"

/* The same job, as if it were another guest's: for configurations and hold(). Borrows. */
struct task_ctx life_of_guest(const struct task_ctx *task, unsigned vmid);

/* Reads the guest's configuration, lets fn change it, writes it, from the start when someone else changed it
 * meanwhile: fn may be called several times, each time with the newest.
 * An undo writes even what is as it should be: a last write of the dead job, still on its way to the store, then comes
 * too late. */
typedef int (*life_edit_fn)(const struct life *life, struct guest_config *config, void *ctx,
			    struct err *err);
int life_edit(struct task_ctx *task, const struct life *life, life_edit_fn fn, void *ctx,
	      struct err *err);
int life_read(struct task_ctx *task, const struct life *life, struct guest_config *ret,
	      struct err *err);
/* ERR_BUSY "CT is locked (x)" unless the lock is `allowed` (may be NULL) or there is none. */
int life_lock_check(const struct life *life, const struct guest_config *config, const char *allowed,
		    struct err *err);
/* Takes the lock away if it is this one; with it what the configuration says is under way (may be NULL). */
int life_unlock(struct task_ctx *task, const struct life *life, const char *lock,
		const char *underway, struct err *err);
/* May the one who asked for the job have these keys come into force (agent/guest/ct_roots.h)? What the core looked at may have
 * changed since. */
int life_check_roots(const struct task_ctx *task, const struct life *life,
		     const struct fields *keys, const struct guest_config *now, struct err *err);
/* A change of this key waits for the next start. */
bool life_has_pending(const struct guest_config *config, const char *key);
/* The key's value, which must name that volume still; NULL: ERR_BUSY. */
const char *life_value_of(const struct life *life, const struct guest_config *config,
			  const char *key, const char *volid, struct err *err);
bool life_is_locked(const struct guest_config *config, const char *lock);

/* Volumes in use, in the order of their keys. Heap array. */
int life_used_volumes(const struct life *life, const struct guest_section *section,
		      struct guest_volume **ret, size_t *ret_count, struct err *err);
/* Of a snapshot that is to be read or deleted: ERR_UNSUPPORTED while the guest runs and has its images open. */
int life_check_open(struct task_ctx *task, const struct life *life,
		    const struct guest_config *config, const char *snapshot, const char *action,
		    struct err *err);
int life_storage_open(struct task_ctx *task, const struct life *life, const struct guest_volume *v,
		      struct task_storage *ret, struct err *err);
/* Opens its storage and asks whether that can do it. */
int life_check_feature(struct task_ctx *task, const struct life *life, const struct guest_volume *v,
		       const char *snapshot, enum volume_feature feature, struct err *err);
/* Calls fn for each, with its storage open. An undo passes over, with a warning, a volume that is gone, or its
 * storage: it would be missed for ever. */
typedef int (*life_volume_fn)(struct task_ctx *task, const struct task_storage *storage,
			      const struct guest_volume *v, void *ctx, struct err *err);
int life_each_volume(struct task_ctx *task, const struct life *life,
		     const struct guest_volume *volumes, size_t count, life_volume_fn fn, void *ctx,
		     struct err *err);
/* A volume of whichever guest, by its id; gone is fine. */
int life_free(struct task_ctx *task, const struct life *life, const char *volid, struct err *err);

/* A volume that becomes another one. */
struct life_copy {
	const struct guest_volume *volume;
	const char *snapshot;	    /* or NULL */
	const char *storage;	    /* NULL: the same */
	const char *format;	    /* NULL: the source's, or what the storage has */
	unsigned vmid;		    /* owner of the copy */
	const struct fields *taken; /* volume ids as names: their numbers are not used again */
	bool is_linked;
	uint64_t bwlimit; /* bytes a second, 0: none */
	/* Told the id under which it will be made, before; and again if it came out differently; NULL: somebody else
	 * took that name meanwhile, nothing of ours has it. Undoing must not free it even if this cannot be stored. */
	int (*note)(struct task_ctx *task, const char *volid, void *ctx, struct err *err);
	void *ctx;
};
/* Waits for a place (slot.h) for copies of a volume of that guest, by its key, or of all that it uses (NULL), to the
 * storage of the job's arguments. */
int life_slot_enter(struct task_ctx *task, const struct life *life, struct task_ctx *source,
		    const char *key, struct err *err);
int life_copy_volume(struct task_ctx *task, const struct life *life, const struct life_copy *copy,
		     char ret_volid[VOLID_MAX], struct err *err);

const char *life_arg(const struct task_ctx *task, const char *name); /* NULL: not given */
bool life_flag(const struct task_ctx *task, const char *name);
uint64_t life_number(const struct task_ctx *task, const char *name);
bool life_is_undo(const struct task_ctx *task); /* of the same job, which died */
