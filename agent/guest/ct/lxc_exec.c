/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls liblxc to run programs inside a container. Runs in jobs. */
#include "agent/guest/ct/lxc_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lxc/attach_options.h>
#include <lxc/lxccontainer.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/guard.h"
#include "agent/guest/ct/lxc_open.h"

#define SAID_MAX    2048
#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* -- inside the container ------------------------------------------------------------------------- */

static void set_environment(const char *const *env)
{
	clearenv();
	setenv("PATH", SEARCH_PATH, 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LOGNAME", "root", 1);
	setenv("TERM", "dumb", 1);
	setenv("container", "lxc", 1);
	for (; env && *env; env++)
		putenv((char *)*env);
}

static int exec_main(void *ctx)
{
	const struct lxc_exec *what = ctx;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	(void)setsid();
	set_environment(what->env);
	/* a link inside may lead to /proc/self/fd: nothing of the host is open by then */
	if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0) {
		dprintf(STDERR_FILENO, "close_range: %s\n", strerror(errno));
		return LXC_EXEC_NOT_FOUND;
	}
	if (chdir(what->folder ?: "/") != 0) {
		dprintf(STDERR_FILENO, "%s: %s\n", what->folder, strerror(errno));
		return LXC_EXEC_NOT_FOUND;
	}
	execvp(what->argv[0], (char *const *)what->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", what->argv[0], strerror(errno));
	return LXC_EXEC_NOT_FOUND;
}

/* -- outside --------------------------------------------------------------------------------------- */

int lxc_exec_start(const char *lxc_path, unsigned vmid, const struct lxc_exec *what, pid_t *ret,
		   struct err *err)
{
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
	struct lxc_container *c;
	struct lxc_exec copy = *what;
	pid_t pid;
	int r;

	if ((r = ct_guard_require(err)) < 0 || (r = lxc_open(lxc_path, vmid, &c, err)) < 0)
		return r;
	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	options.stdin_fd = what->stdin_fd;
	options.stdout_fd = what->stdout_fd;
	options.stderr_fd = what->stderr_fd;
	r = c->attach(c, exec_main, &copy, &options, &pid);
	lxc_container_put(c);
	if (r != 0)
		return err_set(err, ERR_INTERNAL, "liblxc could not start '%s' inside",
			       what->argv[0]);
	*ret = pid;
	return 0;
}

struct run {
	unsigned vmid;
	const char *const *argv;
};

/* Reads on, so that it is never held up, and keeps the beginning. false: that was all. */
static bool read_errors(int fd, struct buf *said)
{
	char block[4096];
	ssize_t n = read(fd, block, sizeof(block));
	size_t room = SAID_MAX - said->size;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	buf_add(said, block, (size_t)n < room ? (size_t)n : room);
	return true;
}

/* Until it ends; what it left running may keep the pipe, and has no reader then. */
static int await_end(pid_t pid, int errors, int *ret_status, struct buf *said, struct err *err)
{
	autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = errors, .events = POLLIN}};

	if (pidfd < 0)
		return err_errno(err, errno, "pidfd_open");
	while (!fds[0].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (fds[1].revents && !read_errors(errors, said))
			fds[1].fd = -1;
	}
	(void)read_errors(errors, said);
	return waitpid(pid, ret_status, 0) == pid ? 0 : err_errno(err, errno, "waitpid");
}

static int judge(const struct run *run, int status, struct err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == LXC_EXEC_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "'%s' is not there inside", run->argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_IO, "'%s' failed inside", run->argv[0]);
	return 0;
}

static void tell(const struct run *run, struct buf *said)
{
	autostrv char **lines = str_split(buf_str(said), "\n");

	for (char **line = lines; *line; line++)
		task_log("%s: %s", run->argv[0], *line);
}

/* Whatever the container has by that name gets nothing of the job's: its errors come through a pipe, as the log is a
 * file of the node that it could fill or cut. */
static int run_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct run *run = ctx;
	autofree char *lxc_path = path_join(path_run(), "ct");
	autofd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	autobuf said = BUF_INIT;
	int pipes[2], status = 0, r;
	pid_t pid;

	(void)task;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe");
	autofd int errors = pipes[0], theirs = pipes[1];
	const struct lxc_exec what = {
		.argv = run->argv, .stdin_fd = null, .stdout_fd = null, .stderr_fd = theirs};

	fd_set_nonblock(errors, true);
	r = lxc_exec_start(lxc_path, run->vmid, &what, &pid, err);
	close(TAKE_FD(theirs));
	if (r < 0 || (r = await_end(pid, errors, &status, &said, err)) < 0)
		return r;
	tell(run, &said);
	return judge(run, status, err);
}

int lxc_exec_run(struct task_ctx *task, unsigned vmid, const char *const *argv, usec_t timeout,
		 struct err *err)
{
	struct run run = {vmid, argv};

	return ct_child_run(task, run_step, &run, timeout, err);
}
