/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a job: its last log line, then its status file, which alone decides what became of it.
 * Runs in job processes. */
#include "agent/task/internal.h"

#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/core/job_status.h"

int task_finish(const struct task_ctx *task, const char *error, struct err *err)
{
	autofree char *path = task_log_path(&task->upid, task->upid_text, ".status");
	autofree char *text = NULL;

	if (error)
		text = xstrdup(error);
	else if (task->warnings > 0)
		text = xasprintf("WARNINGS: %u", task->warnings);
	else
		text = xstrdup("OK");
	task_log("TASK %s%s", error ? "ERROR: " : "", text);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	bool is_left = task->is_unfinished && fields_get(&task->args, "undo");
	autofree char *line =
		xasprintf("%llu %s\n%s", (unsigned long long)(clock_wall() / USEC_PER_SEC), text,
			  is_left ? JOB_STATUS_UNDO : "");
	return file_write_atomic(path, line, strlen(line), 0644, err);
}
