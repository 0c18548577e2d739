/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that we made on a connection: their replies, deadlines and ends. */
#include "agent/base/conn_private.h"

struct outgoing {
	struct list node;
	uint64_t id;
	usec_t deadline; /* 0: none */
	conn_reply_fn done;
	void *ctx;
};

static void forget(struct conn *c, struct outgoing *o)
{
	list_remove(&o->node);
	free(o);
	c->outgoing_count--;
}

static void finish(struct conn *c, struct outgoing *o, struct reply *reply)
{
	conn_reply_fn done = o->done;
	void *ctx = o->ctx;

	forget(c, o); /* first: the callback may close the connection, or make calls */
	done(reply, ctx);
}

static void fail(struct conn *c, struct outgoing *o, uint16_t status, const char *message)
{
	struct reply reply = REPLY_INIT;

	reply.status = status;
	fields_add(&reply.head, "message", message);
	finish(c, o, &reply);
	reply_fini(&reply);
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
	int r;

	if (c->is_dead || c->fault.code)
		return err_set(err, ERR_UNAVAILABLE, "the connection is closed");
	if (c->outgoing_count >= FRAME_CALLS_MAX)
		return err_set(err, ERR_LIMIT, "too many calls in flight");
	if ((r = frame_check_call(call, err)) < 0)
		return r;
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
	conn_send(c, &frame, call->fds, call->fd_count);
	return 0;
}

static struct outgoing *outgoing_find(struct conn *c, uint64_t id)
{
	LIST_FOREACH (&c->outgoing, o, struct outgoing, node)
		if (o->id == id)
			return o;
	return NULL;
}

static void send_cancel(struct conn *c, uint64_t id)
{
	autobuf frame = BUF_INIT;

	frame_encode_cancel(id, &frame);
	conn_send(c, &frame, NULL, 0);
}

void conn_cancel(struct conn *c, uint64_t id)
{
	struct outgoing *o = c->is_dead ? NULL : outgoing_find(c, id);

	if (!o)
		return;
	forget(c, o);
	send_cancel(c, id);
}

void conn_call_finish(struct conn *c, uint64_t id, struct reply *reply)
{
	struct outgoing *o = outgoing_find(c, id);

	if (o)
		finish(c, o, reply);
}

void conn_call_fail_all(struct conn *c)
{
	while (!c->is_dead && !list_is_empty(&c->outgoing))
		fail(c, CONTAINER_OF(c->outgoing.next, struct outgoing, node), 596,
		     "the connection broke");
}

void conn_call_free_all(struct conn *c)
{
	LIST_FOREACH (&c->outgoing, o, struct outgoing, node)
		forget(c, o);
}

static struct outgoing *expired(struct conn *c, usec_t now)
{
	LIST_FOREACH (&c->outgoing, o, struct outgoing, node)
		if (o->deadline && o->deadline <= now)
			return o;
	return NULL;
}

static usec_t earliest_deadline(struct conn *c)
{
	usec_t earliest = 0;

	LIST_FOREACH (&c->outgoing, o, struct outgoing, node)
		if (o->deadline && (earliest == 0 || o->deadline < earliest))
			earliest = o->deadline;
	return earliest;
}

int conn_on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct conn *c = userdata;
	usec_t now = clock_monotonic(), next;
	struct outgoing *o;

	(void)source;
	(void)usec;
	conn_enter(c);
	while (!c->is_dead && (o = expired(c, now))) {
		send_cancel(c, o->id);
		fail(c, o, 504, "no answer in time");
	}
	next = c->is_dead ? 0 : earliest_deadline(c);
	if (next)
		arm_timer(c, next);
	conn_leave(c);
	return 0;
}
