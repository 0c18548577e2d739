/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storage drivers: one table of functions per type. Blocking; runs in job and helper processes only.
 * Sizes in bytes. Volume names are the part after the colon. No entry of a table is NULL: what a type
 * cannot do answers ERR_UNSUPPORTED "feature not available: why", the same as volume_feature_check()
 * (storage/volid/feature.h), which the core asks. Nothing is left behind by what fails. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "storage/volid/feature.h"
#include "storage/volid/storage_cfg.h"
#include "storage/volid/volid.h"

struct volume_info {
	char volid[VOLID_MAX];
	char format[16];
	char content[16];
	char parent[VOLID_MAX]; /* volume id of the base of a linked clone, else "" */
	uint64_t size;		/* virtual size; of a subvol its limit, 0: none */
	uint64_t used;		/* bytes on disk */
	uint64_t ctime;		/* wall clock, s */
	unsigned vmid;
	bool is_protected; /* a backup that is not to be removed */
	bool has_notes;
};

struct storage_space {
	uint64_t total, used, available;
};

struct volume_alloc {
	unsigned vmid;
	enum volume_content content;
	const char *
		format; /* "raw", "qcow2", "subvol" or NULL: the driver's default for the content */
	const char *name; /* file name, or NULL: the next free vm-VMID-disk-N */
	uint64_t size;	  /* of a subvol: its limit, 0: none */
};

typedef int (*volume_each_fn)(const struct volume_info *info, void *ctx);
typedef int (*snapshot_each_fn)(const char *name, uint64_t ctime, void *ctx);

struct storage_driver {
	const char *type;
	/* Makes sure that it can be used (mounted, folders there). */
	int (*activate)(const struct storage_def *def, struct err *err);
	int (*status)(const struct storage_def *def, struct storage_space *ret, struct err *err);
	int (*list)(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err);
	int (*alloc)(const struct storage_def *def, const struct volume_alloc *what,
		     char ret_volid[VOLID_MAX], struct err *err);
	/* With all its snapshots. A base that clones stand on is ERR_BUSY. */
	int (*free)(const struct storage_def *def, const struct volid *volume, struct err *err);
	/* Absolute path of the file, block device or directory. */
	int (*path)(const struct storage_def *def, const struct volid *volume, struct buf *ret,
		    struct err *err);
	/* A copy gets its name when it is complete: the volume, made under storage_copy_name(), becomes that file of the
	 * same guest. A name in use is ERR_EXISTS, and stays. */
	int (*rename)(const struct storage_def *def, const struct volid *volume, const char *file,
		      char ret_volid[VOLID_MAX], struct err *err);
	/* Removes what jobs that are gone left unfinished of this guest. */
	void (*sweep)(const struct storage_def *def, unsigned vmid);
	/* Only grows. An image that a running emulator has open is resized through the emulator instead
	 * (qcow2: the image's lock refuses it here). What the image holds is not touched: a container's
	 * ext4 is grown by storage/filesystem.h. A subvol gets a new limit, up or down. */
	int (*resize)(const struct storage_def *def, const struct volid *volume, uint64_t size,
		      struct err *err);
	int (*info)(const struct storage_def *def, const struct volid *volume,
		    struct volume_info *ret, struct err *err);

	/* Snapshots, by names that volume_snapshot_name_check() takes. Of a running guest they are as a power
	 * cut would leave it (freeze first); a qcow2 image that is open in an emulator must be snapshot by
	 * the emulator, and is refused here by the image's lock. */
	int (*snapshot)(const struct storage_def *def, const struct volid *volume, const char *name,
			struct err *err);
	/* Absent is fine: deleting is what an interrupted deletion does again. */
	int (*snapshot_delete)(const struct storage_def *def, const struct volid *volume,
			       const char *name, struct err *err);
	/* The current state becomes that of the snapshot, all at once; newer snapshots stay. The guest is
	 * stopped. */
	int (*rollback)(const struct storage_def *def, const struct volid *volume, const char *name,
			struct err *err);
	/* Oldest first. None, also where the type has none. */
	int (*snapshots)(const struct storage_def *def, const struct volid *volume,
			 snapshot_each_fn each, void *ctx, struct err *err);
	/* Path of a snapshot, to be read only; ERR_UNSUPPORTED where it has none (qcow2: storage/copy.h
	 * reads those). */
	int (*snapshot_path)(const struct storage_def *def, const struct volid *volume,
			     const char *name, struct buf *ret, struct err *err);

	/* A linked clone on the same storage. as: vmid, content and name; format and size are given by the
	 * source (a clone of a raw base on `dir` is a qcow2 image). snapshot: NULL for the current state. */
	int (*clone)(const struct storage_def *def, const struct volid *volume,
		     const char *snapshot, const struct volume_alloc *as, char ret_volid[VOLID_MAX],
		     struct err *err);
	/* Renames vm-… to base-… and makes it read-only; already a base: nothing happens. */
	int (*to_base)(const struct storage_def *def, const struct volid *volume,
		       char ret_volid[VOLID_MAX], struct err *err);

	/* The volume as one stream (storage/stream.h), sparse where it is; snapshot NULL: the current
	 * state. import makes a new volume of it: as->size is the stream's. */
	int (*export)(const struct storage_def *def, const struct volid *volume,
		      const char *snapshot, int fd, struct err *err);
	int (*import)(const struct storage_def *def, const struct volume_alloc *as, int fd,
		      char ret_volid[VOLID_MAX], struct err *err);

	/* A new file of this content, open for writing under a temporary name; commit renames it to
	 * its final name (must be absent), abort removes it. */
	int (*import_begin)(const struct storage_def *def, enum volume_content content,
			    const char *file, int *ret_fd, char ret_temp[256], struct err *err);
	int (*import_commit)(const struct storage_def *def, enum volume_content content,
			     const char *temp, const char *file, struct err *err);
	void (*import_abort)(const struct storage_def *def, enum volume_content content,
			     const char *temp);

	/* Notes (UTF-8 text, appended to ret; none: nothing) and protection of backups. NULL leaves one as
	 * it is; "" removes the notes. Other content: ERR_UNSUPPORTED. */
	int (*notes)(const struct storage_def *def, const struct volid *volume, struct buf *ret,
		     struct err *err);
	int (*set_attributes)(const struct storage_def *def, const struct volid *volume,
			      const char *notes, const bool *is_protected, struct err *err);
};

/* A file name for a volume that this process fills: it tells its owner, is not listed, and is swept once the process is
 * gone. */
void storage_copy_name(unsigned vmid, const char *format, char ret[256]);

const struct storage_driver *storage_driver_find(const char *type); /* NULL: unknown type */

/* template/template.h has unpacking, copy.h full copies, filesystem.h the file systems inside images. */
