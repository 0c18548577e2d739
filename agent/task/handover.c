/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors from a program to its job. The message is a byte, the error's code (0: none), and its text. */
#include "agent/task/handover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/task/internal.h"

#define END_WAIT (5 * USEC_PER_SEC) /* for a program that has said its word */

union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(HANDOVER_FDS_MAX * sizeof(int))];
};

int handover_send(const int *fds, unsigned count, const struct err *why)
{
	char code = (char)why->code;
	struct iovec parts[2] = {{&code, 1}, {(void *)why->message, strlen(why->message)}};
	union control control = {0};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};

	if (code == 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(STDIN_FILENO, &m, MSG_NOSIGNAL) > 0 && code == 0 ? 0 : 1;
}

static unsigned take_fds(struct msghdr *m, int ret[HANDOVER_FDS_MAX])
{
	unsigned count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		unsigned here = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

		for (unsigned i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (count < HANDOVER_FDS_MAX)
				ret[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

static int receive(int from, int *ret_fds, unsigned wanted, struct err *err)
{
	char code = 0, text[ERR_MESSAGE_MAX] = "";
	struct iovec parts[2] = {{&code, 1}, {text, sizeof(text) - 1}};
	union control control = {0};
	struct msghdr m = {.msg_iov = parts,
			   .msg_iovlen = 2,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	int fds[HANDOVER_FDS_MAX];
	ssize_t size = recvmsg(from, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	unsigned count = size > 0 ? take_fds(&m, fds) : 0;

	if (size > 0 && code == 0 && count == wanted) {
		memcpy(ret_fds, fds, count * sizeof(int));
		return 0;
	}
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	if (size > 0 && code > 0 && code <= ERR_LAST)
		return err_set(err, (enum err_code)code, "%s", text);
	return err_set(err, ERR_INTERNAL, "its helper ended without a word");
}

/* Readable or ended. */
static int await(int from, usec_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd fds[2] = {{.fd = from, .events = POLLIN},
					{.fd = task_cancel_fd(), .events = POLLIN}};
		int r = poll(fds, 2, clock_left_ms(deadline));

		if (r > 0 && fds[0].revents)
			return 0;
		if (task_check_cancelled(err) != 0)
			return -ERR_CANCELLED;
		if (r < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (r == 0 && clock_left_ms(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "no answer in time");
	}
}

/* A program that failed may have left processes in its group, such as one that hangs inside a container; one
 * that did its work may have left what it was asked for. */
static void reap(pid_t pid, usec_t patience)
{
	autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (patience == 0)
		kill(-pid, SIGKILL);
	else if (pidfd < 0 || task_wait_pidfd(pidfd, clock_monotonic() + patience, NULL) < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

int handover_run(const char *const *argv, usec_t timeout, int *ret_fds, unsigned count,
		 struct err *err)
{
	int ends[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, errno, "socket");
	autofd int ours = ends[0], theirs = ends[1];
	const struct exec_spawn spec = {.argv = argv,
					.env = (const char *const *)environ,
					.stdin_fd = theirs,
					.stdout_fd = -1,
					.stderr_fd = STDERR_FILENO};

	if ((r = exec_spawn(&spec, &pid, err)) < 0)
		return r;
	closep(&theirs);
	theirs = -1;
	r = await(ours, clock_monotonic() + timeout, err);
	if (r == 0)
		r = receive(ours, ret_fds, count, err);
	reap(pid, r == 0 ? END_WAIT : 0);
	return r;
}
