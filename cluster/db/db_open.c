/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening lodge.db: recognising it, founding it, statements. */
#include "cluster/db/db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "cluster/db/schema.h"

#define CHECKPOINT_PAGES 4000
#define HISTORY_COLUMNS                                                                            \
	"SELECT idx, at, who, old_version, old IS NOT NULL, length(old) FROM history"

static const char *const statement_sql[STMT_COUNT] = {
	[STMT_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[STMT_META_PUT] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
	[STMT_LOG_ADD] = "INSERT INTO log (first, last, epoch, hash, accepted_epoch,"
			 " accepted_index, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[STMT_LOG_FROM] = "SELECT data FROM log WHERE last >= ?1 ORDER BY first",
	[STMT_LOG_CUT] = "DELETE FROM log WHERE last >= ?1",
	[STMT_LOG_BELOW] = "SELECT epoch, last, hash, accepted_epoch, accepted_index FROM log"
			   " WHERE last <= ?1 ORDER BY first DESC LIMIT 1",
	[STMT_LOG_TRIM] = "DELETE FROM log WHERE last <= ?1",
	[STMT_ORPHAN_ADD] = "INSERT INTO orphans (at, epoch, idx, data) VALUES (?1, ?2, ?3, ?4)",
	/* the newest that together are no more than that many, and bytes */
	[STMT_ORPHAN_TRIM] =
		"DELETE FROM orphans WHERE number <= (SELECT max(number) FROM orphans) - ?1 OR"
		" number IN (SELECT number FROM (SELECT number, sum(length(data)) OVER"
		" (ORDER BY number DESC) AS bytes FROM orphans) WHERE bytes > ?2)",
	[STMT_KV_PUT] = "INSERT OR REPLACE INTO kv (path, version, value) VALUES (?1, ?2, ?3)",
	[STMT_KV_DELETE] = "DELETE FROM kv WHERE path = ?1",
	[STMT_HISTORY_ADD] = "INSERT OR REPLACE INTO history (idx, path, at, who, old_version, old)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[STMT_HISTORY_TRIM] = "DELETE FROM history WHERE idx < ?1 RETURNING ifnull(length(old), 0)",
	[STMT_HISTORY_OLDEST] =
		"DELETE FROM history WHERE idx = (SELECT min(idx) FROM history WHERE idx < ?1)"
		" RETURNING ifnull(length(old), 0)",
	[STMT_REQUEST_ADD] =
		"INSERT OR REPLACE INTO requests (id, idx, payload_hash, outcome, failed)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
	[STMT_REQUEST_TRIM] = "DELETE FROM requests WHERE idx < ?1",
	[STMT_HISTORY_BELOW] =
		HISTORY_COLUMNS " WHERE path = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT ?3",
	[STMT_HISTORY_FROM] = HISTORY_COLUMNS " WHERE path = ?1 AND idx >= ?2 ORDER BY idx LIMIT 1",
	[STMT_HISTORY_CREATED] = "SELECT idx FROM history WHERE path = ?1 AND old IS NULL"
				 " ORDER BY idx DESC LIMIT 1",
	/* the change that ended the version holds its value */
	[STMT_HISTORY_VALUE] = "SELECT old_version, old FROM history WHERE path = ?1 AND idx > ?2"
			       " ORDER BY idx LIMIT 1",
};

/* A quota that is used up is the same to us, and to SQLite, which knows ENOSPC alone, a failed write. Only of a write:
 * after a sync that failed nobody knows what is on the disk, whatever the reason. sqlite3_system_errno() is not told of
 * a COMMIT that fails (3.40): `number` is errno as SQLite left it, and its rollback makes no system call that fails. */
static bool is_out_of_space(const struct db *db, int number)
{
	return (sqlite3_errcode(db->sql) & 0xff) == SQLITE_FULL ||
	       (sqlite3_extended_errcode(db->sql) == SQLITE_IOERR_WRITE && number == EDQUOT);
}

int db_error(struct db *db, const char *what, struct err *err)
{
	int number = errno, code = db->sql ? sqlite3_errcode(db->sql) & 0xff : SQLITE_NOMEM;
	const char *text = db->sql ? sqlite3_errmsg(db->sql) : "out of memory";

	if (db->sql && is_out_of_space(db, number))
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

int db_read_int(struct db *db, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r;

	if (sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL) != SQLITE_OK)
		return db_error(db, "read the store", err);
	r = sqlite3_step(s);
	*ret = r == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_finalize(s);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : db_error(db, "read the store", err);
}

int db_meta_get(struct db *db, const char *key, struct buf *ret, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_META_GET];
	int r;

	buf_clear(ret);
	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	r = sqlite3_step(s);
	if (r == SQLITE_ROW)
		buf_add(ret, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : db_error(db, "read the store", err);
}

int db_meta_put(struct db *db, const char *key, const struct buf *value, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_META_PUT];

	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(s, 2, value->data, value->size, SQLITE_STATIC);
	return db_step(db, STMT_META_PUT, "write the store's state", err);
}

