/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the store's driver share. Not for others. */
#pragma once

#include "agent/base/list.h"
#include "cluster/db/writer.h"

#define STORE_BATCH_MAX 1024
#define STORE_FAILED_MARKER "store-failed" /* in the run folder */

/* A transaction on its way. */
struct proposal {
	struct list node;
	struct buf payload;
	char who[STORE_WHO_MAX];
	usec_t deadline;
	store_done_fn done; /* NULL once it was answered */
	void *ctx;
	/* set when it becomes an entry */
	struct entry entry;
	struct buf encoded;
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
	char *prefix;
	store_change_fn fn;
	void *ctx;
};

struct store {
	struct db *db;
	struct writer *writer;
	struct kv *kv;
	struct db_start start;
	char node[64];
	struct position last;
	uint8_t last_hash[SHA256_SIZE];
	uint8_t hash_before_batch[SHA256_SIZE];
	uint64_t applied;
	struct list waiting; /* proposals not yet handed to the writer */
	struct list batch;   /* proposals that the writer holds */
	struct db_row rows[STORE_BATCH_MAX];
	struct writer_job append, settling, look;
	struct list readings;	 /* not yet handed to the writer */
	size_t reading_count;	 /* of those */
	struct reading *reading; /* that the writer holds */
	bool has_read;		 /* the writer's last job was a read: a write goes first */
	bool is_closed;		 /* no more questions */
	bool is_busy;	      /* the writer holds a job */
	struct settle settle; /* applied, not yet settled */
	bool settle_waits;    /* the last attempt found the disk full: for the next write */
	struct list subscriptions;
	char *read_only;
	int epoll_fd; /* what the owner polls: the writer's completions and the timer */
	int timer_fd;
	usec_t next_deadline; /* earliest of a proposal, what the timer is set to; 0: none */
};

/* store_apply.c: applies a durable entry; subscribers are told unless it is a replay at start. */
int store_apply(struct store *store, const struct entry *entry, bool is_replay,
		struct store_result *ret, struct err *err);

/* store_propose.c: proposals from submission to answer */
void store_pump(struct store *store); /* gives the writer its next job, if it is idle */
/* Answers and frees. The callbacks may submit. */
void store_fail_all(struct list *proposals, enum store_outcome outcome, const struct err *why);
/* Answers only: the writer still reads what these hold. */
void store_answer_all(struct list *proposals, enum store_outcome outcome, const struct err *why);
void store_forget_all(struct list *proposals);
void store_timer_set(struct store *store, usec_t at); /* 0: off */

/* store_history.c: readings from question to answer */
bool store_reading_start(struct store *store); /* the writer is idle; false: none waits */
void store_reading_ended(struct store *store);
void store_readings_expire(struct store *store, usec_t now);
usec_t store_readings_earliest(const struct store *store, usec_t so_far);
void store_readings_fail(struct store *store,
			 const struct err *why); /* all, that of the writer too */
void store_reading_forget(struct store *store);	 /* that of the writer; it has ended */
