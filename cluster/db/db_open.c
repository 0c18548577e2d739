/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening lodge.db: recognising it, founding it, the opening sync, statements. */
#include "cluster/db/db_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "cluster/db/schema.h"

static const char *const statement_sql[STMT_COUNT] = {
	[STMT_LOG_ADD] = "INSERT INTO log (idx, epoch, data) VALUES (?1, ?2, ?3)",
	[STMT_LOG_TRIM] = "DELETE FROM log WHERE idx < ?1",
	/* what lies behind the newest ?2 bytes, and is settled */
	[STMT_LOG_TRIM_BYTES] =
		"DELETE FROM log WHERE idx <= ?1 AND idx < (SELECT idx FROM (SELECT idx,"
		" sum(length(data)) OVER (ORDER BY idx DESC) AS total FROM log)"
		" WHERE total > ?2 ORDER BY idx DESC LIMIT 1)",
	[STMT_KV_PUT] = "INSERT OR REPLACE INTO kv (path, version, value) VALUES (?1, ?2, ?3)",
	[STMT_KV_DELETE] = "DELETE FROM kv WHERE path = ?1",
	[STMT_HISTORY_ADD] = "INSERT OR REPLACE INTO history (idx, path, at, who, old_version, old)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[STMT_HISTORY_TRIM] = "DELETE FROM history WHERE idx < ?1",
	[STMT_HISTORY_TRIM_BYTES] =
		"DELETE FROM history WHERE idx <= ?1 AND idx < (SELECT idx FROM (SELECT idx,"
		" sum(length(old)) OVER (ORDER BY idx DESC) AS total FROM history)"
		" WHERE total > ?2 ORDER BY idx DESC LIMIT 1)",
	[STMT_REQUEST_ADD] =
		"INSERT OR REPLACE INTO requests (id, idx, payload_hash, outcome, failed)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
	[STMT_REQUEST_TRIM] = "DELETE FROM requests WHERE idx < ?1",
	[STMT_HISTORY_BELOW] =
		"SELECT idx, at, who, old_version, old IS NOT NULL, length(old) FROM history"
		" WHERE path = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3",
	[STMT_HISTORY_FROM] =
		"SELECT idx, at, who, old_version, old IS NOT NULL, length(old) FROM history"
		" WHERE path = ?1 AND idx >= ?2 ORDER BY idx LIMIT 1",
	[STMT_HISTORY_CREATED] = "SELECT idx FROM history WHERE path = ?1 AND old IS NULL"
				 " ORDER BY idx DESC LIMIT 1",
	/* the change that ended the version holds its value */
	[STMT_HISTORY_VALUE] = "SELECT old_version, old FROM history WHERE path = ?1 AND idx > ?2"
			       " ORDER BY idx LIMIT 1",
	[STMT_META_PUT] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
};

int db_error(struct db *db, const char *what, struct err *err)
{
	int code = db->sql ? sqlite3_errcode(db->sql) & 0xff : SQLITE_NOMEM;
	const char *text = db->sql ? sqlite3_errmsg(db->sql) : "out of memory";

	if (code == SQLITE_FULL)
		return err_set(err, ERR_NO_SPACE, "%s: no space left for the configuration store",
			       what);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return err_set(err, ERR_BUSY, "%s: the store is in use by another process", what);
	if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
		return err_set(err, ERR_CORRUPT, "%s: the store is damaged (%s)", what, text);
	return err_set(err, ERR_IO, "%s: %s", what, text);
}

int db_exec(struct db *db, const char *sql, const char *what, struct err *err)
{
	return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
									 : db_error(db, what, err);
}

int db_step(struct db *db, enum db_statement which, const char *what, struct err *err)
{
	sqlite3_stmt *s = db->statements[which];
	int r = sqlite3_step(s) == SQLITE_DONE ? 0 : db_error(db, what, err);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

static int read_int(struct db *db, const char *sql, int64_t fallback, int64_t *ret, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r;

	if (sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL) != SQLITE_OK)
		return db_error(db, "read the store", err);
	r = sqlite3_step(s);
	if (r == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
		*ret = sqlite3_column_int64(s, 0);
	else
		*ret = fallback;
	sqlite3_finalize(s);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : db_error(db, "read the store", err);
}

static int read_text(struct db *db, const char *key, char *ret, size_t size, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(db->sql, "SELECT value FROM meta WHERE key = ?1", -1, &s, NULL) !=
	    SQLITE_OK)
		return db_error(db, "read the store's identity", err);
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 0) == (int)size - 1)
		memcpy(ret, sqlite3_column_text(s, 0), size);
	else
		r = err_set(err, ERR_CORRUPT, "the store is damaged: %s is missing", key);
	sqlite3_finalize(s);
	return r;
}

