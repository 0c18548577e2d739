/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Full copies of volumes, between storages of any type: what `clone full` and moving a disk are made of.
 * Job processes only. */
#pragma once

#include <stdbool.h>

#include "storage/storage.h"

struct volume_copy {
	const struct storage_def *from;
	const struct volid *volume;
	const char *snapshot; /* NULL: the current state */
	const struct storage_def *to;
	/* vmid, content and name of the copy; format NULL: the source's, or what the target has for it; size 0:
	 * the source's */
	struct volume_alloc as;
	uint64_t bwlimit; /* bytes a second, 0: none; what is shared and not copied has none */
	bool (*is_stopped)(void);			 /* asked now and then, or NULL */
	void (*progress)(uint64_t done, uint64_t total); /* of raw images, or NULL */
};

/* Makes the new volume; on failure and when stopped (ERR_CANCELLED) none is left. Images become images of
 * any format, a subvol becomes a subvol; one into the other is ERR_UNSUPPORTED. The source must not change
 * meanwhile: stopped guest, snapshot or base. A raw image that is still mounted is waited for, minutes if need be (ERR_BUSY),
 * and locked while it is copied: nobody mounts it. */
int volume_copy(const struct volume_copy *copy, char ret_volid[VOLID_MAX], struct err *err);
