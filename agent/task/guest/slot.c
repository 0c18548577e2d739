/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places are locks on files in path_run()/slots, which end with their process: FROM:TO, the one that is kept for these two
 * storages, and 0, 1, … for all. Who finds none free looks again: the kernel wakes nobody for whichever of several locks
 * comes first. Runs in jobs. */
#include "agent/task/guest/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/task/internal.h"

#define PER_PROCESSOR 2
#define LEAST	      4
#define MOST	      32
#define LOOK_MS	      250

static int held = -1;

static unsigned count_slots(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	long slots = processors > 0 ? processors * PER_PROCESSOR : LEAST;

	return (unsigned)(slots < LEAST ? LEAST : slots > MOST ? MOST : slots);
}

static int open_slot(const char *name, struct err *err)
{
	autofree char *folder = path_join(path_run(), "slots");
	autofree char *path = path_join(path_run(), "slots/%s", name);
	int fd, r = dir_make(folder, 0700, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? err_errno(err, errno, "open %s", path) : fd;
}

/* 1: taken; 0: somebody has it. */
static int try_slot(const char *name, struct err *err)
{
	autofd int fd = open_slot(name, err);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? 0 : err_errno(err, errno, "take a place");
	held = TAKE_FD(fd);
	return 1;
}

/* The kept one last: it is for those who find no other. */
static int try_all(const char *kept, unsigned count, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		r = try_slot(name, err);
	}
	return r == 0 ? try_slot(kept, err) : r;
}

static char *kept_name(const char *from, const char *to)
{
	char *name = xasprintf("%s:%s", from ? from : "", to ? to : "");

	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '_';
	return name;
}

int task_slot_enter(struct task_ctx *task, const char *from, const char *to, struct err *err)
{
	autofree char *kept = kept_name(from, to);
	unsigned count = count_slots();
	bool has_told = false;
	int r = held >= 0 ? 1 : 0;

	(void)task;
	while (r == 0 && (r = try_all(kept, count, err)) == 0) {
		struct pollfd cancel = {.fd = task_cancel_fd(), .events = POLLIN};

		if (!has_told)
			task_log("waiting: %u jobs that fill volumes run at once", count);
		has_told = true;
		(void)poll(&cancel, 1, LOOK_MS);
		r = task_check_cancelled(err);
	}
	return r < 0 ? r : 0;
}

void task_slot_leave(void)
{
	if (held >= 0)
		close(held);
	held = -1;
}
