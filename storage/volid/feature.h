/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the storage types can do with a volume, as one table: `…/feature` asks it, and every operation
 * of a driver asks it first, so that both say the same. Pure, also for the core. */
#pragma once

#include "agent/base/err.h"
#include "storage/volid/volid.h"

enum volume_feature {
	VOLUME_SNAPSHOT, /* take, delete and roll back snapshots */
	VOLUME_CLONE,	 /* a copy that shares what is equal (linked clone) */
	VOLUME_COPY,	 /* a full copy */
	VOLUME_RESIZE,
	VOLUME_TEMPLATE, /* become a base volume */
};

#define VOLUME_SNAPSHOT_NAME_MAX 40

/* 0, or ERR_UNSUPPORTED "feature not available: why". type is the storage's ("dir"). snapshot: of the
 * state of that name, NULL: of the current one. Raw images do not tell whose they are: set
 * volume->content to VOLUME_ROOTDIR for a container's. Whether the volume or snapshot exists is not
 * looked at. */
int volume_feature_check(const char *type, const struct volid *volume, const char *snapshot,
			 enum volume_feature feature, struct err *err);
/* "snapshot", "clone", "copy" and so on; unknown: ERR_INVALID naming "feature". */
int volume_feature_from_name(const char *name, enum volume_feature *ret, struct err *err);
/* A letter, then letters, digits, '_' and '-'; not "current". */
int volume_snapshot_name_check(const char *name, struct err *err);
/* The format that a new volume of this content gets on a storage of this type ("raw", "subvol"). */
const char *volume_default_format(const char *type, enum volume_content content);
