/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Persistence of the store in SQLite (WAL, synchronous FULL, STRICT tables). Blocking; after
 * db_open() used by the writer thread only.
 *
 * Only the log stands between a write and its acknowledgement. kv, history and requests follow in
 * later transactions (db_settle) and are rebuilt from the log after a crash; the log is trimmed
 * behind them. Nothing is said to anybody before db_open() committed the raised start number with a
 * full sync: SQLite takes over WAL frames of a killed process without syncing them. */
#pragma once

#include "cluster/core/entry.h"
#include "cluster/core/kv.h"
#include "cluster/store.h"

#define DB_APPLICATION_ID 0x4c444745 /* "LDGE" */
#define DB_SCHEMA	  1
#define DB_LOG_KEPT	  1000u	  /* applied entries kept for those who lag behind */
#define DB_HISTORY_KEPT	  50000u /* log indices for which old values are kept */
/* bounds on their size as well: a large value may be written often */
#define DB_LOG_BYTES	 (64u * 1024 * 1024)
#define DB_HISTORY_BYTES (128u * 1024 * 1024)
#define DB_BYTES_EVERY	 64u /* log indices between two looks at the sizes */

struct db;

struct db_start {
	struct store_identity identity;
	uint64_t epoch;		    /* promised to ourselves for this process start */
	struct position last;	    /* of the log */
	uint8_t last_hash[SHA256_SIZE];
	uint64_t applied;	    /* what kv holds */
};

/* Rows for db_settle(), collected while applying. */
struct settle_row {
	char *path;	/* owned; NULL: a request row */
	void *value;	/* owned; NULL with a path: deleted */
	size_t size;
	uint64_t version;
	void *old; /* owned; previous value or NULL */
	size_t old_size;
	uint64_t old_version;
	uint64_t index, when;
	char who[STORE_WHO_MAX];
	struct kv_request request;
};

struct settle {
	struct settle_row *rows;
	size_t count, capacity;
	uint64_t applied; /* index up to which kv is complete with these rows */
};

void settle_fini(struct settle *settle);
struct settle_row *settle_add(struct settle *settle);
/* Moves the rows of `earlier` in front of those of settle. */
void settle_prepend(struct settle *settle, struct settle *earlier);

int db_open(const char *directory, struct db **ret, struct db_start *ret_start, struct err *err);
void db_close(struct db *db);
/* Loads kv and requests, then hands out the log entries behind `applied`, in order, checked against
 * the running hash. */
int db_load(struct db *db, struct kv *kv, struct err *err);
typedef int (*db_entry_fn)(const struct entry *entry, void *ctx, struct err *err);
int db_replay(struct db *db, uint64_t applied, db_entry_fn each, void *ctx, struct err *err);

struct db_row {
	struct position at;
	const void *data;
	size_t size;
};
/* Appends encoded entries in one transaction and syncs. ERR_NO_SPACE: certainly not appended.
 * Any other error: the outcome is unknown and this process must not write again. */
int db_append(struct db *db, const struct db_row *rows, size_t count, struct err *err);
int db_settle(struct db *db, const struct settle *settle, struct err *err);

/* A read of the history table. Only the newest rows may be missing there: those not settled yet. */
struct db_history_row {
	uint64_t index, old_version;
	usec_t when;
	char who[STORE_WHO_MAX];
	bool had_value; /* before the change */
	size_t old_size;
};

struct db_history_read {
	const char *path; /* borrowed until the job is back */
	uint64_t before;  /* rows below this index */
	size_t limit;	  /* at most so many; 0: the value is wanted instead */
	uint64_t version;
	bool wants_creation;
	/* filled in */
	struct db_history_row *rows; /* newest first; owned */
	size_t count;
	struct db_history_row next; /* the change right after the first row; index 0: none here */
	uint64_t created;	    /* index of the newest creation here; 0: none */
	struct buf value;	    /* owned */
	bool has_value;
};

int db_history_read(struct db *db, struct db_history_read *read, struct err *err);
void db_history_read_fini(struct db_history_read *read);
