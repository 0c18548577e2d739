/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading, appending to the log, and settling what was applied. Runs on the writer thread (loading:
 * before that thread exists). */
#include "cluster/db/db_internal.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/mem.h"

static int load_values(struct db *db, struct kv *kv, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r;

	if (sqlite3_prepare_v2(db->sql, "SELECT path, version, value FROM kv", -1, &s, NULL) !=
	    SQLITE_OK)
		return db_error(db, "load values", err);
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		const char *path = (const char *)sqlite3_column_text(s, 0);

		if (!store_path_is_valid(path) ||
		    sqlite3_column_bytes(s, 2) > (int)STORE_VALUE_MAX) {
			sqlite3_finalize(s);
			return err_set(err, ERR_CORRUPT,
				       "the store holds an impossible path or value");
		}
		kv_load(kv, path, (uint64_t)sqlite3_column_int64(s, 1), sqlite3_column_blob(s, 2),
			(size_t)sqlite3_column_bytes(s, 2));
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? 0 : db_error(db, "load values", err);
}

static bool read_request(sqlite3_stmt *s, struct kv_request *ret)
{
	if (sqlite3_column_bytes(s, 0) != sizeof(ret->id.bytes) ||
	    sqlite3_column_bytes(s, 2) != SHA256_SIZE)
		return false;
	memcpy(ret->id.bytes, sqlite3_column_blob(s, 0), sizeof(ret->id.bytes));
	ret->index = (uint64_t)sqlite3_column_int64(s, 1);
	memcpy(ret->payload_hash, sqlite3_column_blob(s, 2), SHA256_SIZE);
	ret->outcome = sqlite3_column_int(s, 3);
	ret->failed = (uint32_t)sqlite3_column_int64(s, 4);
	return ret->outcome == STORE_DONE || ret->outcome == STORE_REFUSED;
}

static int load_requests(struct db *db, struct kv *kv, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r;

	if (sqlite3_prepare_v2(
		    db->sql,
		    "SELECT id, idx, payload_hash, outcome, failed FROM requests ORDER BY idx", -1,
		    &s, NULL) != SQLITE_OK)
		return db_error(db, "load requests", err);
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		struct kv_request request;

		if (!read_request(s, &request)) {
			sqlite3_finalize(s);
			return err_set(err, ERR_CORRUPT,
				       "the store holds an impossible request row");
		}
		kv_load_request(kv, &request);
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? 0 : db_error(db, "load requests", err);
}

int db_load(struct db *db, struct kv *kv, struct err *err)
{
	int r = load_values(db, kv, err);

	return r < 0 ? r : load_requests(db, kv, err);
}

struct replay {
	struct position previous;
	uint8_t hash[SHA256_SIZE];
	bool has_previous;
};

static int replay_row(sqlite3_stmt *s, struct replay *replay, uint64_t applied, db_entry_fn each,
		      void *ctx, struct err *err)
{
	const void *data = sqlite3_column_blob(s, 0);
	size_t size = (size_t)sqlite3_column_bytes(s, 0);
	struct entry e;
	int r = entry_decode(data, size, &e, err);

	if (r < 0)
		return r;
	if (replay->has_previous && !entry_follows(data, size, &e, replay->previous, replay->hash))
		return err_set(err, ERR_CORRUPT,
			       "the store is damaged: log entry %" PRIu64
			       " does not follow the one before",
			       e.at.index);
	replay->previous = e.at;
	memcpy(replay->hash, e.hash, SHA256_SIZE);
	replay->has_previous = true;
	return e.at.index > applied ? each(&e, ctx, err) : 0;
}

/* Starts one entry before `applied` where it is still there, to check the chain. */
int db_replay(struct db *db, uint64_t applied, db_entry_fn each, void *ctx, struct err *err)
{
	struct replay replay = {.has_previous = false};
	sqlite3_stmt *s = NULL;
	int r, failed = 0;

	if (sqlite3_prepare_v2(db->sql, "SELECT data FROM log WHERE idx >= ?1 ORDER BY idx", -1, &s,
			       NULL) != SQLITE_OK)
		return db_error(db, "read the log", err);
	sqlite3_bind_int64(s, 1, (int64_t)applied);
	if (applied == 0)
		replay.has_previous = true; /* the first entry follows position 0 and a zero hash */
	while (failed == 0 && (r = sqlite3_step(s)) == SQLITE_ROW)
		failed = replay_row(s, &replay, applied, each, ctx, err);
	sqlite3_finalize(s);
	if (failed < 0)
		return failed;
	return r == SQLITE_DONE ? 0 : db_error(db, "read the log", err);
}

static int append_rows(struct db *db, const struct db_row *rows, size_t count, struct err *err)
{
	int r = db_exec(db, "BEGIN IMMEDIATE", "append to the log", err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		sqlite3_stmt *s = db->statements[STMT_LOG_ADD];

		sqlite3_bind_int64(s, 1, (int64_t)rows[i].at.index);
		sqlite3_bind_int64(s, 2, (int64_t)rows[i].at.epoch);
		sqlite3_bind_blob64(s, 3, rows[i].data, rows[i].size, SQLITE_STATIC);
		r = db_step(db, STMT_LOG_ADD, "append to the log", err);
	}
	return r < 0 ? r : db_exec(db, "COMMIT", "append to the log", err);
}

