/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes as a virtual machine's job needs them, beside agent/task/guest/storage.h. */
#pragma once

#include "agent/guest/vm_schema.h"
#include "agent/task/guest/storage.h"

/* Absolute path of a drive's volume, which must exist and, if it is a disk, belong to the guest (heap). */
int vm_volume_path(struct task_ctx *task, const struct vm_drive *drive, char **ret,
		   struct err *err);
/* The same of what a linked clone stands on; NULL for all others. */
int vm_volume_base_path(struct task_ctx *task, const struct vm_drive *drive, char **ret,
			struct err *err);
/* The first name vm-VMID-disk-N.FORMAT whose number neither the storage nor config has yet (heap). */
char *vm_volume_next_name(const struct task_storage *storage, const struct guest_config *config,
			  unsigned vmid, const char *format, struct err *err);
