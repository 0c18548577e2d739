/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the program and watches over it: the guest's end and a cancelled job are this side's to see. */
#include "agent/task/console/vncterm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
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
		return err_set(err, ERR_IO, "the terminal's VNC server failed");
	task_log(c->end ? "the guest has ended" : "the viewer left, or the terminal has ended");
	return 0;
}

int vncterm_run(struct task_ctx *task, const struct viewer *v, const struct terminal *t,
		struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-task-vncterm");
	const char *width = fields_get(&task->args, "width"),
		   *height = fields_get(&task->args, "height"),
		   *vmid = fields_get(&task->args, "vmid");
	autofree char *name = xasprintf("CT %s", vmid);
	const char *argv[] = {program, name, width, height, t->may_hang_up ? "hangup" : "once",
			      NULL};
	const struct exec_spawn spec = {.argv = argv,
					.env = (const char *const *)environ,
					.stdin_fd = t->fd,
					.stdout_fd = STDOUT_FILENO,
					.stderr_fd = STDERR_FILENO,
					.passed_fd = v->fd};
	struct child child = {0};
	int r;

	if (!width || !height)
		return err_set(err, ERR_INVALID, "console job without a size");
	if ((r = exec_spawn(&spec, &child.pid, err)) < 0)
		return r;
	/* of a child that nobody else reaps: it cannot be another's by now */
	autofd int pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);

	child.pidfd = pidfd;
	if (pidfd < 0) {
		err_errno(err, errno, "process of the VNC server");
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
		return -err->code;
	}
	return watch(&child, t, err);
}
