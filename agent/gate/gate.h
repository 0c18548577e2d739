/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-gate: the only process that faces the network. It ends TLS, cuts requests into flat lists of
 * (name, value), hands them to the core, and writes the core's ready answers out. It holds no state
 * of the domain and decides nothing. One thread: an sd-event loop that also drives libmicrohttpd. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/base/conn.h"
#include "agent/base/list.h"

#define GATE_BODY_MAX	   (512u * 1024) /* as in the contract */
#define GATE_CONNECTIONS   1000
#define GATE_PER_ADDRESS   64
#define GATE_IDLE_SECONDS  60
#define GATE_CALL_MS	   30000u
#define GATE_CORE_AWAY_MS  2000u /* a request waits this long for a restarting core */
#define GATE_HOLD_401	   (3 * USEC_PER_SEC)

struct gate_options {
	const char *listen; /* address, "::" listens on IPv4 as well */
	uint16_t port;
};

struct link;
struct server;
struct gate_tls;
struct brake;

struct gate {
	sd_event *event;
	struct link *link;     /* to the core */
	struct server *server; /* libmicrohttpd */
	struct gate_tls *tls;
	struct brake *brake;
	int webui_fd; /* folder of static files, or -1 */
};

struct request;

/* link.c: the connection to the core, kept up for ever. */
int link_new(struct gate *gate, struct link **ret, struct err *err);
void link_free(struct link *link);
/* Sends now, or as soon as the core is back (within GATE_CORE_AWAY_MS), else status 503. done is
 * called exactly once unless link_cancel(). The handle is valid until done. */
struct link_call;
struct link_call *link_call(struct link *link, struct call *call /* content is taken */,
			    conn_reply_fn done, void *ctx);
void link_cancel(struct link_call *call);

/* server.c */
int server_new(struct gate *gate, int listen_fd, struct server **ret, struct err *err);
void server_free(struct server *server);
void server_wake(struct server *server); /* a connection was resumed */
int server_listen(const struct gate_options *options, int *ret_fd, struct err *err);

/* tls.c */
int gate_tls_new(struct gate *gate, struct gate_tls **ret, struct err *err);
void gate_tls_free(struct gate_tls *tls);
/* gnutls_certificate_retrieve_function2 for libmicrohttpd; serves the newest certificate. */
void *gate_tls_callback(void);
