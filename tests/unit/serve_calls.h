/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers calls on a listening socket until it is killed: the fake cores' processes. Include after cmocka.h. */
#pragma once

#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent/base/conn.h"

typedef void (*serve_fn)(struct call *call, struct reply *reply);

static struct {
	sd_event *event;
	serve_fn answer;
} serve;

static inline void serve_on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	struct reply reply = REPLY_INIT;

	(void)ctx;
	serve.answer(call, &reply);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static inline void serve_on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)err;
	(void)ctx;
}

static inline int serve_on_client(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	static const struct conn_ops ops = {.on_call = serve_on_call, .on_closed = serve_on_closed};
	struct conn *conn;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	(void)ctx;
	if (client >= 0 && conn_new(serve.event, client, &ops, NULL, &conn, NULL) < 0)
		abort();
	return 0;
}

static inline _Noreturn void serve_calls(int fd, serve_fn answer)
{
	serve.answer = answer;
	if (sd_event_new(&serve.event) >= 0 &&
	    sd_event_add_io(serve.event, NULL, fd, EPOLLIN, serve_on_client, NULL) >= 0)
		sd_event_loop(serve.event);
	_exit(1);
}
