/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A framed connection on an sd-event loop. */
#include "agent/base/conn.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/list.h"
#include "agent/base/map.h"
#include "agent/base/stream.h"

#define FRAMES_PER_WAKEUP 64 /* then others get their turn */

/* a call that we made */
struct outgoing {
	struct list node;
	uint64_t id;
	usec_t deadline; /* 0: none */
	conn_reply_fn done;
	void *ctx;
};

struct conn {
	struct stream stream;
	sd_event *event;
	sd_event_source *io;
	sd_event_source *again; /* defer: input left over after a bounded batch */
	sd_event_source *timer; /* earliest deadline of an outgoing call */
	struct conn_peer peer;
	const struct conn_ops *ops;
	void *ctx;
	uint64_t next_id;
	struct list outgoing;
	unsigned outgoing_count;
	struct map *incoming; /* ids of calls to be answered; values are not used */
	unsigned busy;	      /* frames of ours on the stack */
	bool is_dead;
};

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata);
static int on_again(sd_event_source *source, void *userdata);
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void id_key(uint64_t id, char ret[24])
{
	snprintf(ret, 24, "%016llx", (unsigned long long) id);
}

/* ---- life ---- */

static void conn_free(struct conn *c)
{
	LIST_FOREACH(&c->outgoing, o, struct outgoing, node)
		free(o);
	map_free(c->incoming, NULL);
	stream_fini(&c->stream);
	free(c);
}

/* Detached from the loop; memory goes when the last frame of ours left the stack. */
static void conn_kill(struct conn *c)
{
	if (c->is_dead)
		return;
	c->is_dead = true;
	c->io = sd_event_source_disable_unref(c->io);
	c->again = sd_event_source_disable_unref(c->again);
	c->timer = sd_event_source_disable_unref(c->timer);
	if (c->busy == 0)
		conn_free(c);
}

static void enter(struct conn *c)
{
	c->busy++;
}

static void leave(struct conn *c)
{
	if (--c->busy == 0 && c->is_dead)
		conn_free(c);
}

void conn_close(struct conn *c)
{
	if (c)
		conn_kill(c);
}

static void fail_outgoing(struct outgoing *o, uint16_t status, const char *message)
{
	struct reply reply = REPLY_INIT;
	conn_reply_fn done = o->done;
	void *ctx = o->ctx;

	list_remove(&o->node);
	free(o);
	reply.status = status;
	fields_add(&reply.head, "message", message);
	done(&reply, ctx);
	reply_fini(&reply);
}

static void broken(struct conn *c, const struct err *err)
{
	struct err copy = *err;

	if (c->is_dead)
		return;
	enter(c);
	while (!c->is_dead && !list_is_empty(&c->outgoing)) {
		c->outgoing_count--;
		fail_outgoing(CONTAINER_OF(c->outgoing.next, struct outgoing, node), 596,
			      "the connection broke");
	}
	if (!c->is_dead) {
		if (c->ops->on_closed)
			c->ops->on_closed(c, &copy, c->ctx);
		conn_kill(c);
	}
	leave(c);
}

