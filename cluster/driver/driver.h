/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the driver share. Not for others.
 *
 *   store.c    opening, closing, reading, subscribing        submit.c   proposals, from submission to answer
 *   step.c     events into the replica, its effects out       applied.c  what was applied: subscribers, rows to settle
 *   pump.c     what the writer does next, what came back      history.c  questions about the history
 *   group.c    the transport                                  admin.c    founding, joining, voters */
#pragma once

#include "agent/base/list.h"
#include "cluster/core/parts.h"
#include "cluster/db/record.h"
#include "cluster/db/writer.h"
#include "cluster/transport/transport.h"

/* A transaction on its way. */
struct proposal {
	struct list node;
	enum request_kind kind;
	struct buf payload;
	char who[STORE_WHO_MAX];
	struct uuid id;
	uint64_t first;
	usec_t deadline;
	store_done_fn done;
	void *ctx;
};

/* A question about the history on its way. */
struct reading {
	struct list node;
	char *path;			  /* owned */
	struct store_history_query query; /* its path is the one above */
	bool wants_value;
	usec_t deadline;
	store_history_fn fn; /* NULL once it was answered */
	void *ctx;
	struct db_history_read read;
};

struct store_subscription {
	struct list node;
	struct store *store;
	char *prefix;
	store_change_fn fn; /* NULL: it has ended while all were told */
	void *ctx;
};

/* A datagram that the group would not take yet. */
struct parcel {
	struct list node;
	size_t size;
	char data[];
};

struct store {
	struct replica_options options;
	struct replica *replica;
	char *directory, *run;
	struct store_identity identity;

	struct db *db;
	struct writer *writer;
	struct writer_job job; /* that the writer holds, if busy */
	bool is_busy;
	struct persist **persists; /* that the writer is owed */
	size_t persist_count, persist_capacity;
	struct settle settle; /* applied, not yet settled */
	uint64_t settled;     /* index */
	bool settle_waits;    /* the last attempt found the disk full: for the next write */
	usec_t settle_at;     /* not before, unless much waits */

	/* the replica has stopped */
	char *read_only;  /* why */
	bool is_down;	  /* and may be started again, once there is room */
	bool has_started; /* the start number of this process is on disk */
	usec_t recover_at;

	struct list waiting, asked; /* proposals: not yet given to the replica; given */
	size_t waiting_count, waiting_bytes, asked_count;

	struct list readings;	 /* not yet handed to the writer */
	size_t reading_count;	 /* of those */
	struct reading *reading; /* that the writer holds */
	bool has_read;		 /* the writer's last job was a read: a write goes first */
	bool is_closed;		 /* no more questions */
	bool is_dispatching, is_closing, closes_later; /* see store_close() */

	struct group_transport *transport; /* NULL: a node alone */
	struct parts *parts;
	uint32_t message_number;
	struct list outbox;
	size_t outbox_count;
	bool is_joined;
	usec_t join_at;

	struct list subscriptions;
	unsigned telling; /* subscribers: none of them is freed */
	int epoll_fd;	  /* what the owner polls: all below */
	int timer_fd, wake_fd;
	usec_t timer;	  /* what timer_fd is set to; 0: off */
	usec_t suspended; /* boot time minus monotonic time, when last looked at */
};

/* store.c: at once, as when a process ends. Nothing is waited for but the writer's job, nobody is told. */
void store_free(struct store *store);

/* step.c */
void store_step(struct store *store, struct event *event);
void store_start(struct store *store, struct replica_disk *disk); /* empties it */
const struct kv *store_kv(const struct store *store);
void store_identify(struct store *store); /* reads the identity anew */
void store_ticks(struct store *store);	  /* what time has brought */
void store_timer_set(struct store *store);
void store_wake(struct store *store); /* dispatch has something to do */

/* store.c */
void store_forget_ended(struct store *store); /* subscriptions */

/* submit.c */
/* A request of another kind; takes the payload. */
int store_ask(struct store *store, enum request_kind kind, struct buf *payload, store_done_fn done,
	      void *ctx, struct err *err);
void store_propose_waiting(struct store *store);
void store_proposals_expire(struct store *store, usec_t now);
usec_t store_proposals_earliest(const struct store *store, usec_t so_far);
void store_proposals_drop(struct list *proposals); /* nobody is told */
void store_fail_all(struct list *proposals, enum store_outcome outcome, const struct err *why);
void store_fail_waiting(struct store *store, const struct err *why); /* not sent */
void store_answered(struct store *store, const struct answer *answer);

/* applied.c */
void store_applied_now(struct store *store, struct applied *applied); /* takes its rows */

/* pump.c */
void store_pump(struct store *store); /* gives the writer its next job, if it is idle */
usec_t store_settle_deadline(const struct store *store); /* 0: nothing waits for it */
void store_written(struct store *store);		 /* takes its job back, if it is done */
void store_owe(struct store *store, struct persist *persist); /* takes it */
void store_become_read_only(struct store *store, const char *why);
void store_leave(struct store *store, const char *why);

/* group.c */
int store_group_open(struct store *store, struct err *err);
void store_group_join(struct store *store);
void store_group_leave(struct store *store);
void store_group_send(struct store *store, const struct buf *message);
void store_group_dispatch(struct store *store);
void store_group_free(struct store *store);
usec_t store_group_deadline(const struct store *store);

/* history.c: readings from question to answer */
bool store_reading_start(struct store *store); /* the writer is idle; false: none waits */
void store_reading_ended(struct store *store);
void store_readings_expire(struct store *store, usec_t now);
usec_t store_readings_earliest(const struct store *store, usec_t so_far);
/* all, that of the writer too */
void store_readings_fail(struct store *store, const struct err *why);
void store_reading_forget(struct store *store); /* that of the writer; it has ended */
