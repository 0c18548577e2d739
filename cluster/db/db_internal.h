/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of cluster/db share about the open database. Not for others. */
#pragma once

#include <sqlite3.h>

#include "cluster/db/db.h"
#include "cluster/db/record.h"

enum db_statement {
	STMT_META_GET,
	STMT_META_PUT,
	STMT_LOG_ADD,
	STMT_LOG_FROM,
	STMT_LOG_CUT,
	STMT_LOG_BELOW,
	STMT_LOG_TRIM,
	STMT_ORPHAN_ADD,
	STMT_ORPHAN_TRIM,
	STMT_KV_PUT,
	STMT_KV_DELETE,
	STMT_HISTORY_ADD,
	STMT_HISTORY_TRIM,
	STMT_HISTORY_OLDEST,
	STMT_REQUEST_ADD,
	STMT_REQUEST_TRIM,
	STMT_HISTORY_BELOW,
	STMT_HISTORY_FROM,
	STMT_HISTORY_CREATED,
	STMT_HISTORY_VALUE,
	STMT_COUNT,
};

/* Keys of the table meta. */
#define META_REPLICA	   "replica"
#define META_BASE	   "base"
#define META_HEAD	   "head"
#define META_MACHINE	   "machine"
#define META_HISTORY_BYTES "history_bytes"

struct db {
	sqlite3 *sql;
	sqlite3_stmt *statements[STMT_COUNT];
	char *directory, *run, *machine;
	bool is_reader;
	bool had_wal;	 /* before it was opened */
	bool is_usable;	 /* it may be used here */
	bool has_failed; /* a write whose outcome nobody knows */
	struct buf meta; /* as written, with nothing accepted */
	int64_t history_bytes;
	int wal_pages;	      /* after the last commit */
	int checkpoint_pages; /* from so many on they are moved into the database */
	int reserve_fd;	      /* space that is kept for another epoch; -1: used up */
};

/* Translates SQLite's last error; `what` says what was being done. */
int db_error(struct db *db, const char *what, struct err *err);
int db_exec(struct db *db, const char *sql, const char *what, struct err *err);
/* Steps a statement that returns no rows, then resets it. */
int db_step(struct db *db, enum db_statement which, const char *what, struct err *err);
/* Empty: there is no such key. */
int db_meta_get(struct db *db, const char *key, struct buf *ret, struct err *err);
int db_meta_put(struct db *db, const char *key, const struct buf *value, struct err *err);
int db_meta_put_int(struct db *db, const char *key, int64_t value, struct err *err);
/* 0 if there is no row. */
int db_read_int(struct db *db, const char *sql, int64_t *ret, struct err *err);

int db_prepare_all(struct db *db, struct err *err);
int db_upgrade(struct db *db, struct err *err); /* db_upgrade.c: of schema 1 */

/* db_persist.c */
int db_rollback(struct db *db, int r);
/* After a write whose outcome nobody knows, unless r is ERR_NO_SPACE. */
int db_failed(struct db *db, int r, const struct err *err);

/* db_settle.c */
int db_put_value(struct db *db, const char *path, uint64_t version, const void *value, size_t size,
		 struct err *err);
int db_put_request(struct db *db, const struct kv_request *request, struct err *err);

/* db_room.c */
void db_reserve_take(struct db *db); /* tries to; silently does without */
bool db_reserve_spend(struct db *db);

/* db_checkpoint.c */
void db_checkpoint_setup(struct db *db);
int db_checkpoint(struct db *db, struct err *err); /* if it is due */
void db_checkpoint_last(struct db *db);		   /* before closing */

/* db_identity.c */
int db_bind_machine(struct db *db, struct err *err);
int db_check_identity(struct db *db, struct err *err);
int db_make_identity(struct db *db, struct err *err);
