/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container that stands still for a moment, with all that it wrote on its volumes. */
#pragma once

#include "agent/task/task.h"

/* on: freezes a running container and writes out what its file systems hold; one that does not run, or was suspended
 * before, stays as it is, and one that has just ended is waited for until all is written. Otherwise lets go on what this
 * froze, also in a job before. */
int ct_hold(struct task_ctx *task, bool on, struct err *err);
