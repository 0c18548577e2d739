/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the unpacker and hears what became of it. Runs in a forked step of a job. */
#include "agent/guest/ct/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define REPORT_MAX 4096u

static int start(const struct ct_unpack *what, int report, pid_t *ret_pid, struct err *err)
{
	char parent[16], rate[24];
	const char *const argv[] = {what->program, "unpack", parent, rate, NULL};
	const struct exec_spawn spec = {.argv = argv,
					.stdin_fd = what->archive,
					.stdout_fd = STDOUT_FILENO,
					.stderr_fd = report,
					.passed_fd = what->root};

	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	snprintf(rate, sizeof(rate), "%llu", (unsigned long long)what->rate);
	return exec_spawn(&spec, ret_pid, err);
}

/* Until it closes its end, which it does by ending. false: the deadline came first. */
static bool read_report(int fd, usec_t deadline, struct buf *report)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		char chunk[1024];
		ssize_t n;

		if (clock_left_ms(deadline) == 0)
			return false;
		if (poll(&p, 1, clock_left_ms(deadline)) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0 && report->size + (size_t)n <= REPORT_MAX)
			buf_add(report, chunk, (size_t)n);
	}
}

/* The first line, "CODE message". */
static int report_error(struct buf *report, int status, struct err *err)
{
	autostrv char **lines = str_split(buf_str(report), "\n");
	char *space = lines[0] ? strchr(lines[0], ' ') : NULL;
	uint64_t code;

	if (WIFSIGNALED(status))
		return err_set(err, ERR_INTERNAL, "it was killed by signal %d", WTERMSIG(status));
	if (space)
		*space = '\0';
	if (!space || !str_to_u64(lines[0], &code) || code == 0 || code > ERR_LAST)
		return err_set(err, ERR_INTERNAL, "it failed without a reason (%d)",
			       WEXITSTATUS(status));
	return err_set(err, (enum err_code)code, "%s", space + 1);
}

int ct_unpack(const struct ct_unpack *what, struct err *err)
{
	autobuf report = BUF_INIT;
	int ends[2], status = 0, r;
	bool in_time;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe");
	autofd int ours = ends[0];
	r = start(what, ends[1], &pid, err);
	close(ends[1]);
	if (r < 0)
		return r;
	in_time = read_report(ours, what->deadline, &report);
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!in_time)
		return err_set(err, ERR_TIMEOUT, "it did not end in time");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
							     : report_error(&report, status, err);
}