int db_meta_put_int(struct db *db, const char *key, int64_t value, struct err *err)
{
	sqlite3_bind_text(db->statements[STMT_META_PUT], 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(db->statements[STMT_META_PUT], 2, value);
	return db_step(db, STMT_META_PUT, "write the store's state", err);
}

int db_prepare_all(struct db *db, struct err *err)
{
	for (int i = 0; i < STMT_COUNT; i++)
		if (sqlite3_prepare_v3(db->sql, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &db->statements[i], NULL) != SQLITE_OK)
			return db_error(db, "prepare the store", err);
	return 0;
}

enum origin { ORIGIN_NEW, ORIGIN_OWN, ORIGIN_PREVIEW };

/* Tells an empty file from ours, and ours from a foreign, newer or older one. */
static int recognise(struct db *db, enum origin *ret, struct err *err)
{
	int64_t application, schema, tables;
	int r;

	if ((r = db_read_int(db, "PRAGMA application_id", &application, err)) < 0 ||
	    (r = db_read_int(db, "PRAGMA user_version", &schema, err)) < 0 ||
	    (r = db_read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err)) < 0)
		return r;
	*ret = ORIGIN_NEW;
	if (tables == 0 && application == 0 && schema == 0)
		return 0;
	if (application != DB_APPLICATION_ID)
		return err_set(err, ERR_CORRUPT, "this database was not made by Lodge");
	if (schema > DB_SCHEMA)
		return err_set(err, ERR_UNSUPPORTED,
			       "the store was written by a newer Lodge (schema %" PRId64
			       ", this one knows %d)",
			       schema, DB_SCHEMA);
	*ret = schema < DB_SCHEMA ? ORIGIN_PREVIEW : ORIGIN_OWN;
	if (*ret == ORIGIN_PREVIEW && db->is_reader)
		return err_set(err, ERR_UNSUPPORTED,
			       "the store was written by a preview of Lodge; it is taken over when "
			       "lodged is started");
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
	    (r = db_exec(db, db_schema_new_sql, "found the store", err)) < 0 ||
	    (r = db_exec(db, pragma, "found the store", err)) < 0 ||
	    (r = db_prepare_all(db, err)) < 0 || (r = db_make_identity(db, err)) < 0)
		return r;
	return db_exec(db, "COMMIT", "found the store", err);
}

/* The lock is taken at the first access and held: one core a database. With it the WAL index is in heap memory and
 * no -shm file exists. */
