/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storages and volumes as a virtual machine's job needs them: /storage.cfg from the store, then the driver. */
#pragma once

#include "agent/guest/vm_schema.h"
#include "agent/task/task.h"
#include "storage/storage.h"

struct vm_storage {
	struct storage_cfg cfg; /* owns def */
	const struct storage_def *def;
	const struct storage_driver *driver;
};

/* Looks the storage up, checks that it is enabled for this node and holds `content`, activates it. */
int vm_storage_open(struct task_ctx *task, const char *id, enum volume_content content,
		    struct vm_storage *ret, struct err *err);
void vm_storage_close(struct vm_storage *storage);
/* Absolute path of a drive's volume, which must exist and, if it is a disk, belong to the guest (heap). */
int vm_volume_path(struct task_ctx *task, const struct vm_drive *drive, char **ret, struct err *err);
/* Frees a volume of the guest; one that is not there is fine. */
int vm_volume_free(struct task_ctx *task, const struct volid *volume, struct err *err);
/* Frees every disk of the guest on every storage of this node, named by its configuration or not. */
int vm_volumes_free_all(struct task_ctx *task, struct err *err);
/* The first name vm-VMID-disk-N.FORMAT whose number neither the storage nor config has yet (heap). */
char *vm_volume_next_name(const struct vm_storage *storage, const struct guest_config *config,
			  unsigned vmid, const char *format, struct err *err);
/* Says so when the storage has less room than the volume may take one day. */
void vm_volume_warn_space(struct task_ctx *task, const struct vm_storage *storage, uint64_t size);
