/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a pipe into a file that is moved aside when it is full. */
#include "systemd/supervise/bounded_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

static void open_file(struct bounded_log *log)
{
	struct stat st;

	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	log->size = log->fd >= 0 && fstat(log->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void rotate(struct bounded_log *log)
{
	closep(&log->fd);
	rename(log->path, log->old_path);
	open_file(log);
}

/* A full disk loses lines, never the daemon that writes them. */
static void add(struct bounded_log *log, const char *data, size_t size)
{
	if (log->size > 0 && log->size + size > log->max)
		rotate(log);
	ssize_t written = log->fd >= 0 ? write(log->fd, data, size) : -1;
	log->size += written > 0 ? (uint64_t)written : size;
}

/* False when the pipe is empty. */
static bool move_some(struct bounded_log *log)
{
	char data[16384];
	ssize_t n = read(log->read_end, data, sizeof(data));

	if (n > 0)
		add(log, data, (size_t)n);
	return n > 0;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	move_some(userdata);
	return 0;
}

int bounded_log_init(struct bounded_log *log, sd_event *event, const char *directory,
		     const char *name, uint64_t max, struct err *err)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe of %s", name);
	*log = (struct bounded_log){
		.fd = -1, .max = max, .read_end = ends[0], .write_end = ends[1]};
	log->path = xasprintf("%s/%s.log", directory, name);
	log->old_path = xasprintf("%s.1", log->path);
	open_file(log);
	r = fd_set_nonblock(log->read_end, true);
	if (r >= 0)
		r = sd_event_add_io(event, &log->source, log->read_end, EPOLLIN, on_output, log);
	if (r < 0) {
		bounded_log_fini(log);
		return err_errno(err, -r, "log of %s", name);
	}
	return 0;
}

void bounded_log_fini(struct bounded_log *log)
{
	if (!log->path)
		return;
	while (move_some(log))
		;
	sd_event_source_disable_unref(log->source);
	closep(&log->fd);
	closep(&log->read_end);
	closep(&log->write_end);
	free(log->path);
	free(log->old_path);
	*log = (struct bounded_log){.fd = -1, .read_end = -1, .write_end = -1};
}