static int setup_sources(struct conn *c, struct err *err)
{
	int r = sd_event_add_io(c->event, &c->io, c->stream.fd, EPOLLIN, on_io, c);

	if (r >= 0)
		r = sd_event_add_defer(c->event, &c->again, on_again, c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->again, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(c->event, &c->timer, CLOCK_MONOTONIC, 0, 10000, on_timer, c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	return r < 0 ? err_errno(err, -r, "watch a connection") : 0;
}

int conn_new(sd_event *event, int fd, const struct conn_ops *ops, void *ctx, struct conn **ret,
	     struct err *err)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	struct ucred cred = {.pid = 0, .uid = (uid_t) -1, .gid = (gid_t) -1};
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
		conn_kill(c);
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

/* ---- output ---- */

static void want_output(struct conn *c, bool wanted)
{
	sd_event_source_set_io_events(c->io, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static int flush(struct conn *c, struct err *err)
{
	int r = stream_flush(&c->stream, err);

	if (r >= 0)
		want_output(c, r == 0);
	return r < 0 ? r : 0;
}

/* Errors of the socket surface at the next wakeup, so that no caller loses the conn under its feet:
 * shutting it down makes it readable with an end of file. */
static int send_frame(struct conn *c, const struct buf *frame, const int *fds, unsigned count,
		      struct err *err)
{
	int r = stream_queue(&c->stream, frame, fds, count, err);

	if (r == 0)
		r = flush(c, err);
	if (r < 0)
		shutdown(c->stream.fd, SHUT_RDWR);
	return r;
}

static void arm_timer(struct conn *c, usec_t deadline)
{
	int enabled = SD_EVENT_OFF;
	uint64_t at = 0;

	sd_event_source_get_enabled(c->timer, &enabled);
	sd_event_source_get_time(c->timer, &at);
	if (enabled != SD_EVENT_OFF && at <= deadline)
		return;
	sd_event_source_set_time(c->timer, deadline);
	sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

int conn_call(struct conn *c, struct call *call, conn_reply_fn done, void *ctx, uint64_t *ret_id,
	      struct err *err)
{
	autobuf frame = BUF_INIT;
	struct outgoing *o;

	if (c->is_dead)
		return err_set(err, ERR_UNAVAILABLE, "the connection is closed");
	if (c->outgoing_count >= FRAME_CALLS_MAX)
		return err_set(err, ERR_LIMIT, "too many calls in flight");
	o = xcalloc(1, sizeof(*o));
	o->id = ++c->next_id;
	o->done = done;
	o->ctx = ctx;
	list_append(&c->outgoing, &o->node);
	c->outgoing_count++;
	if (call->deadline_ms) {
		o->deadline = clock_monotonic() + call->deadline_ms * USEC_PER_MSEC;
		arm_timer(c, o->deadline);
	}
	frame_encode_call(o->id, call, &frame);
	if (ret_id)
		*ret_id = o->id;
	send_frame(c, &frame, call->fds, call->fd_count, NULL);
	return 0;
}

static struct outgoing *outgoing_find(struct conn *c, uint64_t id)
{
	LIST_FOREACH(&c->outgoing, o, struct outgoing, node)
		if (o->id == id)
			return o;
	return NULL;
}

static void send_cancel(struct conn *c, uint64_t id)
{
	autobuf frame = BUF_INIT;

	frame_encode_cancel(id, &frame);
	send_frame(c, &frame, NULL, 0, NULL);
}

void conn_cancel(struct conn *c, uint64_t id)
{
	struct outgoing *o = c->is_dead ? NULL : outgoing_find(c, id);

	if (!o)
		return;
	list_remove(&o->node);
	free(o);
	c->outgoing_count--;
	send_cancel(c, id);
}

void conn_reply(struct conn *c, uint64_t id, struct reply *reply)
{
	int fds[FRAME_FDS_MAX];
	autobuf frame = BUF_INIT;
	struct err err = ERR_INIT;
	unsigned count = 0;
	char key[24];

	id_key(id, key);
	if (!c->is_dead && map_remove(c->incoming, key)) {
		if (frame_encode_reply(id, reply, &frame, fds, &count, &err) < 0) {
			reply_fini(reply);
			reply->status = 500;
			fields_add(&reply->head, "message", err.message);
			buf_clear(&frame);
			frame_encode_reply(id, reply, &frame, fds, &count, &err);
		}
		send_frame(c, &frame, fds, count, NULL);
	}
	reply_fini(reply);
}

void conn_event(struct conn *c, const struct call *event)
{
	autobuf frame = BUF_INIT;

	if (c->is_dead)
		return;
	frame_encode_event(event, &frame);
	send_frame(c, &frame, event->fds, event->fd_count, NULL);
}

/* ---- input ---- */

static void refuse(struct conn *c, uint64_t id, uint16_t status, const char *message)
{
	struct reply reply = REPLY_INIT;

	reply.status = status;
	fields_add(&reply.head, "message", message);
	conn_reply(c, id, &reply);
}

static int take_call(struct conn *c, struct stream_frame *f, struct err *err)
{
	struct call call = CALL_INIT;
	char key[24];
	int r = frame_decode_call(f->payload, f->header.length, &call, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < FRAME_FDS_MAX; i++)
		call.fds[i] = TAKE_FD(f->fds[i]);
	call.fd_count = f->header.fd_count;
	id_key(f->header.id, key);
	if (map_put(c->incoming, key, c)) {
		call_fini(&call);
		return err_set(err, ERR_CORRUPT, "a request id was used twice");
	}
	if (map_size(c->incoming) > FRAME_CALLS_MAX)
		refuse(c, f->header.id, 503, "too many calls in flight");
	else if (!c->ops->on_call)
		refuse(c, f->header.id, 501, "no calls are served here");
	else
		c->ops->on_call(c, f->header.id, &call, c->ctx);
	call_fini(&call);
	return 0;
}

static int take_reply(struct conn *c, struct stream_frame *f, struct err *err)
{
	struct outgoing *o = outgoing_find(c, f->header.id);
	struct reply reply = REPLY_INIT;
	conn_reply_fn done;
	void *ctx;
	int r = frame_decode_reply(f->payload, f->header.length, f->fds, f->header.fd_count, &reply, err);

	if (r < 0)
		return r;
	if (o) {
		done = o->done;
		ctx = o->ctx;
		list_remove(&o->node);
		free(o);
		c->outgoing_count--;
		done(&reply, ctx);
	}
	reply_fini(&reply);
	return 0;
}

static int take_event(struct conn *c, struct stream_frame *f, struct err *err)
{
	struct call event = CALL_INIT;
	int r = frame_decode_event(f->payload, f->header.length, &event, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < FRAME_FDS_MAX; i++)
		event.fds[i] = TAKE_FD(f->fds[i]);
	event.fd_count = f->header.fd_count;
	if (c->ops->on_event)
		c->ops->on_event(c, &event, c->ctx);
	call_fini(&event);
	return 0;
}

static int take_cancel(struct conn *c, struct stream_frame *f, struct err *err)
{
	char key[24];

	(void) err;
	id_key(f->header.id, key);
	if (map_remove(c->incoming, key) && c->ops->on_cancel)
		c->ops->on_cancel(c, f->header.id, c->ctx);
	return 0;
}

static int take_frame(struct conn *c, struct stream_frame *f, struct err *err)
{
	static int (*const takers[])(struct conn *, struct stream_frame *, struct err *) = {
		[FRAME_CALL] = take_call,
		[FRAME_REPLY] = take_reply,
		[FRAME_CANCEL] = take_cancel,
		[FRAME_EVENT] = take_event,
	};
	int r = takers[f->header.type](c, f, err);

	for (unsigned i = 0; i < FRAME_FDS_MAX; i++)
		closep(&f->fds[i]);
	return r;
}

/* Handles a bounded number of frames; the rest waits for its turn. */
static int take_frames(struct conn *c, struct err *err)
{
	unsigned handled = 0;
	size_t at = 0;
	int r = 1;

	while (r > 0 && !c->is_dead && handled < FRAMES_PER_WAKEUP) {
		struct stream_frame f;

		r = stream_next(&c->stream, &at, &f, err);
		if (r > 0) {
			int taken = take_frame(c, &f, err);

			handled++;
			if (taken < 0)
				return taken;
		}
	}
	stream_drop(&c->stream, at);
	if (r > 0 && !c->is_dead)
		sd_event_source_set_enabled(c->again, SD_EVENT_ONESHOT);
	return r < 0 ? r : 0;
}

static int on_again(sd_event_source *source, void *userdata)
{
	struct conn *c = userdata;
	struct err err = ERR_INIT;

	(void) source;
	enter(c);
	if (take_frames(c, &err) < 0)
		broken(c, &err);
	leave(c);
	return 0;
}

static int handle_io(struct conn *c, uint32_t events, struct err *err)
{
	int r = 0;

	if (events & EPOLLOUT)
		r = flush(c, err);
	if (r == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
		r = stream_read(&c->stream, err);
		if (r > 0)
			r = take_frames(c, err);
	}
	return r < 0 ? r : 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct conn *c = userdata;
	struct err err = ERR_INIT;

	(void) source;
	(void) fd;
	enter(c);
	if (handle_io(c, events, &err) < 0)
		broken(c, &err);
	leave(c);
	return 0;
}

/* ---- deadlines ---- */

static struct outgoing *expired(struct conn *c, usec_t now)
{
	LIST_FOREACH(&c->outgoing, o, struct outgoing, node)
		if (o->deadline && o->deadline <= now)
			return o;
	return NULL;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct conn *c = userdata;
	usec_t now = clock_monotonic(), next = 0;
	struct outgoing *o;

	(void) source;
	(void) usec;
	enter(c);
	while (!c->is_dead && (o = expired(c, now))) {
		c->outgoing_count--;
		send_cancel(c, o->id);
		fail_outgoing(o, 504, "no answer in time");
	}
	if (!c->is_dead) {
		LIST_FOREACH(&c->outgoing, left, struct outgoing, node)
			if (left->deadline && (next == 0 || left->deadline < next))
				next = left->deadline;
		if (next)
			arm_timer(c, next);
	}
	leave(c);
	return 0;
}
