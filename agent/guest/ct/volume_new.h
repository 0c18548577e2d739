/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a volume for a mount point. Its name is known before it is there, so that the configuration can name it
 * first: what a killed job leaves is always named. */
#pragma once

#include "agent/guest/ct/volume.h"

struct ct_new_volume {
	struct task_storage storage;
	const char *format;
	char *name;
	char volid[VOLID_MAX]; /* as it will be called, then as it is called */
	uint64_t size;
};

/* mp->is_new. config: whose volumes are not to be met. */
int ct_new_volume_open(struct task_ctx *task, const struct ct_mp *mp,
		       const struct guest_config *config, struct ct_new_volume *ret,
		       struct err *err);
/* Makes it, with an empty file system. ERR_EXISTS: it is somebody else's and must not be freed. */
int ct_new_volume_make(struct task_ctx *task, struct ct_new_volume *volume, struct err *err);
void ct_new_volume_close(struct ct_new_volume *volume);
/* An empty file system that belongs to root; a subvolume is part of its storage's. */
int ct_volume_mkfs(const char *path, struct err *err);
