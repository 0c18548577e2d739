/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Persistence of a replica in SQLite (WAL, synchronous FULL, STRICT tables). Blocking; after db_open() and db_load()
 * used by the writer thread only.
 *
 * Only the log stands between a write and its acknowledgement: a transaction of the replica is one row of the log,
 * and the replica's small facts where they changed otherwise. Values, history and requests follow in later
 * transactions (db_settle), are made again from the log after a crash, and the log is trimmed behind them.
 *
 * SQLite takes over WAL frames of a killed process without syncing them: until the first db_persist() is back,
 * nothing may be said of what was loaded. */
#pragma once

#include "cluster/core/replica.h"
#include "cluster/store.h"

#define DB_APPLICATION_ID 0x4c444745 /* "LDGE" */
#define DB_SCHEMA	  2
#define DB_HISTORY_KEPT	  50000u /* log indices for which old values are kept */
#define DB_HISTORY_BYTES  (128u * 1024 * 1024)
#define DB_ORPHANS_KEPT	  1000u
#define DB_ORPHANS_BYTES  (64u * 1024 * 1024)
#define DB_FAILED_MARKER  "store-failed" /* in the run folder, a tmpfs: a write failed since boot */
#define DB_SEEN_RECORD	  "store-seen"	 /* the same: highest start number since boot */

struct db;

struct db_options {
	const char *directory; /* holds lodge.db; made if absent, 0700 */
	const char *run;       /* folder that a reboot empties */
	const char
		*machine; /* identity of this machine that the database is bound to; NULL: none */
	bool is_reader;	  /* an existing database is looked at and never written */
};

/* Rows for db_settle(), collected while applying. */
struct settle_row {
	char *path;  /* owned; NULL: a request row */
	void *value; /* owned; NULL with a path: deleted */
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
	size_t bytes;		/* of values, old and new */
	uint64_t applied;	/* index up to which kv is complete with these rows */
	uint64_t base;		/* the log is trimmed up to here, but not beyond `applied` */
	uint64_t requests_from; /* older requests are forgotten: index of the first in memory */
	struct buf head;	/* record_head_encode() at `applied` */
};

void settle_fini(struct settle *settle);
struct settle_row *settle_add(struct settle *settle);
/* Moves the rows of `earlier` in front of those of settle. */
void settle_prepend(struct settle *settle, struct settle *earlier);

/* Opens, or makes an empty one with a new incarnation; that of a preview is taken over (not by a reader). A foreign, newer, damaged or locked database, one of another
 * machine, one that is older than what ran here since boot, and one after a failed write: each is a clear error, and
 * stays untouched. */
int db_open(const struct db_options *options, struct db **ret, struct err *err);
void db_close(struct db *db);
/* Everything, checked: what EV_STARTED takes. The state is left out (NULL) unless asked for. */
int db_load(struct db *db, bool wants_state, struct replica_disk *ret, struct err *err);
void db_disk_fini(struct replica_disk *disk);

/* Transactions of the replica, in order, as one, and synced. ERR_NO_SPACE: certainly nothing of it was done. Any
 * other error: nobody knows, and DB_FAILED_MARKER was left before this returns. */
int db_persist(struct db *db, struct persist *const *items, size_t count, struct err *err);
/* Needs no sync of its own. Errors as above. */
int db_settle(struct db *db, const struct settle *settle, struct err *err);
/* After a full disk: 0 once there is room for db_persist() again. */
int db_make_room(struct db *db, struct err *err);
/* Remembers the start number for as long as the machine is up. */
int db_remember_start(struct db *db, const struct replica_meta *meta, struct err *err);

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
