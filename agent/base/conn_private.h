/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a connection, shared by conn.c (life, output), conn_call.c (our calls) and
 * conn_input.c (what the peer sends). */
#pragma once

#include "agent/base/conn.h"
#include "agent/base/list.h"
#include "agent/base/map.h"
#include "agent/base/stream.h"

struct conn {
	struct stream stream;
	sd_event *event;
	sd_event_source *io;
	sd_event_source *again; /* defer: input left over after a bounded batch */
	sd_event_source *timer; /* earliest deadline of an outgoing call */
	struct conn_peer peer;
	const struct conn_ops *ops;
	void *ctx;
	uint64_t next_id;
	struct list outgoing; /* struct outgoing, of conn_call.c */
	unsigned outgoing_count;
	struct map *incoming; /* keys: ids of calls to be answered; values are not used */
	bool is_held; /* between conn_hold() and conn_release(): frames are queued only */
	struct err fault;     /* first failure while sending; ends the connection at the next wakeup */
	bool has_left;	      /* whole frames may be left in the input: no reading before they are done */
	unsigned busy;	      /* our own functions on the stack */
	bool wants_output;
	bool is_dead;
};

#define CONN_KEY_SIZE 17
void conn_id_key(uint64_t id, char ret[CONN_KEY_SIZE]);

/* Around everything that calls back: the conn is freed by the last leave() after its end. */
void conn_enter(struct conn *c);
void conn_leave(struct conn *c);
/* Fails the open calls, tells the owner, ends the connection. */
void conn_broken(struct conn *c, const struct err *err);
/* Never ends the connection by itself, so that no caller loses it under its feet: a failure is kept
 * in c->fault and shuts the socket down, which wakes the loop. */
void conn_send(struct conn *c, const struct buf *frame, const int *fds, unsigned count);
int conn_flush(struct conn *c, struct err *err);

int conn_on_io(sd_event_source *source, int fd, uint32_t events, void *userdata);
int conn_on_again(sd_event_source *source, void *userdata);
int conn_on_timer(sd_event_source *source, uint64_t usec, void *userdata);

/* The reply to one of our calls: runs its callback; ignored when nobody waits for it any more. */
void conn_call_finish(struct conn *c, uint64_t id, struct reply *reply);
void conn_call_fail_all(struct conn *c); /* 596; stops when a callback closes the connection */
void conn_call_free_all(struct conn *c); /* without callbacks */
