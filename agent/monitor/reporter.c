/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's link to the core. */
#include "agent/monitor/monitor.h"

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"

#define RETRY_MIN (50 * USEC_PER_MSEC)
#define RETRY_MAX (1000 * USEC_PER_MSEC)

struct reporter {
	sd_event *event;
	char *path;
	struct conn *conn; /* NULL while the core is away */
	sd_event_source *timer;
	usec_t pause;
	const struct reporter_ops *ops;
	void *ctx;
};

static void arm(struct reporter *r, usec_t delay)
{
	sd_event_source_set_time(r->timer, clock_monotonic() + delay);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	struct reporter *r = ctx;

	(void)conn;
	log_warning("connection to the core: %s", err->message);
	r->conn = NULL;
	r->pause = RETRY_MIN;
	arm(r, RETRY_MIN);
}

static void on_event(struct conn *conn, struct call *event, void *ctx)
{
	struct reporter *r = ctx;

	(void)conn;
	if (r->ops->on_event)
		r->ops->on_event(event, r->ctx);
}

static const struct conn_ops ops = {.on_closed = on_closed, .on_event = on_event};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct reporter *r = userdata;
	int fd = -1;

	(void)source;
	(void)usec;
	if (conn_connect(r->path, &fd, NULL) < 0 ||
	    conn_new(r->event, fd, &ops, r, &r->conn, NULL) < 0) {
		arm(r, r->pause);
		r->pause = r->pause * 2 < RETRY_MAX ? r->pause * 2 : RETRY_MAX;
		return 0;
	}
	log_info("connected to the core");
	r->ops->on_connected(r->ctx);
	return 0;
}

int reporter_new(sd_event *event, const struct reporter_ops *reporter_ops, void *ctx,
		 struct reporter **ret, struct err *err)
{
	struct reporter *r = xcalloc(1, sizeof(*r));
	int failed;

	r->event = event;
	r->path = path_join(path_run(), "%s", CORE_SOCKET);
	r->pause = RETRY_MIN;
	r->ops = reporter_ops;
	r->ctx = ctx;
	failed = sd_event_add_time(event, &r->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, r);
	if (failed < 0) {
		reporter_free(r);
		return err_errno(err, -failed, "timer");
	}
	*ret = r;
	return 0;
}

void reporter_free(struct reporter *r)
{
	if (!r)
		return;
	conn_close(r->conn);
	sd_event_source_disable_unref(r->timer);
	free(r->path);
	free(r);
}

void reporter_send(struct reporter *r, enum call_op op, struct fields *head)
{
	struct call event = CALL_INIT;

	event.op = (uint16_t)op;
	event.head = *head;
	*head = FIELDS_INIT;
	if (r->conn)
		conn_event(r->conn, &event);
	call_fini(&event);
}
