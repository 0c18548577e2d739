/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A step of a job in a process of its own: with a private mount namespace, with a deadline, and gone
 * without a trace when it fails. */
#pragma once

#include "agent/base/clock.h"
#include "agent/task/task.h"

typedef int (*ct_child_fn)(struct task_ctx *task, void *ctx, struct err *err);

/* Forks, runs fn there, returns what fn returned with its error; warnings are counted in task (NULL in hooks). On
 * failure, time-out (0: none) or cancellation every process that fn left behind is killed. On success
 * they stay: a container's monitor is one. The child dies with the job. */
int ct_child_run(struct task_ctx *task, ct_child_fn fn, void *ctx, usec_t timeout, struct err *err);
