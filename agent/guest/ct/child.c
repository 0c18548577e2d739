/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of a job in a forked process. The job has one thread, so a fork is safe. Runs in jobs. */
#include "agent/guest/ct/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/task/internal.h"

#define NO_TIMEOUT   (365 * 24 * 3600 * USEC_PER_SEC)
#define KILL_STEP_MS 10

/* Shared with the child. */
struct outcome {
	int r;
	unsigned warnings;
	struct err err;
};

static void child_main(struct task_ctx *task, pid_t job, ct_child_fn fn, void *ctx,
		       struct outcome *outcome)
{
	struct err err = ERR_INIT;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != job)
		_exit(1); /* killed before that: what it began is being undone already */
	task_cancel_forget();
	if (task)
		task->warnings = 0;
	outcome->r = fn(task, ctx, &err);
	outcome->err = err;
	outcome->warnings = task ? task->warnings : 0;
	_exit(0);
}

/* Kills what is below this process until nothing is left: orphans come to us, a child subreaper. One that
 * hangs in the kernel is left behind. */
static void kill_descendants(void)
{
	usec_t deadline = clock_monotonic() + 10 * USEC_PER_SEC;

	while (clock_left_ms(deadline) > 0) {
		FILE *f = fopen("/proc/thread-self/children", "re");
		unsigned count = 0;
		int pid;

		while (f && fscanf(f, "%d", &pid) == 1) {
			kill(pid, SIGKILL);
			count++;
		}
		if (f)
			fclose(f);
		if (count == 0)
			return;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		poll(NULL, 0, KILL_STEP_MS);
	}
}

static int await(pid_t pid, struct outcome *outcome, usec_t timeout, struct err *err)
{
	autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status, r;

	if (pidfd < 0)
		return err_errno(err, errno, "pidfd_open");
	r = task_wait_pidfd(pidfd, clock_monotonic() + (timeout ? timeout : NO_TIMEOUT), err);
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status))
		return err_set(err, ERR_INTERNAL, "step was killed by signal %d", WTERMSIG(status));
	if (outcome->r < 0 && err)
		*err = outcome->err;
	return outcome->r;
}

int ct_child_run(struct task_ctx *task, ct_child_fn fn, void *ctx, usec_t timeout, struct err *err)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid, job = getpid();
	int r;

	if (outcome == MAP_FAILED)
		return err_errno(err, errno, "mmap");
	*outcome = (struct outcome){.r = -ERR_INTERNAL};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0)
		child_main(task, job, fn, ctx, outcome);
	r = pid < 0 ? err_errno(err, errno, "fork") : await(pid, outcome, timeout, err);
	if (r < 0)
		kill_descendants();
	if (task)
		task->warnings += outcome->warnings;
	munmap(outcome, sizeof(*outcome));
	return r;
}
