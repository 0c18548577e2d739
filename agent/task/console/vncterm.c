/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the program and watches over it: the guest's end and a cancelled job are this side's to see. */
#include "agent/task/console/vncterm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/task/internal.h"

#define END_WAIT (10 * USEC_PER_SEC) /* from SIGTERM on, for the viewer to see the last screen */

struct child {
	pid_t pid;
	int says; /* what it says when it fails */
	int pidfd;
	usec_t end; /* it was told to end; 0: not yet */
};

static void tell_end(struct child *c)
{
	if (c->end)
		return;
	c->end = clock_monotonic() + END_WAIT;
	kill(c->pid, SIGTERM);
}

/* True: it has ended. */
static bool turn(struct child *c, const struct terminal *t)
{
	struct pollfd fds[3] = {{.fd = c->pidfd, .events = POLLIN},
				{.fd = c->end ? -1 : t->guest, .events = POLLIN},
				{.fd = c->end ? -1 : task_cancel_fd(), .events = POLLIN}};
	int r = poll(fds, 3, c->end ? clock_left_ms(c->end) : -1);

	if (r > 0 && fds[0].revents)
		return true;
	if (r > 0)
		tell_end(c);
	else if (r == 0)
		kill(c->pid, SIGKILL);
	return false;
}

/* Its one line, if it had the time for one. */
static int failed(const struct child *c, struct err *err)
{
	char line[512];
	ssize_t n = read(c->says, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return err_set(err, ERR_IO, "%s", *line ? line : "the terminal's VNC server failed");
}

static int watch(struct child *c, const struct terminal *t, struct err *err)
{
	int status = 0;

	while (!turn(c, t))
		continue;
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (task_check_cancelled(err) != 0)
		return -ERR_CANCELLED;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return failed(c, err);
	task_log(c->end ? "the guest has ended" : "the viewer left, or the terminal has ended");
	return 0;
}

/* Descriptors of *ret are the caller's to close, on failure as well. */
static int start(const char *const *argv, const struct viewer *v, const struct terminal *t,
		 struct child *ret, struct err *err)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(err, errno, "pipe");
	autofd int to_child = ends[1];
	const struct exec_spawn spec = {.argv = argv,
					.env = (const char *const *)environ,
					.stdin_fd = t->fd,
					.stdout_fd = to_child, /* not the task's log */
					.stderr_fd = to_child,
					.passed_fd = v->fd};

	ret->says = ends[0];
	if ((r = exec_spawn(&spec, &ret->pid, err)) < 0)
		return r;
	/* of a child that nobody else reaps: it cannot be another's by now */
	ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	if (ret->pidfd >= 0)
		return 0;
	r = err_errno(err, errno, "process of the VNC server");
	kill(ret->pid, SIGKILL);
	waitpid(ret->pid, NULL, 0);
	return r;
}

int vncterm_run(struct task_ctx *task, const struct viewer *v, const struct terminal *t,
		struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-task-vncterm");
	const char *width = fields_get(&task->args, "width"),
		   *height = fields_get(&task->args, "height"),
		   *vmid = fields_get(&task->args, "vmid");
	autofree char *name = xasprintf("CT %s", vmid);
	autofree char *parent = xasprintf("%d", (int)getpid());
	const char *argv[] = {program, name, width, height, t->may_hang_up ? "hangup" : "once",
			      parent,  NULL};
	struct child child = {.says = -1, .pidfd = -1};
	int r;

	if (!width || !height)
		return err_set(err, ERR_INVALID, "console job without a size");
	r = start(argv, v, t, &child, err);
	if (r == 0)
		r = watch(&child, t, err);
	closep(&child.says);
	closep(&child.pidfd);
	return r;
}
