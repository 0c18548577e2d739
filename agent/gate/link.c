/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to the core: one socket, calls multiplexed, reconnected with back-off. */
#include "agent/gate/gate.h"

#include "agent/base/log.h"
#include "agent/base/paths.h"

#define RETRY_MIN (50 * USEC_PER_MSEC)
#define RETRY_MAX (1000 * USEC_PER_MSEC)

struct link_call {
	struct list node; /* in waiting or sent */
	struct link *link;
	struct call call;
	conn_reply_fn done;
	void *ctx;
	uint64_t id;	 /* once sent */
	usec_t give_up; /* while waiting */
	bool is_sent;
};

struct link {
	struct gate *gate;
	char *path;
	struct conn *conn; /* NULL while the core is away */
	struct list waiting, sent;
	sd_event_source *timer; /* next attempt, and give-up of waiting calls */
	usec_t pause;
	bool is_away_logged;
};

static void call_free(struct link_call *c)
{
	list_remove(&c->node);
	call_fini(&c->call);
	free(c);
}

static void call_done(struct reply *reply, void *ctx)
{
	struct link_call *c = ctx;
	conn_reply_fn done = c->done;
	void *done_ctx = c->ctx;

	call_free(c);
	done(reply, done_ctx);
}

static void call_fail(struct link_call *c, uint16_t status, const char *message)
{
	struct reply reply = REPLY_INIT;

	reply.status = status;
	fields_add(&reply.head, "message", message);
	call_done(&reply, c);
	reply_fini(&reply);
}

static void call_send(struct link_call *c)
{
	struct link *link = c->link;
	struct err err = ERR_INIT;

	if (conn_call(link->conn, &c->call, call_done, c, &c->id, &err) < 0)
		return; /* too many in flight: stays in the queue */
	list_remove(&c->node);
	list_append(&link->sent, &c->node);
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

	(void) conn;
	log_warning("connection to the core: %s", err->message);
	link->conn = NULL;
	link->pause = RETRY_MIN;
	arm(link, 0);
}

static const struct conn_ops ops = {.on_closed = on_closed};

static void connect_core(struct link *link)
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
}

static void expire_waiting(struct link *link)
{
	usec_t now = clock_monotonic();

	LIST_FOREACH(&link->waiting, c, struct link_call, node)
		if (c->give_up <= now)
			call_fail(c, 503, "the node's core is restarting; try again in a moment");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct link *link = userdata;

	(void) source;
	(void) usec;
	if (!link->conn)
		connect_core(link);
	if (link->conn)
		LIST_FOREACH(&link->waiting, c, struct link_call, node)
			call_send(c);
	expire_waiting(link);
	if (link->conn && list_is_empty(&link->waiting))
		return 0;
	arm(link, link->conn ? RETRY_MIN : link->pause);
	link->pause = link->pause * 2 < RETRY_MAX ? link->pause * 2 : RETRY_MAX;
	return 0;
}

struct link_call *link_call(struct link *link, struct call *call, conn_reply_fn done, void *ctx)
{
	struct link_call *c = xcalloc(1, sizeof(*c));

	c->link = link;
	c->call = *call;
	*call = CALL_INIT;
	c->done = done;
	c->ctx = ctx;
	c->give_up = clock_monotonic() + GATE_CORE_AWAY_MS * USEC_PER_MSEC;
	list_init(&c->node);
	list_append(&link->waiting, &c->node);
	if (link->conn)
		call_send(c);
	if (link->conn && !c->is_sent)
		arm(link, RETRY_MIN);
	return c;
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
	int r;

	link->gate = gate;
	link->path = path_join(path_run(), "%s", GATE_SOCKET);
	link->pause = RETRY_MIN;
	list_init(&link->waiting);
	list_init(&link->sent);
	r = sd_event_add_time(gate->event, &link->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, link);
	if (r < 0) {
		free(link->path);
		free(link);
		return err_errno(err, -r, "timer");
	}
	*ret = link;
	return 0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	conn_close(link->conn);
	LIST_FOREACH(&link->waiting, c, struct link_call, node)
		call_free(c);
	LIST_FOREACH(&link->sent, c, struct link_call, node)
		call_free(c);
	sd_event_source_disable_unref(link->timer);
	free(link->path);
	free(link);
}
