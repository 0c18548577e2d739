/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for other processes by pidfd: the job before this one, a container's monitor. Runs in job
 * processes. */
#include "agent/task/internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define WAIT_TELL (60 * USEC_PER_SEC) /* how often the log says that we still wait */

int task_open_pid(pid_t pid, uint64_t pid_start)
{
	autofd int fd = -1;

	if (pid <= 0 || pid_start == 0) /* 0 is what is read of a process that is gone */
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* The start time is read after the pidfd was opened: if it fits, the pidfd is that process.
	 */
	if (fd < 0 || exec_pid_start(pid) != pid_start)
		return -1;
	return TAKE_FD(fd);
}

int task_wait_pidfd(int pidfd, usec_t deadline, struct err *err)
{
	struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}};

	for (;;) {
		fds[1] = (struct pollfd){.fd = task_cancel_fd(), .events = POLLIN};
		int r = poll(fds, 2, clock_left_ms(deadline));

		if (r < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (r > 0 && fds[0].revents)
			return 0;
		if (task_check_cancelled(err) != 0)
			return -ERR_CANCELLED;
		if (r == 0 && clock_left_ms(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "time-out");
	}
}

int task_wait_for(const char *text, struct err *err)
{
	struct upid upid;
	autofd int fd = -1;
	usec_t began = clock_monotonic();
	int r;

	if ((r = upid_parse(text, &upid, err)) < 0)
		return err_prefix(err, "task to wait for");
	if ((fd = task_open_pid(upid.pid, upid.pid_start)) < 0)
		return 0;
	task_log("waiting for task %s", text);
	while ((r = task_wait_pidfd(fd, clock_monotonic() + WAIT_TELL, err)) == -ERR_TIMEOUT)
		task_log("still waiting for task %s (%llu min)", text,
			 (unsigned long long)((clock_monotonic() - began) / WAIT_TELL));
	return r;
}
