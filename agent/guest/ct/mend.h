/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems that are marked as having errors. Runs in jobs. */
#pragma once

#include "agent/task/task.h"

/* Checks and repairs the one in the image at `path`, if it is marked so, as a node does with its own when it boots: before
 * it is mounted. A folder has none. Takes as long as it takes. */
int ct_mend(struct task_ctx *task, const char *path, struct err *err);
