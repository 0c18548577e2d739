/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes as a container's job needs them, beside agent/task/guest/storage.h. */
#pragma once

#include "agent/guest/ct_schema.h"
#include "agent/task/guest/storage.h"

/* Absolute path of a volume. */
int ct_volume_path(struct task_ctx *task, const char *volid, struct buf *ret, struct err *err);
/* What a mount point mounts: its volume's path, or its folder, which must be there. */
int ct_mp_path(struct task_ctx *task, const struct ct_mp *mp, struct buf *ret, struct err *err);
