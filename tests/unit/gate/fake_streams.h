/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake core's streams. Those of consoles are held by processes of their own, as those of jobs are,
 * and outlive the core.
 *   /stream/echo          sends back what it gets
 *   /stream/say/TEXT      sends TEXT and ends
 *   /stream/break         ends with bytes unread: a reset
 *   /stream/deaf          reads nothing until the other end is gone
 *   /stream/flood/N       sends N bytes of fake_pattern(); /flooded says how many are out
 *   /stream/count         takes all; /flooded says how many bytes that were, at their end
 *   /stream/hold          without a job: held by the core until the other end is gone
 *   /stream/bare          status 101 without a descriptor
 *   /take/upload          an upload: its job takes it, /flooded says how many bytes of files came, plus a billion
 *                         when the last one was complete
 *   /deaf/upload          its job reads nothing; /gone/upload: it ends at once; /refuse/upload: 403, no job
 *   /jobs                 how many of them run
 *   /events/open          an event stream; /events/flood/N as above
 *   /events/say/TEXT      to all that are held
 *   /events/count         how many are held
 *   /events/end           ends all of them */
#pragma once

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "agent/base/fd.h"

static inline unsigned char fake_pattern(uint64_t position)
{
	return (unsigned char)(position * 131 >> 3);
}

static void fake_job_echo(int fd)
{
	char data[7000];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		if (fd_write_all(fd, data, (size_t)n, NULL) < 0)
			return;
}

static void fake_job_deaf(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	while (poll(&p, 1, -1) < 0)
		;
}

static void fake_job_flood(int fd, uint64_t size, uint64_t *flooded)
{
	unsigned char data[5000];

	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < sizeof(data) ? (size_t)(size - at) : sizeof(data);

		for (size_t i = 0; i < n; i++)
			data[i] = fake_pattern(at + i);
		if (fd_write_all(fd, data, n, NULL) < 0)
			return;
		at += n;
		__atomic_store_n(flooded, at, __ATOMIC_RELAXED);
	}
}

static void fake_job_count(int fd, uint64_t *counted)
{
	char data[5000];
	uint64_t all = 0;
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		all += (uint64_t)n;
	__atomic_store_n(counted, all, __ATOMIC_RELAXED);
}

/* So that the gate is seen to shut it with bytes unread, something has to be in there first. */
static void fake_job_break(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, -1) < 0)
		;
}

#define FAKE_COMPLETE 1000000000u

static bool fake_read(int fd, void *data, size_t size)
{
	for (char *at = data; size > 0;) {
		ssize_t n = read(fd, at, size);

		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* Frames: length, bytes; length 0 is the end. */
static void fake_job_take(int fd, uint64_t *taken)
{
	unsigned char head[4], data[65536];
	uint64_t all = 0;

	__atomic_store_n(taken, 0, __ATOMIC_RELAXED);
	while (fake_read(fd, head, sizeof(head))) {
		uint32_t size = head[0] | head[1] << 8 | head[2] << 16 | (uint32_t)head[3] << 24;

		if (size == 0) {
			__atomic_store_n(taken, all + FAKE_COMPLETE, __ATOMIC_RELAXED);
			return;
		}
		if (size > sizeof(data) || !fake_read(fd, data, size))
			break;
		for (uint32_t i = 0; i < size; i++)
			if (data[i] != fake_pattern(all + i))
				return;
		all += size;
		__atomic_store_n(taken, all, __ATOMIC_RELAXED);
	}
}

static void fake_job(struct fake_core *core, int fd, const char *what)
{
	const char *rest;

	signal(SIGPIPE, SIG_IGN);
	if (str_eq(what, "echo"))
		fake_job_echo(fd);
	else if (str_eq(what, "deaf"))
		fake_job_deaf(fd);
	else if (str_eq(what, "count"))
		fake_job_count(fd, core->flooded);
	else if (str_eq(what, "break"))
		fake_job_break(fd);
	else if (str_eq(what, "take"))
		fake_job_take(fd, core->flooded);
	else if ((rest = str_after(what, "say/")))
		fd_write_all(fd, rest, strlen(rest), NULL);
	else if ((rest = str_after(what, "flood/")))
		fake_job_flood(fd, strtoull(rest, NULL, 10), core->flooded);
	close(fd);
}

static void fake_job_start(struct fake_core *core, int fd, const char *what)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(fd, 3);
		close_range(4, ~0U, 0);
		fake_job(core, 3, what);
		_exit(0);
	}
	core->jobs++;
	close(fd);
}

