/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task log: standard output, one write a line, so that lines of a job and of its children never
 * mix. Runs in job processes. */
#include "agent/task/task.h"

#include <stdarg.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"

static void __attribute__((format(printf, 2, 0)))
log_line(const char *prefix, const char *fmt, va_list ap)
{
	autobuf line = BUF_INIT;

	buf_add_str(&line, prefix);
	buf_vaddf(&line, fmt, ap);
	for (size_t i = 0; i < line.size; i++) {
		unsigned char c = (unsigned char)line.data[i];

		if (str_is_c1(line.data + i))
			line.data[i] = line.data[i + 1] = ' ';
		else if (c < 0x20 || c == 0x7f)
			line.data[i] = ' ';
	}
	buf_add_char(&line, '\n');
	(void)fd_write_all(STDOUT_FILENO, line.data, line.size, NULL);
}

void task_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void task_leave(struct task_ctx *task, const char *fmt, ...)
{
	va_list ap;

	task->is_unfinished = true;
	task->warnings++;
	va_start(ap, fmt);
	log_line("WARN: ", fmt, ap);
	va_end(ap);
}

void task_warn(struct task_ctx *task, const char *fmt, ...)
{
	va_list ap;

	task->warnings++;
	va_start(ap, fmt);
	log_line("WARN: ", fmt, ap);
	va_end(ap);
}
