/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a program that the kernel kills when the process that runs it ends, however that ends. posix_spawn has no such
 * attribute, and a program sets it for itself alone: hence fork, and nothing but system calls up to exec. For jobs and
 * helpers, which are small. */
#include "agent/base/exec_bound.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

struct start {
	const char *program;
	const struct exec_spawn *spec;
	const char *const *env;
	pid_t parent;
	int failure; /* takes the errno; closed by exec */
};

/* -- in the child ------------------------------------------------------------------------------ */

static int set_fd(int fd, int target)
{
	if (fd < 0)
		fd = open("/dev/null", target == STDIN_FILENO ? O_RDONLY : O_WRONLY);
	if (fd < 0)
		return -1;
	return fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target);
}

static int set_fds(const struct exec_spawn *spec)
{
	const int fds[] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};

	for (int i = 0; i < 3; i++)
		if (set_fd(fds[i], i) < 0)
			return -1;
	return spec->passed_fd > 0 && set_fd(spec->passed_fd, 3) < 0 ? -1 : 0;
}

static void set_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL); /* those that cannot be set are not set */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void be_program(const struct start *s)
{
	int errnum;

	errno = ESRCH;
	/* who began it may have ended before it was asked to tell */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == s->parent &&
	    (s->spec->new_session ? setsid() : setpgid(0, 0)) >= 0 && set_fds(s->spec) == 0) {
		set_signals();
		execve(s->program, (char *const *)s->spec->argv, (char *const *)s->env);
	}
	errnum = errno;
	(void)!write(s->failure, &errnum, sizeof(errnum));
	_exit(127);
}

/* -- in the one that runs it ------------------------------------------------------------------- */

/* With signals blocked: no handler of ours may run in the child. */
static pid_t fork_quietly(const struct start *s)
{
	sigset_t all, before;
	pid_t pid;
	int errnum;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	errnum = errno;
	if (pid == 0)
		be_program(s);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return pid;
}

static int read_failure(int fd)
{
	int errnum = 0;
	ssize_t n;

	do
		n = read(fd, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(errnum) ? errnum : 0;
}

int exec_bound_start(const char *program, const struct exec_spawn *spec, const char *const *env,
		     pid_t *ret_pid)
{
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return errno;
	autofd int ours = pipes[0], theirs = pipes[1];
	/* above those that the program gets */
	struct start s = {.program = program,
			  .spec = spec,
			  .env = env,
			  .parent = getpid(),
			  .failure = fcntl(theirs, F_DUPFD_CLOEXEC, 4)};
	pid_t pid = s.failure < 0 ? -1 : fork_quietly(&s);

	r = pid < 0 ? errno : 0;
	closep(&s.failure);
	close(TAKE_FD(theirs));
	if (r == 0 && (r = read_failure(ours)) != 0)
		waitpid(pid, NULL, 0);
	if (r == 0)
		*ret_pid = pid;
	return r;
}