static unsigned fake_jobs(struct fake_core *core)
{
	while (core->jobs > 0 && waitpid(-1, NULL, WNOHANG) > 0)
		core->jobs--;
	return core->jobs;
}

static int fake_on_held(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct fake_core *core = ctx;

	(void)events;
	for (size_t i = 0; i < FAKE_HELD_MAX; i++)
		if (core->held[i] == source)
			core->held[i] = NULL;
	sd_event_source_disable_unref(source);
	close(fd);
	return 0;
}

static void fake_hold(struct fake_core *core, int fd)
{
	size_t i = 0;

	while (i + 1 < FAKE_HELD_MAX && core->held[i])
		i++;
	sd_event_add_io(core->event, &core->held[i], fd, EPOLLRDHUP, fake_on_held, core);
}

static void fake_tell_held(struct fake_core *core, const char *last_words)
{
	for (size_t i = 0; i < FAKE_HELD_MAX; i++) {
		sd_event_source *source = core->held[i];

		if (source && last_words)
			fd_write_all(sd_event_source_get_io_fd(source), last_words,
				     strlen(last_words), NULL);
		else if (source)
			fake_on_held(source, sd_event_source_get_io_fd(source), 0, core);
	}
}

static unsigned fake_count_held(const struct fake_core *core)
{
	unsigned n = 0;

	for (size_t i = 0; i < FAKE_HELD_MAX; i++)
		n += core->held[i] != NULL;
	return n;
}

static void fake_stream_open(struct fake_core *core, struct conn *conn, uint64_t id,
			     unsigned status, const char *type, const char *what)
{
	struct reply reply = REPLY_INIT;
	int pair[2];

	reply.status = (uint16_t)status;
	fields_add(&reply.head, "content-type", type);
	if (!str_eq(what, "bare") &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
		reply.fd = pair[0];
		if (str_eq(what, "hold") || str_eq(what, "open"))
			fake_hold(core, pair[1]);
		else
			fake_job_start(core, pair[1], what);
	}
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static void fake_upload(struct fake_core *core, struct conn *conn, uint64_t id, const char *what,
			const struct call *call)
{
	struct reply reply = REPLY_INIT;
	int pair[2];

	/* the file comes in as a stream only for who said so */
	if (str_eq(what, "refuse") || !fields_find(&call->head, "upload")) {
		fake_answer(conn, id, 403, "no", "application/json", "{\"data\":null}", 13);
		return;
	}
	reply.status = 200;
	buf_addf(&reply.body, "{\"data\":\"%s %s\"}", fields_get(&call->params, "content"),
		 fields_get(&call->params, "filename"));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
		reply.fd = pair[0];
		fake_job_start(core, pair[1], what);
	}
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static void fake_stream_call(struct fake_core *core, struct conn *conn, uint64_t id,
			     const struct call *call)
{
	const char *path = fields_get(&call->head, "path"), *what;

	if (str_eq(path, "/jobs")) {
		fake_number(conn, id, fake_jobs(core));
	} else if (str_eq(path, "/flooded")) {
		fake_number(conn, id, __atomic_load_n(core->flooded, __ATOMIC_RELAXED));
	} else if (str_eq(path, "/events/count")) {
		fake_number(conn, id, fake_count_held(core));
	} else if (str_eq(path, "/events/end")) {
		fake_tell_held(core, NULL);
		fake_number(conn, id, 0);
	} else if ((what = str_after(path, "/events/say/"))) {
		fake_tell_held(core, what);
		fake_number(conn, id, 0);
	} else if ((what = str_after(path, "/events/"))) {
		fake_stream_open(core, conn, id, 200, "text/event-stream", what);
	} else {
		fake_stream_open(core, conn, id, 101, "websocket", str_after(path, "/stream/"));
	}
}

static void fake_streams_init(struct fake_core *core)
{
	core->flooded = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (core->flooded == MAP_FAILED)
		abort();
}
