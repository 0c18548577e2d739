/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cancelling a job: SIGTERM sets a flag and wakes everything that polls. Runs in job processes. */
#include "agent/task/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t cancelled;
static int wake[2] = {-1, -1};

static void on_term(int sig)
{
	int saved = errno;

	(void)sig;
	cancelled = 1;
	(void)!write(wake[1], "", 1);
	errno = saved;
}

void task_cancel_init(void)
{
	struct sigaction action = {.sa_handler = on_term}; /* no SA_RESTART: blocking calls end */

	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

void task_cancel_forget(void)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 2; i++) {
		if (wake[i] >= 0)
			close(wake[i]);
		wake[i] = -1;
	}
}

int task_cancel_fd(void)
{
	return wake[0];
}

bool task_is_cancelled(void)
{
	return cancelled != 0;
}

int task_check_cancelled(struct err *err)
{
	if (task_is_cancelled())
		return err_set(err, ERR_CANCELLED, "interrupted by signal");
	return 0;
}
