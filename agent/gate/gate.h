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
#define GATE_COOKIE	   "PVEAuthCookie"
#define GATE_HEADERS_MAX   64
#define GATE_HEAD_MAX	   8192
#define GATE_CONNECTIONS   1000
#define GATE_PER_ADDRESS   64
#define GATE_IDLE_SECONDS  60
#define GATE_CALL_MS	   30000u
#define GATE_CORE_AWAY	   (1500 * USEC_PER_MSEC) /* a request waits this long for a restarting core */
#define GATE_HOLD_401	   (3 * USEC_PER_SEC)
#define GATE_PING_EVERY	   (30 * USEC_PER_SEC) /* of a WebSocket */
#define GATE_UPLOAD_FIELDS (60 * USEC_PER_SEC) /* an upload comes to its file within this time */
#define GATE_SILENCE_PINGS 3		       /* so many of them without any sign end it */
#define GATE_SILENCE	   (GATE_SILENCE_PINGS * GATE_PING_EVERY)

struct gate_options {
	const char *listen; /* address, "::" listens on IPv4 as well */
	uint16_t port;
	unsigned per_address; /* connections of one address */
	const char *user;     /* to become when started by root */
	usec_t ping_every;    /* 0: GATE_PING_EVERY */
	usec_t upload_fields; /* 0: GATE_UPLOAD_FIELDS */
};

struct link;
struct server;
struct gate_tls;
struct brake;
struct relays;
struct event_streams;
struct uploads;

struct gate {
	sd_event *event;
	struct link *link;     /* to the core */
	struct server *server; /* libmicrohttpd */
	struct gate_tls *tls;
	struct brake *guesses; /* of passwords */
	struct brake *brake;   /* of all other credentials, which are not guessed but run out */
	struct relays *relays; /* WebSockets */
	struct event_streams *event_streams; /* responses without end */
	struct uploads *uploads;
	int webui_fd; /* folder of static files, or -1 */
};

/* options.c: from the command line, then LODGE_PORT, then the defaults. */
int gate_options_parse(int argc, char **argv, struct gate_options *ret, struct err *err);

/* gate.c: everything that has to be opened while all of the file system is still in sight. Waits for
 * the node's certificate for as long as that takes. */
int gate_open(struct gate *gate, const struct gate_options *options, struct err *err);
/* After the sandbox was entered: core_path is the core's socket as seen from inside. */
int gate_run(struct gate *gate, const char *core_path, struct err *err);
void gate_close(struct gate *gate);

/* link.c: the connection to the core, kept up for ever. */
int link_new(struct gate *gate, struct link **ret, struct err *err);
void link_start(struct link *link, const char *path);
void link_free(struct link *link);
/* Sends now, or as soon as the core is back (within GATE_CORE_AWAY), else status 503. A call that may
 * be repeated survives one restart of the core. done is called exactly once unless link_cancel().
 * The handle is valid until then. Takes the content of call. */
struct link_call;
struct link_call *link_call(struct link *link, struct call *call, bool may_repeat,
			    conn_reply_fn done, void *ctx);
/* Calls made between on and off leave together (conn.h). */
void link_hold(struct link *link, bool on);
void link_cancel(struct link_call *call);

/* server.c. listen_fd is taken over. */
int server_new(struct gate *gate, const struct gate_options *options, int listen_fd,
	       struct server **ret, struct err *err);
void server_free(struct server *server);

/* listen.c */
int gate_listen(const struct gate_options *options, int *ret_fd, struct err *err);

/* sockopt.c: for a connection that stays: sent at once; few unsent bytes in the kernel, so that who does
 * not read is felt soon, and what is typed meanwhile is not answered behind megabytes; given up when
 * the peer's kernel acknowledges nothing for GATE_SILENCE. */
void gate_socket_stays(int fd);

/* tls.c: the certificate, read anew when its files change. */
int gate_tls_new(sd_event *event, struct gate_tls **ret, struct err *err);
void gate_tls_free(struct gate_tls *tls);
int gate_tls_dir(const struct gate_tls *tls);	    /* descriptor of the folder */
bool gate_tls_is_ready(const struct gate_tls *tls); /* there is a certificate to serve */
void gate_tls_reload(struct gate_tls *tls);
/* gnutls_certificate_retrieve_function2 for libmicrohttpd; serves the newest certificate. */
void *gate_tls_callback(void);
