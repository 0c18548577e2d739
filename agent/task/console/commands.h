/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs of lodge-task-console; agent/core/console_job.h names their arguments. */
#pragma once

#include "agent/task/task.h"

int termproxy_run(struct task_ctx *task, struct err *err);
int vncproxy_run(struct task_ctx *task, struct err *err);
