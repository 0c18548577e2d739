/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to the core: one socket, calls multiplexed, reconnected with back-off. A call is
 * in one of two lists: waiting (the core is away) or sent. */
#include "agent/gate/gate.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"

#define RETRY_MIN     (50 * USEC_PER_MSEC)
#define RETRY_MAX     (1000 * USEC_PER_MSEC)
#define RETRY_WAITING (250 * USEC_PER_MSEC) /* at most, while a client waits */
#define STATUS_BROKEN 596		    /* conn.h: the connection broke before the answer */

struct link_call {
	struct list node;
	struct link *link;
	struct call call;
	conn_reply_fn done;
	void *ctx;
	uint64_t id;	/* when sent */
	usec_t give_up; /* when waiting */
	bool is_sent;
	bool may_repeat;
};

struct link {
	struct gate *gate;
	char *path;
	struct conn *conn; /* NULL while the core is away */
	struct list waiting, sent;
	sd_event_source *timer; /* next attempt */
	usec_t pause;
	bool is_away_logged;
};

static void call_free(struct link_call *c)
{
	list_remove(&c->node);
	call_fini(&c->call);
	free(c);
}

static void call_finish(struct link_call *c, struct reply *reply)
{
	conn_reply_fn done = c->done;
	void *ctx = c->ctx;

	call_free(c);
	done(reply, ctx);
}

static void call_fail(struct link_call *c, const char *message)
{
	struct reply reply = REPLY_INIT;

	reply.status = 503;
	fields_add(&reply.head, "message", message);
	call_finish(c, &reply);
	reply_fini(&reply);
}

static void call_wait(struct link_call *c)
{
	list_remove(&c->node);
	list_append(&c->link->waiting, &c->node);
	c->is_sent = false;
	c->give_up = clock_monotonic() + GATE_CORE_AWAY;
}

/* The core's own answers have a body. */
static bool is_broken(const struct reply *reply)
{
	return reply->status == STATUS_BROKEN && reply->body.size == 0 && reply->body_fd < 0;
}

static void on_reply(struct reply *reply, void *ctx)
{
	struct link_call *c = ctx;

	if (!is_broken(reply)) {
		call_finish(c, reply);
	} else if (c->may_repeat) {
		c->may_repeat = false;
		call_wait(c);
	} else {
		call_fail(c, "the node's core stopped while it worked on this; "
			     "look whether it was done before you try again");
	}
}

/* What cannot be sent now (a connection that just broke, too many in flight) stays in the list. */
static void call_send(struct link_call *c)
{
	if (conn_call(c->link->conn, &c->call, on_reply, c, &c->id, NULL) < 0)
		return;
	list_remove(&c->node);
	list_append(&c->link->sent, &c->node);
	c->is_sent = true;
}

static void arm(struct link *link, usec_t delay)
{
	sd_event_source_set_time(link->timer, clock_monotonic() + delay);
	sd_event_source_set_enabled(link->timer, SD_EVENT_ONESHOT);
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	struct link *link = ctx;

	(void)conn;
	log_warning("connection to the core: %s", err->message);
	link->conn = NULL;
	link->pause = RETRY_MIN;
	arm(link, 0);
}

static const struct conn_ops ops = {.on_closed = on_closed};

static bool connect_core(struct link *link)
{
	struct err err = ERR_INIT;
	int fd = -1, r = conn_connect(link->path, &fd, &err);

	if (r == 0)
		r = conn_new(link->gate->event, fd, &ops, link, &link->conn, &err);
	if (r < 0 && !link->is_away_logged)
		log_warning("%s", err.message);
	if (r == 0)
		log_info("connected to the core");
	link->is_away_logged = r < 0;
	return r == 0;
}

static usec_t next_pause(struct link *link)
{
	usec_t max = list_is_empty(&link->waiting) ? RETRY_MAX : RETRY_WAITING;
	usec_t now = link->pause < max ? link->pause : max;

	link->pause = now * 2 < RETRY_MAX ? now * 2 : RETRY_MAX;
	return now;
}

static void expire(struct link *link, usec_t now)
{
	LIST_FOREACH (&link->waiting, c, struct link_call, node)
		if (c->give_up <= now)
			call_fail(c,
				  "the node's core is not running or is restarting; try again in a "
				  "moment");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct link *link = userdata;

	(void)source;
	(void)usec;
	if (link->conn || connect_core(link)) {
		link->pause = RETRY_MIN;
		LIST_FOREACH (&link->waiting, c, struct link_call, node)
			call_send(c);
	}
	expire(link, clock_monotonic());
	if (!link->conn || !list_is_empty(&link->waiting))
		arm(link, next_pause(link));
	return 0;
}

struct link_call *link_call(struct link *link, struct call *call, bool may_repeat,
			    conn_reply_fn done, void *ctx)
{
	struct link_call *c = xcalloc(1, sizeof(*c));

	c->link = link;
	c->call = *call;
	*call = CALL_INIT;
	c->may_repeat = may_repeat;
	c->done = done;
	c->ctx = ctx;
	list_init(&c->node);
	call_wait(c);
	if (link->conn)
		call_send(c);
	if (!c->is_sent)
		arm(link, 0);
	return c;
}

void link_hold(struct link *link, bool on)
{
	if (link->conn && on)
		conn_hold(link->conn);
	else if (link->conn)
		conn_release(link->conn);
}

void link_cancel(struct link_call *c)
{
	if (c->is_sent && c->link->conn)
		conn_cancel(c->link->conn, c->id);
	call_free(c);
}

int link_new(struct gate *gate, struct link **ret, struct err *err)
{
	struct link *link = xcalloc(1, sizeof(*link));
	int r = sd_event_add_time(gate->event, &link->timer, CLOCK_MONOTONIC, 0, 1000, on_timer,
				  link);

	if (r < 0) {
		free(link);
		return err_errno(err, -r, "timer");
	}
	sd_event_source_set_enabled(link->timer, SD_EVENT_OFF);
	link->gate = gate;
	link->pause = RETRY_MIN;
	list_init(&link->waiting);
	list_init(&link->sent);
	*ret = link;
	return 0;
}

void link_start(struct link *link, const char *path)
{
	link->path = xstrdup(path);
	arm(link, 0);
}

void link_free(struct link *link)
{
	if (!link)
		return;
	conn_close(link->conn);
	LIST_FOREACH (&link->waiting, c, struct link_call, node)
		call_free(c);
	LIST_FOREACH (&link->sent, c, struct link_call, node)
		call_free(c);
	sd_event_source_disable_unref(link->timer);
	free(link->path);
	free(link);
}
