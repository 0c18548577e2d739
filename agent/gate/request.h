/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request: its life from the request line to the queued answer. Owned by its MHD connection;
 * freed when MHD says that the request is over. */
#pragma once

#include <microhttpd.h>

#include "agent/gate/gate.h"

enum request_state {
	REQUEST_READING,  /* head and body come in */
	REQUEST_CALLED,	  /* suspended, the core works on it */
	REQUEST_HELD,	  /* suspended, a refusal that is held back */
	REQUEST_ANSWERED, /* the answer is known: MHD takes it at the next call */
	REQUEST_QUEUED,
};

struct request {
	struct list node; /* in server's list of suspended requests */
	struct gate *gate;
	struct MHD_Connection *connection; /* valid until the request is freed */
	enum request_state state;
	char *target;	    /* raw */
	char verb[16];
	char address[64];   /* of the peer, without port */
	struct buf body;
	bool is_too_large;
	bool accepts_gzip;
	struct link_call *call;
	usec_t release_at; /* REQUEST_HELD */
	/* the answer */
	unsigned status;
	char *reason;	    /* first line of the message, or NULL: the standard phrase */
	char *content_type;
	struct buf answer;
	int answer_fd;	    /* memfd or static file, -1 if none */
	char *etag;	    /* static files */
	bool is_static;
};

/* From MHD's callbacks. */
struct request *request_new(struct gate *gate, const char *target, struct MHD_Connection *connection);
void request_free(struct request *r);
void request_start(struct request *r, const char *verb);   /* head is complete */
void request_body(struct request *r, const char *data, size_t size);
/* The body is complete. Afterwards the state is CALLED (suspended) or ANSWERED. */
void request_dispatch(struct request *r);
/* answer.c: queues the answer of an ANSWERED request; MHD_NO closes the connection. */
enum MHD_Result request_queue(struct request *r);
/* An answer made by the gate itself, in the API's envelope. */
void request_fail(struct request *r, unsigned status, const char *message);
/* static.c: opens the file; state ANSWERED afterwards. */
void static_serve(struct request *r, const char *path);
/* Suspended requests are watched for peers that left and for their release. */
void server_watch(struct server *server, struct request *r);

/* reason.c: the phrase for the next header with this status that is built on this thread. */
void reason_set(unsigned status, const char *phrase);
void reason_clear(void);
