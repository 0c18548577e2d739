/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems in the images of a container's volumes, while they are mounted: seen from outside, by the images. Inside
 * anything may be mounted anywhere. Runs in jobs. */
#pragma once

#include "agent/base/clock.h"
#include "agent/task/task.h"

/* Until none of its own volumes that it uses is mounted, so that all is in them that was written. ERR_BUSY: one is for so long. */
int ct_mounted_wait(struct task_ctx *task, usec_t wait, struct err *err);
