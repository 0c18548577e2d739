/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems in a container's images grow with them, whether it runs or not. Runs in jobs. */
#pragma once

#include "agent/guest/volumes.h"
#include "agent/task/task.h"

/* Whether ct_grow() could do it. Known before the image grows. */
int ct_grow_check(struct task_ctx *task, const struct guest_volume *v, uint64_t size,
		  struct err *err);
/* To the size that its image at `path` has by now; cut short and called again it goes on. */
int ct_grow(struct task_ctx *task, const struct guest_volume *v, const char *path, struct err *err);
