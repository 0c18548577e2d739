/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request: its life from the request line to the queued answer. Owned by its MHD connection;
 * freed when MHD says that the request is over.
 *
 *   READING --> ANSWERED --> QUEUED          made here: static files, bad input
 *      |            ^   ^
 *      |            |   +-- UPLOADING <-+    its file goes to a job of the core
 *      |            |                   |
 *      +--> CALLED -+-------------------+    suspended, the core works on it
 *              |    |
 *              +-> HELD                      suspended, a refusal that is held back
 *
 * An answer that has a stream instead of a body goes on after QUEUED: as a relay, which has the
 * connection from then on, or as an event stream. */
#pragma once

#include <microhttpd.h>

#include "agent/gate/gate.h"
#include "agent/gate/handshake.h"
#include "agent/gate/peer.h"

enum request_state {
	REQUEST_READING, /* head and body come in */
	REQUEST_CALLED,
	REQUEST_HELD,
	REQUEST_UPLOADING,
	REQUEST_ANSWERED, /* MHD takes the answer at its next call */
	REQUEST_QUEUED,
};

struct request {
	struct list node; /* in parked.c's list while suspended */
	struct gate *gate;
	struct MHD_Connection *connection; /* valid until the request is freed */
	enum request_state state;
	char *target; /* raw */
	char verb[16];
	char http[16]; /* version */
	char address[PEER_TEXT_SIZE];
	char address_key[ADDRESS_KEY_SIZE]; /* what limits count it by */
	struct buf body;
	uint64_t body_size; /* of all that came, kept or not */
	bool is_too_large;
	bool accepts_gzip;
	bool is_extjs;
	bool is_upgrade; /* a valid WebSocket handshake: */
	struct handshake_answer handshake;
	bool is_guess; /* the core checks a password for it */
	struct link_call *call;
	struct upload *upload; /* upload.c's, or NULL */
	usec_t release_at;     /* REQUEST_HELD */
	/* the answer */
	unsigned status;
	char *reason; /* its first line is sent, NULL: the standard phrase */
	char *content_type;
	struct buf answer;
	int answer_fd; /* memfd or static file, -1 if none */
	int stream_fd; /* WebSocket (status 101) or body without end, -1 if none */
	char *etag;    /* static files */
	bool is_static;
	bool was_large; /* worth giving memory back afterwards */
};

/* request.c. NULL target: none was read. */
struct request *request_new(struct gate *gate, const char *target,
			    struct MHD_Connection *connection);
void request_free(struct request *r);
/* The head is complete. false: the body is not wanted; the state is ANSWERED. */
bool request_start(struct request *r, const char *verb, const char *http);
/* Is the body of a refused request read all the same? A connection that is closed on what a client still sends is reset,
 * and the answer lost with it (RFC 9112, 9.6). Not where it is too large, or is not sent before a word from here. */
bool request_drains(const struct request *r);
/* false: close the connection, this will not end. */
bool request_body(struct request *r, const char *data, size_t size);
/* The body is complete. Afterwards the state is CALLED (suspended) or ANSWERED. */
void request_dispatch(struct request *r);
/* An answer made by the gate itself, in the API's envelope. */
void request_fail(struct request *r, unsigned status, const char *message);
void request_fail_err(struct request *r, unsigned status, const struct err *err);

/* call.c: hands it to the core. path is below /api2/FORMAT. */
void request_call(struct request *r, const char *path, const char *query);
/* The same for an upload, whose fields were read already; fields is emptied. Fails without a call. */
struct request_upload {
	const char *path, *query;
	struct fields *fields;
	uint64_t size; /* of the body, 0: unknown */
};
int request_call_upload(struct request *r, const struct request_upload *upload, struct err *err);
/* Forgets the core's work on it. */
void request_uncall(struct request *r);

/* answer.c: queues the answer of an ANSWERED request; MHD_NO closes the connection. */
enum MHD_Result request_queue(struct request *r);
/* static.c: opens the file; state ANSWERED afterwards. */
void static_serve(struct request *r, const char *path);

/* server.c: a connection was resumed. */
void server_wake(struct server *server);

/* parked.c: suspended requests, watched for peers that left and for their release; libmicrohttpd looks
 * at neither. */
struct parked;
int parked_new(sd_event *event, struct parked **ret, struct err *err);
void parked_free(struct parked *parked);		   /* resumes all */
void parked_add(struct parked *parked, struct request *r); /* suspends it */
void parked_resume(struct request *r);
struct parked *server_parked(struct server *server);

/* reason.c: the phrase for the next header with this status that is built on this thread. */
void reason_set(unsigned status, const char *phrase);
