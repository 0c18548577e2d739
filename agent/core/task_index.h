/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tasks of this node: the newest TASKS_IN_MEMORY with what became of them, newest first; of the
 * older ones only the names, so that the oldest logs can be removed beyond TASK_LOGS_MAX. Reads
 * the folders once, at start. Runs on the core's loop. */
#pragma once

#include "agent/core/jobs.h"

#define TASKS_IN_MEMORY 2000
#define TASK_LOGS_MAX	5000

struct task_index;

/* Scans tasks/0 … tasks/F below the state folder. Tasks without a status file are RUNNING for now. */
int task_index_load(struct task_index **ret, struct err *err);
void task_index_free(struct task_index *index);
/* A task that begins (or was found running). Known already: that one. Borrowed. */
const struct task *task_index_add(struct task_index *index, const char *upid,
				  const struct upid *id, unsigned guest);
void task_index_set_guest(struct task_index *index, const char *upid, unsigned guest);
void task_index_end(struct task_index *index, const char *upid, uint64_t end_time,
		    const char *text);
const struct task *task_index_find(const struct task_index *index, const char *upid);
const struct task *task_index_next(const struct task_index *index, const struct task *after);