static int configure(struct db *db, enum origin *ret, struct err *err)
{
	int r;

	if ((r = db_exec(db, "PRAGMA locking_mode=EXCLUSIVE", "open", err)) < 0 ||
	    (r = recognise(db, ret, err)) < 0)
		return r;
	if (db->is_reader)
		return *ret == ORIGIN_NEW ? err_set(err, ERR_NOT_FOUND, "there is no store") : 0;
	if ((r = db_exec(db, "PRAGMA journal_mode=WAL", "open", err)) < 0)
		return r;
	return db_exec(db, "PRAGMA synchronous=FULL; PRAGMA cache_size=-1024;", "open", err);
}

/* ---- leaving no trace ---- */

static bool wal_stat(const struct db *db, struct stat *ret)
{
	autofree char *path = xasprintf("%s/lodge.db-wal", db->directory);

	return stat(path, ret) == 0;
}

/* Nobody but this connection can have the WAL open then: SQLite takes this lock before it opens one (locking_mode). */
static bool is_exclusive(const struct db *db)
{
	int lock = SQLITE_LOCK_NONE;

	return sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_LOCKSTATE, &lock) == SQLITE_OK &&
	       lock == SQLITE_LOCK_EXCLUSIVE;
}

/* SQLite makes an empty WAL when it looks at a database whose WAL was moved into it. Where it was only looked at, or
 * refused, that goes again: at once, later another store may stand in its place. One that is there while another
 * process holds the database is that one's: it will write to it. */
static void remove_own_wal(const struct db *db)
{
	autofree char *path = xasprintf("%s/lodge.db-wal", db->directory);
	struct stat st;

	if (db->sql && !db->is_usable && !db->had_wal && is_exclusive(db) && wal_stat(db, &st) &&
	    st.st_size == 0)
		unlink(path);
}

/* SQLite syncs the folder that holds the database, nobody the one that holds the folder. */
static int sync_parent(const struct db *db, struct err *err)
{
	autofree char *path = xasprintf("%s/..", db->directory);
	autofd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, errno, "sync the folder above");
	return 0;
}

static int (*const starters[])(struct db *db, struct err *err) = {
	[ORIGIN_NEW] = found,
	[ORIGIN_OWN] = db_prepare_all,
	[ORIGIN_PREVIEW] = db_upgrade,
};

static int open_steps(struct db *db, const char *path, struct err *err)
{
	int flags =
		db->is_reader ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	enum origin origin;
	struct stat st;
	int r;

	if (db->is_reader && stat(path, &st) < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no store");
	db->had_wal = wal_stat(db, &st);
	if (sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return db_error(db, "open", err);
	db_checkpoint_setup(db);
	if ((r = configure(db, &origin, err)) < 0)
		return r;
	r = starters[origin](db, err);
	if (r < 0 || (r = db_check_identity(db, err)) < 0 ||
	    (origin == ORIGIN_NEW && (r = sync_parent(db, err)) < 0))
		return r;
	if (!db->is_reader)
		db_reserve_take(db);
	r = db_read_int(db, "SELECT value FROM meta WHERE key = '" META_HISTORY_BYTES "'",
			&db->history_bytes, err);
	db->is_usable = r == 0 && !db->is_reader;
	return r;
}

int db_open(const struct db_options *options, struct db **ret, struct err *err)
{
	autofree char *path = xasprintf("%s/lodge.db", options->directory);
	struct db *db = xcalloc(1, sizeof(*db));
	int r = options->is_reader ? 0 : dir_make(options->directory, 0700, err);

	db->directory = xstrdup(options->directory);
	db->run = xstrdup(options->run);
	db->machine = xstrdup(options->machine);
	db->is_reader = options->is_reader;
	db->reserve_fd = -1;
	db->checkpoint_pages = CHECKPOINT_PAGES;
	if (r == 0)
		r = open_steps(db, path, err);
	remove_own_wal(db);
	if (r < 0) {
		db_close(db);
		return err_prefix(err, "%s", path);
	}
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	db_checkpoint_last(db);
	sqlite3_close(db->sql);
	closep(&db->reserve_fd);
	buf_fini(&db->meta);
	free(db->directory);
	free(db->run);
	free(db->machine);
	free(db);
}
