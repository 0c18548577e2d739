/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines on stderr, one write(2) each. */
#include "agent/base/log.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/str.h"

#define HEAD_MAX    128
#define TEXT_MAX    960
#define PATIENCE_MS 100

_Static_assert(HEAD_MAX + 4 * TEXT_MAX + 1 <= PIPE_BUF, "lines must stay whole in a pipe");

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
			level = (enum log_level)i;
}

static size_t put_head(char *line, size_t size, enum log_level l)
{
	char stamp[32];
	struct timespec now;
	struct tm tm;

	if (has_journal)
		return (size_t)snprintf(line, size, "<%d>", (int)l);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	return (size_t)snprintf(line, size, "%s.%03ldZ %.64s[%d] %s: ", stamp,
				now.tv_nsec / 1000000, program, (int)getpid(), level_names[l]);
}

/* Control characters as \xHH: one message stays one line, and terminals are left alone. */
static size_t put_escaped(char *line, size_t at, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (str_is_c1(text)) {
			at += (size_t)snprintf(line + at, 5, "\\x%02x", c);
			c = (unsigned char)*++text;
		} else if (c >= 0x20 && c != 0x7f) {
			line[at++] = (char)c;
			continue;
		}
		at += (size_t)snprintf(line + at, 5, "\\x%02x", c);
	}
	return at;
}

void log_write(enum log_level l, const char *fmt, ...)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[HEAD_MAX + 4 * TEXT_MAX + 1], text[TEXT_MAX];
	va_list ap;
	size_t n;

	if (l > level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = put_escaped(line, put_head(line, HEAD_MAX, l), text);
	line[n++] = '\n';
	/* A line that cannot be written is lost: a reader that hangs must not hold anybody up.
	 * Lines are shorter than PIPE_BUF, so that a writable pipe takes them whole. */
	if (poll(&out, 1, PATIENCE_MS) != 1 || write(STDERR_FILENO, line, n) < 0)
		return;
}
