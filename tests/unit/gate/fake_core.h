/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core that answers by the path alone: what the gate has in front of it in tests and measurements.
 *   /echo            head and parameters as they came, a line each
 *   /status/N/TEXT   status N with reason TEXT
 *   /size/N          a JSON text of N bytes (a memfd where large)
 *   /never           no answer; /cancels: how many of those were cancelled
 *   /later/MS/TEXT   status 200 with reason TEXT after MS milliseconds
 *   /exit/NAME       the core removes the file NAME in its folder and ends at once; without that file it
 *                    answers
 *   /access/ticket   status 200 for the password "right" and for what begins with "PVE:", else 401; the same for
 *                    PUT /access/password and its confirmation-password; /asked: how often these, or
 *                    status 401, were asked for
 *   /stream/…, /jobs, /events/…   fake_streams.h */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/conn.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define FAKE_HELD_MAX 600

struct fake_core {
	sd_event *event;
	int listen_fd;
	unsigned cancels, asked;
	/* fake_streams.h */
	sd_event_source *held[FAKE_HELD_MAX]; /* our ends of streams without a job */
	unsigned jobs;			      /* that run */
	uint64_t *flooded;		      /* bytes written by them, shared */
};

struct fake_later {
	struct conn *conn;
	uint64_t id;
	char *text;
};

static void fake_answer(struct conn *conn, uint64_t id, unsigned status, const char *reason,
			const char *type, const char *body, size_t size)
{
	struct reply reply = REPLY_INIT;

	reply.status = (uint16_t)status;
	fields_add(&reply.head, "reason", reason);
	fields_add(&reply.head, "content-type", type);
	buf_add(&reply.body, body, size);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

#define FAKE_JSON "application/json;charset=UTF-8"

static void fake_json(struct conn *conn, uint64_t id, unsigned status, const char *reason,
		      const char *body)
{
	fake_answer(conn, id, status, reason, FAKE_JSON, body, strlen(body));
}

static void fake_number(struct conn *conn, uint64_t id, uint64_t n)
{
	char text[64];

	snprintf(text, sizeof(text), "{\"data\":%llu}", (unsigned long long)n);
	fake_json(conn, id, 200, "OK", text);
}

#include "tests/unit/gate/fake_streams.h"

static void fake_lines(struct buf *out, const char *kind, const struct fields *f)
{
	for (size_t i = 0; i < f->count; i++)
		buf_addf(out, "%s %s=%s\n", kind, f->items[i].name, f->items[i].value);
}

static void fake_echo(struct conn *conn, uint64_t id, const struct call *call)
{
	autobuf out = BUF_INIT;

	fake_lines(&out, "head", &call->head);
	fake_lines(&out, "param", &call->params);
	fake_answer(conn, id, 200, "OK", "text/plain", out.data, out.size);
}

static void fake_size(struct conn *conn, uint64_t id, size_t size)
{
	char *body = xmalloc(size + 1);

	memset(body, 'x', size);
	memcpy(body, "{\"data\":\"", 9);
	memcpy(body + size - 2, "\"}", 2);
	fake_answer(conn, id, 200, "OK", FAKE_JSON, body, size);
	free(body);
}

static int fake_on_later(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct fake_later *l = ctx;

	(void)usec;
	fake_json(l->conn, l->id, 200, l->text, "{\"data\":null}");
	sd_event_source_unref(source);
	free(l->text);
	free(l);
	return 0;
}

static void fake_later(struct fake_core *core, struct conn *conn, uint64_t id, const char *what)
{
	struct fake_later *l = xcalloc(1, sizeof(*l));
	const char *text = strchr(what, '/');
	sd_event_source *source = NULL;

	*l = (struct fake_later){.conn = conn, .id = id, .text = xstrdup(text ? text + 1 : "")};
	sd_event_add_time_relative(core->event, &source, CLOCK_MONOTONIC,
				   strtoull(what, NULL, 10) * USEC_PER_MSEC, 1, fake_on_later, l);
}

static void fake_status(struct fake_core *core, struct conn *conn, uint64_t id, const char *what)
{
	const char *text = strchr(what, '/');

	core->asked += atoi(what) == 401;

	fake_json(conn, id, (unsigned)atoi(what), text ? text + 1 : NULL,
		  "{\"data\":null,\"message\":\"as asked\\n\"}");
}

static void fake_log_in(struct fake_core *core, struct conn *conn, uint64_t id,
			const struct call *call)
{
	const char *password = fields_get(&call->params, "password");
	const char *confirmation = fields_get(&call->params, "confirmation-password");
	const char *given = confirmation ? confirmation : password;
	bool is_right = str_eq(given, "right") || (given && str_starts(given, "PVE:"));

	core->asked++;
	fake_json(conn, id, is_right ? 200 : 401, is_right ? "OK" : "authentication failure",
		  "{\"data\":null}");
}

static bool fake_is_armed(const char *name)
{
	autofree char *file = path_join(path_run(), "%s", name);

	return unlink(file) == 0;
}

static void fake_on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	struct fake_core *core = ctx;
	const char *path = fields_get(&call->head, "path"), *rest;

	if (str_eq(path, "/echo")) {
		fake_echo(conn, id, call);
	} else if ((rest = str_after(path, "/exit/")) && fake_is_armed(rest)) {
		_exit(0);
	} else if (str_ends(path, "/upload")) {
		autofree char *what = xstrndup(path + 1, strcspn(path + 1, "/"));

		fake_upload(core, conn, id, what, call);
	} else if (str_after(path, "/stream/") || str_after(path, "/events/") ||
		   str_eq(path, "/jobs") || str_eq(path, "/flooded")) {
		fake_stream_call(core, conn, id, call);
	} else if (strstr(path, "access/ticket") || str_eq(path, "/access/password")) {
		fake_log_in(core, conn, id, call);
	} else if (str_eq(path, "/asked")) {
		fake_number(conn, id, core->asked);
	} else if (str_eq(path, "/cancels")) {
		fake_number(conn, id, core->cancels);
	} else if ((rest = str_after(path, "/status/"))) {
		fake_status(core, conn, id, rest);
	} else if ((rest = str_after(path, "/size/"))) {
		fake_size(conn, id, strtoull(rest, NULL, 10));
	} else if ((rest = str_after(path, "/later/"))) {
		fake_later(core, conn, id, rest);
	} else if (!str_eq(path, "/never")) {
		fake_json(conn, id, 200, "OK", "{\"data\":{\"version\":\"0.1.0\"}}");
	}
}