/* Errors before COMMIT, and a full disk, leave the log as it was; a failed sync does not say. */
int db_append(struct db *db, const struct db_row *rows, size_t count, struct err *err)
{
	int r = append_rows(db, rows, count, err);

	if (r < 0 && !sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int settle_value(struct db *db, const struct settle_row *row, struct err *err)
{
	enum db_statement which = row->value ? STMT_KV_PUT : STMT_KV_DELETE;
	sqlite3_stmt *s = db->statements[which];

	sqlite3_bind_text(s, 1, row->path, -1, SQLITE_STATIC);
	if (row->value) {
		sqlite3_bind_int64(s, 2, (int64_t)row->version);
		sqlite3_bind_blob64(s, 3, row->value, row->size, SQLITE_STATIC);
	}
	return db_step(db, which, "settle a value", err);
}

static int settle_history(struct db *db, const struct settle_row *row, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_HISTORY_ADD];

	sqlite3_bind_int64(s, 1, (int64_t)row->index);
	sqlite3_bind_text(s, 2, row->path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, (int64_t)row->when);
	sqlite3_bind_text(s, 4, row->who, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, (int64_t)row->old_version);
	if (row->old)
		sqlite3_bind_blob64(s, 6, row->old, row->old_size, SQLITE_STATIC);
	return db_step(db, STMT_HISTORY_ADD, "settle history", err);
}

static int settle_request(struct db *db, const struct kv_request *request, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_REQUEST_ADD];

	sqlite3_bind_blob(s, 1, request->id.bytes, sizeof(request->id.bytes), SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)request->index);
	sqlite3_bind_blob(s, 3, request->payload_hash, SHA256_SIZE, SQLITE_STATIC);
	sqlite3_bind_int(s, 4, (int)request->outcome);
	sqlite3_bind_int64(s, 5, request->failed);
	return db_step(db, STMT_REQUEST_ADD, "settle a request", err);
}

static int trim(struct db *db, enum db_statement which, uint64_t applied, uint64_t kept,
		struct err *err)
{
	if (applied <= kept)
		return 0;
	sqlite3_bind_int64(db->statements[which], 1, (int64_t)(applied - kept));
	return db_step(db, which, "trim the store", err);
}

static int trim_bytes(struct db *db, enum db_statement which, uint64_t applied, uint64_t bytes,
		      struct err *err)
{
	sqlite3_bind_int64(db->statements[which], 1, (int64_t)applied);
	sqlite3_bind_int64(db->statements[which], 2, (int64_t)bytes);
	return db_step(db, which, "trim the store", err);
}

static int trim_sizes(struct db *db, uint64_t applied, struct err *err)
{
	int r;

	if (applied < db->sizes_looked_at + DB_BYTES_EVERY)
		return 0;
	if ((r = trim_bytes(db, STMT_LOG_TRIM_BYTES, applied, DB_LOG_BYTES, err)) < 0 ||
	    (r = trim_bytes(db, STMT_HISTORY_TRIM_BYTES, applied, DB_HISTORY_BYTES, err)) < 0)
		return r;
	db->sizes_looked_at = applied;
	return 0;
}

static int settle_all(struct db *db, const struct settle *settle, struct err *err)
{
	int r = db_exec(db, "BEGIN IMMEDIATE", "settle", err);

	for (size_t i = 0; r == 0 && i < settle->count; i++) {
		const struct settle_row *row = &settle->rows[i];

		if (!row->path) {
			r = settle_request(db, &row->request, err);
			continue;
		}
		r = settle_value(db, row, err);
		if (r == 0)
			r = settle_history(db, row, err);
	}
	if (r < 0 || (r = db_meta_put_int(db, "applied", (int64_t)settle->applied, err)) < 0 ||
	    (r = trim(db, STMT_LOG_TRIM, settle->applied, DB_LOG_KEPT, err)) < 0 ||
	    (r = trim(db, STMT_REQUEST_TRIM, settle->applied, KV_REQUESTS_KEPT, err)) < 0 ||
	    (r = trim(db, STMT_HISTORY_TRIM, settle->applied, DB_HISTORY_KEPT, err)) < 0 ||
	    (r = trim_sizes(db, settle->applied, err)) < 0)
		return r;
	return db_exec(db, "COMMIT", "settle", err);
}

/* Needs no sync of its own: after a crash the same rows are made again from the log, which is only
 * trimmed in the same transaction. */
int db_settle(struct db *db, const struct settle *settle, struct err *err)
{
	int r;

	sqlite3_exec(db->sql, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
	r = settle_all(db, settle, err);
	if (r < 0 && !sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	if (sqlite3_exec(db->sql, "PRAGMA synchronous=FULL", NULL, NULL, NULL) != SQLITE_OK)
		r = err_set(err, ERR_IO, "the store can not be switched back to full syncs");
	return r;
}

struct settle_row *settle_add(struct settle *settle)
{
	if (settle->count == settle->capacity) {
		settle->capacity = settle->capacity ? 2 * settle->capacity : 16;
		settle->rows = xrealloc(settle->rows, settle->capacity, sizeof(*settle->rows));
	}
	settle->rows[settle->count] = (struct settle_row){0};
	return &settle->rows[settle->count++];
}

void settle_prepend(struct settle *settle, struct settle *earlier)
{
	struct settle both = *earlier;

	for (size_t i = 0; i < settle->count; i++)
		*settle_add(&both) = settle->rows[i];
	both.applied = settle->applied;
	free(settle->rows);
	*settle = both;
	*earlier = (struct settle){0};
}

void settle_fini(struct settle *settle)
{
	for (size_t i = 0; i < settle->count; i++) {
		free(settle->rows[i].path);
		free(settle->rows[i].value);
		free(settle->rows[i].old);
	}
	free(settle->rows);
	*settle = (struct settle){0};
}
