/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pid file and its lock; stop and status. */
#include "systemd/supervise/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "systemd/supervise/service.h"

#define STOP_PATIENCE  (15 * USEC_PER_SEC) /* longer than the supervisor's own */
#define STRAY_PATIENCE (5 * USEC_PER_SEC)

static char *pid_path(void)
{
	return path_join(path_run(), "supervise.pid");
}

int control_lock(int *ret_fd, struct err *err)
{
	autofree char *path = pid_path();
	autofree char *text = xasprintf("%d\n", (int)getpid());
	autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_BUSY, "a supervisor is running already (%s)", path);
	if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) < 0)
		return err_errno(err, errno, "%s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The pid of the supervisor that holds the lock, or 0. */
static pid_t find_supervisor(void)
{
	autofree char *path = pid_path();
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	autobuf text = BUF_INIT;
	uint64_t pid;

	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || fd_read_all(fd, 64, &text, NULL) < 0)
		return 0;
	autostrv char **words = str_split(buf_str(&text), "\n");
	return words[0] && str_to_u64(words[0], &pid) && pid > 1 ? (pid_t)pid : 0;
}

/* True when the process is gone in time. */
static bool end_process(pid_t pid, int signo, usec_t patience)
{
	autofd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {.fd = fd, .events = POLLIN};
	usec_t deadline = clock_monotonic() + patience;
	int r;

	if (fd < 0 || kill(pid, signo) < 0)
		return errno == ESRCH;
	do
		r = poll(&ended, 1, clock_left_ms(deadline));
	while (r < 0 && errno == EINTR);
	return r == 1;
}

int control_clear(struct err *err)
{
	for (size_t i = 0; i < service_count; i++) {
		const struct service_def *def = &service_defs[i];
		pid_t pid = service_find(def->name);

		if (pid == 0 || def->is_lasting)
			continue;
		log_notice("%s (pid %d) runs without a supervisor: ending it", def->name, (int)pid);
		if (!end_process(pid, SIGTERM, STRAY_PATIENCE) &&
		    !end_process(pid, SIGKILL, STRAY_PATIENCE))
			return err_set(err, ERR_TIMEOUT, "%s (pid %d) does not end", def->name,
				       (int)pid);
	}
	return 0;
}

int control_stop(void)
{
	struct err err = ERR_INIT;
	pid_t pid = find_supervisor();

	if (pid > 0 && !end_process(pid, SIGTERM, STOP_PATIENCE)) {
		log_error("the supervisor (pid %d) does not end", (int)pid);
		return 1;
	}
	if (control_clear(&err) < 0) {
		log_error("%s", err.message);
		return 1;
	}
	return 0;
}

/* False: it does not run, and should. */
static bool print_service(const struct service_def *def)
{
	pid_t pid = service_find(def->name);

	if (pid > 0)
		printf("%-16s running (pid %d)\n", def->name, (int)pid);
	else if (def->is_wanted && !def->is_wanted())
		return true;
	else if (def->is_served && def->is_served())
		printf("%-16s running (this host's own)\n", def->name);
	else
		printf("%-16s stopped\n", def->name);
	return pid > 0 || (def->is_served && def->is_served());
}

int control_status(void)
{
	pid_t supervisor = find_supervisor();
	bool is_complete = supervisor > 0;

	if (supervisor > 0)
		printf("%-16s running (pid %d)\n", "supervisor", (int)supervisor);
	else
		printf("%-16s stopped\n", "supervisor");
	for (size_t i = 0; i < service_count; i++)
		is_complete &= print_service(&service_defs[i]);
	return is_complete ? 0 : 3;
}
