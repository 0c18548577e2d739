/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storages and volumes as a container's job needs them: /storage.cfg from the store, then the driver. */
#pragma once

#include "agent/task/task.h"
#include "storage/storage.h"

struct ct_storage {
	struct storage_cfg cfg; /* owns def */
	const struct storage_def *def;
	const struct storage_driver *driver;
};

/* Looks the storage up, checks that it is enabled for this node and holds `content`, activates it. */
int ct_storage_open(struct task_ctx *task, const char *id, enum volume_content content,
		    struct ct_storage *ret, struct err *err);
void ct_storage_close(struct ct_storage *storage);
/* Absolute path of a volume. */
int ct_volume_path(struct task_ctx *task, const char *volid, struct buf *ret, struct err *err);
/* Frees a volume; one that is not there is fine. */
int ct_volume_free(struct task_ctx *task, const char *volid, struct err *err);
/* The first name vm-VMID-disk-N.raw that the storage does not have yet (heap). */
char *ct_volume_next_name(const struct ct_storage *storage, unsigned vmid, struct err *err);