int db_meta_put_int(struct db *db, const char *key, int64_t value, struct err *err)
{
	sqlite3_bind_text(db->statements[STMT_META_PUT], 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(db->statements[STMT_META_PUT], 2, value);
	return db_step(db, STMT_META_PUT, "write the store's state", err);
}

static int meta_put_random(struct db *db, const char *key, struct err *err)
{
	uint8_t random[16];
	autobuf hex = BUF_INIT;

	random_bytes(random, sizeof(random));
	digest_hex(random, sizeof(random), &hex);
	sqlite3_bind_text(db->statements[STMT_META_PUT], 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(db->statements[STMT_META_PUT], 2, buf_str(&hex), -1, SQLITE_TRANSIENT);
	return db_step(db, STMT_META_PUT, "write the store's identity", err);
}

static int prepare_all(struct db *db, struct err *err)
{
	for (int i = 0; i < STMT_COUNT; i++)
		if (sqlite3_prepare_v3(db->sql, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &db->statements[i], NULL) != SQLITE_OK)
			return db_error(db, "prepare the store", err);
	return 0;
}

/* Tells an empty file from ours, and ours from a foreign or newer one. */
static int recognise(struct db *db, bool *ret_is_new, struct err *err)
{
	int64_t application, schema, tables;
	int r;

	if ((r = read_int(db, "PRAGMA application_id", 0, &application, err)) < 0 ||
	    (r = read_int(db, "PRAGMA user_version", 0, &schema, err)) < 0 ||
	    (r = read_int(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err)) < 0)
		return r;
	*ret_is_new = tables == 0 && application == 0 && schema == 0;
	if (*ret_is_new)
		return 0;
	if (application != DB_APPLICATION_ID)
		return err_set(err, ERR_CORRUPT, "this database was not made by Lodge");
	if (schema > DB_SCHEMA)
		return err_set(err, ERR_UNSUPPORTED,
			       "the store was written by a newer Lodge (schema %" PRId64
			       ", this one knows %d)",
			       schema, DB_SCHEMA);
	return 0;
}

static int found(struct db *db, struct err *err)
{
	char pragma[128];
	int r;

	snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		 DB_APPLICATION_ID, DB_SCHEMA);
	if ((r = db_exec(db, "BEGIN IMMEDIATE", "found the store", err)) < 0 ||
	    (r = db_exec(db, db_schema_sql, "found the store", err)) < 0 ||
	    (r = db_exec(db, pragma, "found the store", err)) < 0 ||
	    (r = prepare_all(db, err)) < 0 || (r = meta_put_random(db, "cluster_id", err)) < 0 ||
	    (r = meta_put_random(db, "incarnation", err)) < 0)
		return r;
	return db_exec(db, "COMMIT", "found the store", err);
}

/* The opening sync: a raised start number and epoch, on disk before anything else is said. */
static int raise_start(struct db *db, struct db_start *ret, struct err *err)
{
	int64_t start, epoch, last_epoch;
	int r;

	if ((r = read_int(db, "SELECT value FROM meta WHERE key='start'", 0, &start, err)) < 0 ||
	    (r = read_int(db, "SELECT value FROM meta WHERE key='promised'", 0, &epoch, err)) < 0 ||
	    (r = read_int(db, "SELECT max(epoch) FROM log", 0, &last_epoch, err)) < 0)
		return r;
	if (epoch < last_epoch)
		epoch = last_epoch;
	ret->identity.start = (uint64_t)start + 1;
	ret->epoch = (uint64_t)epoch + 1;
	if ((r = db_exec(db, "BEGIN IMMEDIATE", "open the store", err)) < 0 ||
	    (r = db_meta_put_int(db, "start", start + 1, err)) < 0 ||
	    (r = db_meta_put_int(db, "promised", epoch + 1, err)) < 0)
		return r;
	return db_exec(db, "COMMIT", "open the store", err);
}

static int read_position(struct db *db, struct db_start *ret, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int64_t applied;
	int r = read_int(db, "SELECT value FROM meta WHERE key='applied'", 0, &applied, err);

	if (r < 0)
		return r;
	ret->applied = (uint64_t)applied;
	if (sqlite3_prepare_v2(db->sql, "SELECT data FROM log ORDER BY idx DESC LIMIT 1", -1, &s,
			       NULL) != SQLITE_OK)
		return db_error(db, "read the log", err);
	if (sqlite3_step(s) == SQLITE_ROW) {
		struct entry e;

		r = entry_decode(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0), &e,
				 err);
		if (r == 0) {
			ret->last = e.at;
			memcpy(ret->last_hash, e.hash, SHA256_SIZE);
		}
	} else if (applied != 0) {
		r = err_set(err, ERR_CORRUPT, "the store is damaged: its log is gone");
	}
	sqlite3_finalize(s);
	if (r == 0 && ret->last.index < ret->applied)
		r = err_set(err, ERR_CORRUPT,
			    "the store is damaged: its log ends before its values");
	return r;
}

static int open_steps(struct db *db, const char *path, struct db_start *start, struct err *err)
{
	bool is_new = false;
	int r;

	if (sqlite3_open_v2(path, &db->sql,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return db_error(db, "open", err);
	/* The lock is taken at the first access and held: one core a database. With it the WAL index
	 * is in heap memory and no -shm file exists. */
	if ((r = db_exec(db, "PRAGMA locking_mode=EXCLUSIVE", "open", err)) < 0 ||
	    (r = recognise(db, &is_new, err)) < 0 ||
	    (r = db_exec(db, "PRAGMA journal_mode=WAL", "open", err)) < 0 ||
	    (r = db_exec(db, "PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;", "open", err)) < 0)
		return r;
	r = is_new ? found(db, err) : prepare_all(db, err);
	if (r < 0 || (r = read_text(db, "cluster_id", start->identity.cluster_id, 33, err)) < 0 ||
	    (r = read_text(db, "incarnation", start->identity.incarnation, 33, err)) < 0 ||
	    (r = read_position(db, start, err)) < 0)
		return r;
	return raise_start(db, start, err);
}

int db_open(const char *directory, struct db **ret, struct db_start *ret_start, struct err *err)
{
	autofree char *path = xasprintf("%s/lodge.db", directory);
	struct db *db = xcalloc(1, sizeof(*db));
	struct db_start start = {0};
	int r = dir_make(directory, 0700, err);

	if (r == 0)
		r = open_steps(db, path, &start, err);
	if (r < 0) {
		db_close(db);
		return err_prefix(err, "%s", path);
	}
	*ret = db;
	*ret_start = start;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sql);
	free(db);
}
