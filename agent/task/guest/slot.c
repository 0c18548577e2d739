/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places are locks on the files path_run()/slots/N, which end with their process. Who finds none free waits in the line
 * of one of them: the kernel wakes it. Runs in jobs. */
#include "agent/task/guest/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"

#define PER_PROCESSOR 2
#define LEAST	      4
#define MOST	      32

static int held = -1;

static unsigned count_slots(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	long slots = processors > 0 ? processors * PER_PROCESSOR : LEAST;

	return (unsigned)(slots < LEAST ? LEAST : slots > MOST ? MOST : slots);
}

static int open_slot(unsigned number, struct err *err)
{
	autofree char *folder = path_join(path_run(), "slots");
	autofree char *path = path_join(path_run(), "slots/%u", number);
	int fd, r = dir_make(folder, 0700, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? err_errno(err, errno, "open %s", path) : fd;
}

/* 1: taken; 0: somebody has it. */
static int try_slot(unsigned number, struct err *err)
{
	autofd int fd = open_slot(number, err);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? 0 : err_errno(err, errno, "take a place");
	held = TAKE_FD(fd);
	return 1;
}

/* A signal ends the wait. */
static int wait_slot(unsigned number, struct err *err)
{
	autofd int fd = open_slot(number, err);
	int r = fd < 0 ? fd : 0;

	while (r == 0 && flock(fd, LOCK_EX) != 0) {
		if (errno != EINTR)
			return err_errno(err, errno, "take a place");
		r = task_check_cancelled(err);
	}
	if (r == 0)
		held = TAKE_FD(fd);
	return r;
}

int task_slot_enter(struct task_ctx *task, struct err *err)
{
	unsigned count = count_slots(), first = task->guest % count;

	if (held >= 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		int r = try_slot((first + i) % count, err);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	task_log("waiting: %u jobs that fill volumes run at once", count);
	return wait_slot(first, err);
}

void task_slot_leave(void)
{
	if (held >= 0)
		close(held);
	held = -1;
}
