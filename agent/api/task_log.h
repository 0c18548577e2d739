/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of task logs. Logs may be large and may still grow: line positions are remembered for the
 * logs that were read last, and every call reads a bounded amount. */
#pragma once

#include "agent/base/err.h"
#include "agent/base/json.h"

#define TASK_LOG_LINES_MAX 5000
#define TASK_LOG_BYTES_MAX (1024 * 1024)	/* of a window */
#define TASK_LOG_SCAN_MAX  (16 * 1024 * 1024)	/* read on to count lines, per call */
#define TASK_LOG_LINE_MAX  4096			/* the rest of a longer line is left out */

/* Writes [{"n":1,"t":"…"},…], at most limit lines from line `start` (0 is the first) on, and the number
 * of lines known so far. A file that is not there yet has none. */
int task_log_write(const char *path, uint64_t start, uint64_t limit, struct json *j,
		   uint64_t *ret_total, struct err *err);
/* Drops what is remembered. */
void task_log_forget(void);