static void fake_on_cancel(struct conn *conn, uint64_t id, void *ctx)
{
	struct fake_core *core = ctx;

	(void)conn;
	(void)id;
	core->cancels++;
}

static void fake_on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)err;
	(void)ctx;
}

static const struct conn_ops fake_ops = {
	.on_call = fake_on_call, .on_cancel = fake_on_cancel, .on_closed = fake_on_closed};

static int fake_on_accept(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct fake_core *core = ctx;
	struct conn *conn = NULL;
	struct err err = ERR_INIT;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (client >= 0 && conn_new(core->event, client, &fake_ops, core, &conn, &err) < 0)
		fprintf(stderr, "fake core: %s\n", err.message);
	return 0;
}

/* Listens on path_run()/gate.sock; returns when the loop ends. */
static int fake_core_run(int listen_fd)
{
	struct fake_core core = {.listen_fd = listen_fd};
	int r = sd_event_new(&core.event);

	fake_streams_init(&core);

	if (r >= 0)
		r = sd_event_add_io(core.event, NULL, listen_fd, EPOLLIN, fake_on_accept, &core);
	return r < 0 ? r : sd_event_loop(core.event);
}

static int fake_core_listen(struct err *err)
{
	autofree char *path = path_join(path_run(), "%s", GATE_SOCKET);
	int fd = -1, r = conn_listen(path, 0666, (uid_t)-1, (gid_t)-1, &fd, err);

	return r < 0 ? r : fd;
}
