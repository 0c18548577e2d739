/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storage drivers: one table of functions per type. Blocking; runs in job and helper processes only.
 * Sizes in bytes. Volume names are the part after the colon. What a type cannot do answers
 * ERR_UNSUPPORTED "feature not available: why". */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "storage/volid/storage_cfg.h"
#include "storage/volid/volid.h"

struct volume_info {
	char volid[VOLID_MAX];
	char format[16];
	char content[16];
	uint64_t size;	/* virtual size */
	uint64_t used;	/* bytes on disk */
	uint64_t ctime; /* wall clock, s */
	unsigned vmid;
};

struct storage_space {
	uint64_t total, used, available;
};

struct volume_alloc {
	unsigned vmid;
	enum volume_content content;
	const char *format; /* "raw", "qcow2", "subvol" or NULL: the driver's default for the content */
	const char *name;   /* file name, or NULL: the next free vm-VMID-disk-N */
	uint64_t size;
};

typedef int (*volume_each_fn)(const struct volume_info *info, void *ctx);

struct storage_driver {
	const char *type;
	/* Makes sure that it can be used (mounted, folders there). */
	int (*activate)(const struct storage_def *def, struct err *err);
	int (*status)(const struct storage_def *def, struct storage_space *ret, struct err *err);
	int (*list)(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err);
	int (*alloc)(const struct storage_def *def, const struct volume_alloc *what,
		     char ret_volid[VOLID_MAX], struct err *err);
	int (*free)(const struct storage_def *def, const struct volid *volume, struct err *err);
	/* Absolute path of the file, block device or directory. */
	int (*path)(const struct storage_def *def, const struct volid *volume, struct buf *ret,
		    struct err *err);
	int (*resize)(const struct storage_def *def, const struct volid *volume, uint64_t size,
		      struct err *err);
	int (*info)(const struct storage_def *def, const struct volid *volume,
		    struct volume_info *ret, struct err *err);
	/* A new file of this content, open for writing under a temporary name; commit renames it to
	 * its final name (must be absent), abort removes it. */
	int (*import_begin)(const struct storage_def *def, enum volume_content content,
			    const char *file, int *ret_fd, char ret_temp[256], struct err *err);
	int (*import_commit)(const struct storage_def *def, enum volume_content content,
			     const char *temp, const char *file, struct err *err);
	void (*import_abort)(const struct storage_def *def, enum volume_content content,
			     const char *temp);
};

const struct storage_driver *storage_driver_find(const char *type); /* NULL: unknown type */

/* template.h has unpacking. */
