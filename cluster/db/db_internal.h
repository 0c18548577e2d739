/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of cluster/db share about the open database. Not for others. */
#pragma once

#include <sqlite3.h>

#include "cluster/db/db.h"

enum db_statement {
	STMT_LOG_ADD,
	STMT_LOG_TRIM,
	STMT_LOG_TRIM_BYTES,
	STMT_KV_PUT,
	STMT_KV_DELETE,
	STMT_HISTORY_ADD,
	STMT_HISTORY_TRIM,
	STMT_HISTORY_TRIM_BYTES,
	STMT_REQUEST_ADD,
	STMT_REQUEST_TRIM,
	STMT_META_PUT,
	STMT_HISTORY_BELOW,
	STMT_HISTORY_FROM,
	STMT_HISTORY_CREATED,
	STMT_HISTORY_VALUE,
	STMT_COUNT,
};

struct db {
	sqlite3 *sql;
	sqlite3_stmt *statements[STMT_COUNT];
	uint64_t sizes_looked_at; /* index at the last look */
};

/* Translates SQLite's last error; `what` says what was being done. */
int db_error(struct db *db, const char *what, struct err *err);
int db_exec(struct db *db, const char *sql, const char *what, struct err *err);
/* Steps a statement that returns no rows, then resets it. */
int db_step(struct db *db, enum db_statement which, const char *what, struct err *err);
int db_meta_put_int(struct db *db, const char *key, int64_t value, struct err *err);
