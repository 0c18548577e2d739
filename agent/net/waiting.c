/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the job that changed the network and the core that hears of the caller again: two small files in memory,
 * which outlive both. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define WAITING_MAX 2048

static char *waiting_path(void)
{
	return path_join(path_run(), "network/waiting");
}

static char *confirmed_path(void)
{
	return path_join(path_run(), "network/confirmed");
}

int net_waiting_write(const char *upid, const char *peer, const char *user, struct err *err)
{
	autofree char *path = waiting_path();
	autofree char *text = xasprintf("%s\n%llu\n%s\n%s\n", upid,
					(unsigned long long)(clock_wall() / USEC_PER_SEC),
					*peer ? peer : "-", user);

	return file_write_atomic(path, text, strlen(text), 0600, err);
}

void net_waiting_clear(void)
{
	autofree char *waiting = waiting_path(), *confirmed = confirmed_path();

	(void)file_remove(waiting, NULL);
	(void)file_remove(confirmed, NULL);
}

static bool is_confirmed(const char *upid)
{
	autofree char *path = confirmed_path();
	autobuf text = BUF_INIT;

	return file_read(path, WAITING_MAX, &text, NULL) == 0 && str_eq(buf_str(&text), upid);
}

int net_waiting_await(const char *upid, usec_t deadline, int cancel_fd, struct err *err)
{
	autofree char *folder = path_join(path_run(), "network");
	autofd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char events[4096];

	if (fd < 0 || inotify_add_watch(fd, folder, IN_MOVED_TO) < 0)
		return err_errno(err, errno, "watch %s", folder);
	for (;;) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN},
				     {.fd = cancel_fd, .events = POLLIN}};

		if (is_confirmed(upid))
			return 0;
		if (clock_left_ms(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "nobody confirmed it in time");
		if (poll(p, 2, clock_left_ms(deadline)) < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (p[1].revents)
			return err_set(err, ERR_CANCELLED, "interrupted by signal");
		while (read(fd, events, sizeof(events)) > 0)
			continue;
	}
}

bool net_waiting_parse(const char *text, size_t size, struct net_waiting *ret)
{
	autofree char *copy = xstrndup(text, size);
	autostrv char **lines = str_split(copy, "\n");
	struct net_waiting w = {0};

	if (strv_count(lines) != 4 || !str_copy(w.upid, sizeof(w.upid), lines[0]) ||
	    !str_to_u64(lines[1], &w.since) || !str_copy(w.peer, sizeof(w.peer), lines[2]) ||
	    !str_copy(w.user, sizeof(w.user), lines[3]))
		return false;
	*ret = w;
	return true;
}

bool net_waiting_read(struct net_waiting *ret)
{
	autofree char *path = waiting_path();
	autobuf text = BUF_INIT;

	return file_read(path, WAITING_MAX, &text, NULL) == 0 &&
	       net_waiting_parse(buf_str(&text), text.size, ret);
}

int net_waiting_confirm(const struct net_waiting *waiting, struct err *err)
{
	autofree char *path = confirmed_path();

	return file_write_atomic(path, waiting->upid, strlen(waiting->upid), 0600, err);
}
