/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lodge_task_common share, and what commands may use beside task.h. */
#pragma once

#include <sys/types.h>

#include "agent/base/clock.h"
#include "agent/task/task.h"

/* SIGTERM sets a flag and makes task_cancel_fd() readable for ever. */
void task_cancel_init(void);
/* In a forked child: default action of SIGTERM again. */
void task_cancel_forget(void);
int task_cancel_fd(void); /* -1 before task_cancel_init() */

/* Builds the UPID of this process from task->args, takes the log's final name and leaves the run
 * record; both may have been done by the core already. */
int task_claim(struct task_ctx *task, const char *command, struct err *err);
/* Waits until the process of this UPID is gone, saying so in the log at once and every minute. */
int task_wait_for(const char *upid, struct err *err);
/* Writes the last log line and the status file, with what is_unfinished says. error: NULL for success. */
int task_finish(const struct task_ctx *task, const char *error, struct err *err);
/* "tasks/X/UPID" + suffix below the state folder (heap). */
char *task_log_path(const struct upid *upid, const char *upid_text, const char *suffix);

/* Waits for a process (pidfd) until the monotonic deadline; also ends when the task is cancelled. */
int task_wait_pidfd(int pidfd, usec_t deadline, struct err *err);
/* A pidfd of pid, if it is still the process that started at pid_start; -1 if that is gone. */
int task_open_pid(pid_t pid, uint64_t pid_start);
