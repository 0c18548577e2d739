/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A framed connection on an sd-event loop: its life and its output. */
#include "agent/base/conn_private.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define HOLD_MAX (64u * 1024) /* of output, queued while held */

void conn_id_key(uint64_t id, char ret[CONN_KEY_SIZE])
{
	snprintf(ret, CONN_KEY_SIZE, "%016llx", (unsigned long long)id);
}

static void conn_free(struct conn *c)
{
	conn_call_free_all(c);
	map_free(c->incoming, NULL);
	stream_fini(&c->stream);
	free(c);
}

/* Detached from the loop; the memory goes with the last conn_leave(), the only place that frees. */
static void conn_detach(struct conn *c)
{
	c->is_dead = true;
	c->io = sd_event_source_disable_unref(c->io);
	c->again = sd_event_source_disable_unref(c->again);
	c->timer = sd_event_source_disable_unref(c->timer);
}

void conn_enter(struct conn *c)
{
	c->busy++;
}

void conn_leave(struct conn *c)
{
	if (--c->busy == 0 && c->is_dead)
		conn_free(c);
}

void conn_close(struct conn *c)
{
	if (!c)
		return;
	conn_enter(c);
	conn_detach(c);
	conn_leave(c);
}

void conn_broken(struct conn *c, const struct err *err)
{
	struct err why = c->fault.code ? c->fault : *err;

	if (c->is_dead)
		return;
	c->fault = why; /* callbacks that call again are refused */
	conn_enter(c);
	conn_call_fail_all(c);
	if (!c->is_dead) {
		if (c->ops->on_closed)
			c->ops->on_closed(c, &why, c->ctx);
		conn_detach(c);
	}
	conn_leave(c);
}

static int setup_sources(struct conn *c, struct err *err)
{
	int r = sd_event_add_io(c->event, &c->io, c->stream.fd, EPOLLIN, conn_on_io, c);

	if (r >= 0)
		r = sd_event_add_defer(c->event, &c->again, conn_on_again, c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->again, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(c->event, &c->timer, CLOCK_MONOTONIC, 0, 10000, conn_on_timer,
				      c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	return r < 0 ? err_errno(err, -r, "watch a connection") : 0;
}

int conn_new(sd_event *event, int fd, const struct conn_ops *ops, void *ctx, struct conn **ret,
	     struct err *err)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	struct ucred cred = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(cred);
	int r;

	stream_init(&c->stream, fd);
	c->event = event;
	c->ops = ops;
	c->ctx = ctx;
	list_init(&c->outgoing);
	c->incoming = map_new();
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
	c->peer = (struct conn_peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
	fd_set_nonblock(fd, true);
	r = setup_sources(c, err);
	if (r < 0) {
		conn_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

const struct conn_peer *conn_peer(const struct conn *c)
{
	return &c->peer;
}

void *conn_ctx(const struct conn *c)
{
	return c->ctx;
}

static void want_output(struct conn *c, bool wanted)
{
	if (wanted != c->wants_output)
		sd_event_source_set_io_events(c->io, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
	c->wants_output = wanted;
}

int conn_flush(struct conn *c, struct err *err)
{
	int r = stream_flush(&c->stream, err);

	if (r >= 0)
		want_output(c, r == 0);
	return r < 0 ? r : 0;
}

static void end_stream(struct conn *c)
{
	shutdown(c->stream.fd, SHUT_RDWR); /* readable now: end of file */
}

/* Large replies (they carry a descriptor) leave at once: the peer works on them meanwhile. */
static bool may_wait(const struct conn *c, unsigned fd_count)
{
	return c->is_held && fd_count == 0 && c->stream.out.size < HOLD_MAX;
}

static void send_queued(struct conn *c, int queued, unsigned fd_count)
{
	if (queued == 0 && !may_wait(c, fd_count))
		queued = conn_flush(c, &c->fault);
	if (queued < 0)
		end_stream(c);
}

void conn_send(struct conn *c, const struct buf *frame, const int *fds, unsigned count)
{
	if (!c->fault.code)
		send_queued(c, stream_queue(&c->stream, frame, fds, count, &c->fault), count);
}

/* The reply's descriptors go over to the stream. */
static void send_reply(struct conn *c, const struct buf *frame, const int *fds, unsigned count,
		       struct reply *reply)
{
	int r;

	if (c->fault.code)
		return;
	r = stream_queue_taking(&c->stream, frame, fds, count, &c->fault);
	if (r == 0)
		reply->fd = reply->body_fd = -1;
	send_queued(c, r, count);
}

void conn_hold(struct conn *c)
{
	c->is_held = true;
}

void conn_release(struct conn *c)
{
	c->is_held = false;
	if (c->is_dead || c->fault.code || c->stream.out.size == 0)
		return;
	if (conn_flush(c, &c->fault) < 0)
		end_stream(c);
}

void conn_reply(struct conn *c, uint64_t id, struct reply *reply)
{
	int fds[FRAME_FDS_MAX];
	autobuf frame = BUF_INIT;
	struct err err = ERR_INIT;
	unsigned count = 0;
	char key[CONN_KEY_SIZE];

	conn_id_key(id, key);
	if (!c->is_dead && map_remove(c->incoming, key)) {
		if (frame_encode_reply(id, reply, &frame, fds, &count, &err) < 0) {
			reply_fini(reply);
			reply->status = 500;
			fields_add(&reply->head, "message", err.message);
			buf_clear(&frame);
			frame_encode_reply(id, reply, &frame, fds, &count, &err);
		}
		send_reply(c, &frame, fds, count, reply);
	}
	reply_fini(reply);
}

void conn_event(struct conn *c, const struct call *event)
{
	autobuf frame = BUF_INIT;

	if (c->is_dead || frame_check_call(event, NULL) < 0)
		return;
	frame_encode_event(event, &frame);
	conn_send(c, &frame, event->fds, event->fd_count);
}
