/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines on stderr, one write(2) each. */
#include "agent/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 2048

static const char *program = "lodge";
static bool has_journal;
static enum log_level level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

void log_open(const char *name)
{
	const char *wanted = getenv("LODGE_LOG");

	program = name;
	has_journal = getenv("JOURNAL_STREAM") != NULL;
	for (size_t i = LOG_LEVEL_ERROR; wanted && i <= LOG_LEVEL_DEBUG; i++)
		if (strcmp(wanted, level_names[i]) == 0)
			level = (enum log_level) i;
}

static size_t put_head(char *line, size_t size, enum log_level l)
{
	char stamp[32];
	struct timespec now;
	struct tm tm;

	if (has_journal)
		return (size_t) snprintf(line, size, "<%d>", (int) l);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	return (size_t) snprintf(line, size, "%s.%03ldZ %s[%d] %s: ", stamp, now.tv_nsec / 1000000,
				 program, (int) getpid(), level_names[l]);
}

void log_write(enum log_level l, const char *fmt, ...)
{
	char line[LINE_MAX_SIZE];
	size_t start, n;
	va_list ap;

	if (l > level)
		return;
	start = put_head(line, sizeof(line), l);
	va_start(ap, fmt);
	vsnprintf(line + start, sizeof(line) - start - 1, fmt, ap);
	va_end(ap);
	n = strlen(line);
	for (size_t i = start; i < n; i++)
		if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	/* a line that cannot be written is lost: logging must not hold anybody up */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
