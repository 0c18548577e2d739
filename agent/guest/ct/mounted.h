/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems in a container's volumes, while they are mounted: reached from outside, by the images. Inside anything
 * may be mounted anywhere, also what never answers. Runs in jobs. */
#pragma once

#include "agent/base/clock.h"
#include "agent/task/task.h"

/* Until none of its own volumes that it uses is mounted, so that all is in them that was written. ERR_BUSY: one is for so
 * long. */
int ct_mounted_wait(struct task_ctx *task, usec_t wait, struct err *err);
/* Writes out what the file systems of the volumes that it uses hold. ERR_TIMEOUT: not within that time. */
int ct_mounted_sync(struct task_ctx *task, usec_t wait, struct err *err);
/* Is the image at this path mounted, so that its file system could grow? ERR_BUSY: it is, for reading only. */
int ct_mounted_look(struct task_ctx *task, const char *image, bool *ret, struct err *err);
/* Grows the mounted file system to the size that its image has by now. */
int ct_mounted_grow(struct task_ctx *task, const char *image, struct err *err);
