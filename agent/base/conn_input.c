/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the peer of a connection sends: calls, replies, cancels and events, in bounded batches. */
#include "agent/base/conn_private.h"

#include <sys/epoll.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define FRAMES_PER_WAKEUP 64 /* then others get their turn */

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
	char key[CONN_KEY_SIZE];
	int r = frame_decode_call(f->payload, f->header.length, &call, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < FRAME_FDS_MAX; i++)
		call.fds[i] = TAKE_FD(f->fds[i]);
	call.fd_count = f->header.fd_count;
	conn_id_key(f->header.id, key);
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
	struct reply reply = REPLY_INIT;
	int r = frame_decode_reply(f->payload, f->header.length, f->fds, f->header.fd_count, &reply,
				   err);

	if (r < 0)
		return r;
	conn_call_finish(c, f->header.id, &reply);
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
	char key[CONN_KEY_SIZE];

	if (f->header.length != 0 || f->header.fd_count != 0)
		return err_set(err, ERR_CORRUPT, "a cancel frame has a content");
	conn_id_key(f->header.id, key);
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
static int take_batch(struct conn *c, struct err *err)
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
	c->has_left = r > 0;
	if (c->has_left && !c->is_dead)
		sd_event_source_set_enabled(c->again, SD_EVENT_ONESHOT);
	return r < 0 ? r : 0;
}

/* The answers to a batch leave in one piece: a system call and a wakeup of the peer, not one each. */
static int take_frames(struct conn *c, struct err *err)
{
	int r;

	conn_hold(c);
	r = take_batch(c, err);
	conn_release(c);
	return r;
}

int conn_on_again(sd_event_source *source, void *userdata)
{
	struct conn *c = userdata;
	struct err err = ERR_INIT;

	(void)source;
	conn_enter(c);
	if (take_frames(c, &err) < 0)
		conn_broken(c, &err);
	conn_leave(c);
	return 0;
}

static int handle_io(struct conn *c, uint32_t events, struct err *err)
{
	int r = events & EPOLLOUT ? conn_flush(c, err) : 0;

	/* conn_on_again goes on with what is left: the input stays below one frame and one read */
	if (r < 0 || c->has_left || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return r;
	r = stream_read(&c->stream, err);
	return r > 0 ? take_frames(c, err) : r;
}

int conn_on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct conn *c = userdata;
	struct err err = ERR_INIT;

	(void)source;
	(void)fd;
	conn_enter(c);
	if (handle_io(c, events, &err) < 0)
		conn_broken(c, &err);
	conn_leave(c);
	return 0;
}
