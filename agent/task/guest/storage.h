/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storages and volumes as a guest's job needs them: /storage.cfg from the store, then the driver. */
#pragma once

#include "agent/task/task.h"
#include "storage/storage.h"

struct task_storage {
	struct storage_cfg cfg; /* owns def */
	const struct storage_def *def;
	const struct storage_driver *driver;
};

/* Looks the storage up, checks that it is enabled for this node and holds `content`, activates it. */
int task_storage_open(struct task_ctx *task, const char *id, enum volume_content content,
		      struct task_storage *ret, struct err *err);
void task_storage_close(struct task_storage *storage);
/* Absolute path of a volume, which is looked for on a storage that holds `content`. */
int task_volume_path(struct task_ctx *task, const struct volid *volume, enum volume_content content,
		     struct buf *ret, struct err *err);
/* Frees a volume of the guest; one that is not there is fine. */
int task_volume_free(struct task_ctx *task, const struct volid *volume, enum volume_content content,
		     struct err *err);
/* Frees every volume of the guest with this content on every storage of this node that answers. */
int task_volumes_free_all(struct task_ctx *task, enum volume_content content, struct err *err);
/* The first name vm-VMID-disk-N.FORMAT (subvol-… of a subvol) whose number neither the storage has, nor one of the volume ids that
 * are the names in `known` (may be NULL). Heap. */
char *task_volume_next_name(const struct task_storage *storage, unsigned vmid, const char *format,
			    const struct fields *known, struct err *err);
/* Says so when the storage has less room than the volume may take one day. */
void task_volume_warn_space(struct task_ctx *task, const struct task_storage *storage,
			    uint64_t size);
