/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settling what was applied: values, their history, outcomes of requests; and trimming behind it. After a crash the
 * same rows are made again from the log, which is trimmed in the same transaction. */
#include "cluster/db/db_internal.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

int db_put_value(struct db *db, const char *path, uint64_t version, const void *value, size_t size,
		 struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_KV_PUT];

	sqlite3_bind_text(s, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)version);
	sqlite3_bind_blob64(s, 3, value, size, SQLITE_STATIC);
	return db_step(db, STMT_KV_PUT, "settle a value", err);
}

int db_put_request(struct db *db, const struct kv_request *request, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_REQUEST_ADD];

	sqlite3_bind_blob(s, 1, request->id.bytes, sizeof(request->id.bytes), SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)request->index);
	sqlite3_bind_blob(s, 3, request->payload_hash, SHA256_SIZE, SQLITE_STATIC);
	sqlite3_bind_int(s, 4, (int)request->outcome);
	sqlite3_bind_int64(s, 5, request->failed);
	return db_step(db, STMT_REQUEST_ADD, "settle a request", err);
}

static int settle_value(struct db *db, const struct settle_row *row, struct err *err)
{
	if (row->value)
		return db_put_value(db, row->path, row->version, row->value, row->size, err);
	sqlite3_bind_text(db->statements[STMT_KV_DELETE], 1, row->path, -1, SQLITE_STATIC);
	return db_step(db, STMT_KV_DELETE, "settle a value", err);
}

static int settle_history(struct db *db, const struct settle_row *row, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_HISTORY_ADD];

	sqlite3_bind_int64(s, 1, (int64_t)row->index);
	sqlite3_bind_text(s, 2, row->path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, (int64_t)row->when);
	sqlite3_bind_text(s, 4, row->who, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, (int64_t)row->old_version);
	if (row->old) {
		sqlite3_bind_blob64(s, 6, row->old, row->old_size, SQLITE_STATIC);
		db->history_bytes += (int64_t)row->old_size;
	}
	return db_step(db, STMT_HISTORY_ADD, "settle history", err);
}

static int settle_row(struct db *db, const struct settle_row *row, struct err *err)
{
	return row->path ? settle_history(db, row, err) : db_put_request(db, &row->request, err);
}

/* By path; of one path, by age. */
static int compare_rows(const void *a, const void *b)
{
	const struct settle_row *x = *(const struct settle_row *const *)a;
	const struct settle_row *y = *(const struct settle_row *const *)b;
	int c = strcmp(x->path, y->path);

	return c ? c : (x > y) - (x < y);
}

/* Only what stands in the end, in the order in which the table holds it: its pages are touched once. */
static int settle_values(struct db *db, const struct settle *settle, struct err *err)
{
	const struct settle_row **rows = xcalloc(settle->count + 1, sizeof(rows[0]));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < settle->count; i++)
		if (settle->rows[i].path)
			rows[n++] = &settle->rows[i];
	qsort(rows, n, sizeof(rows[0]), compare_rows);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (i + 1 == n || !str_eq(rows[i]->path, rows[i + 1]->path))
			r = settle_value(db, rows[i], err);
	free(rows);
	return r;
}

/* ---- trimming ---- */

/* Steps a DELETE … RETURNING sizes. *ret_count: rows that went. */
static int forget_history(struct db *db, enum db_statement which, uint64_t index, size_t *ret_count,
			  struct err *err)
{
	sqlite3_stmt *s = db->statements[which];
	int r;

	*ret_count = 0;
	sqlite3_bind_int64(s, 1, (int64_t)index);
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		db->history_bytes -= sqlite3_column_int64(s, 0);
		(*ret_count)++;
	}
	r = r == SQLITE_DONE ? 0 : db_error(db, "trim the history", err);
	sqlite3_reset(s);
	return r;
}

static int trim_history(struct db *db, uint64_t applied, struct err *err)
{
	size_t gone = 1;
	int r = 0;

	if (applied > DB_HISTORY_KEPT)
		r = forget_history(db, STMT_HISTORY_TRIM, applied - DB_HISTORY_KEPT, &gone, err);
	while (r == 0 && db->history_bytes > (int64_t)DB_HISTORY_BYTES && gone > 0)
		r = forget_history(db, STMT_HISTORY_OLDEST, applied, &gone, err);
	return r < 0 ? r : db_meta_put_int(db, META_HISTORY_BYTES, db->history_bytes, err);
}

/* Exactly what the state has forgotten: after a restart it must be the same as that of others. */
static int trim_requests(struct db *db, const struct settle *settle, struct err *err)
{
	sqlite3_bind_int64(db->statements[STMT_REQUEST_TRIM], 1, (int64_t)settle->requests_from);
	return db_step(db, STMT_REQUEST_TRIM, "trim the requests", err);
}

static struct position position_at(sqlite3_stmt *s, int column)
{
	return (struct position){.epoch = (uint64_t)sqlite3_column_int64(s, column),
				 .index = (uint64_t)sqlite3_column_int64(s, column + 1)};
}

/* The newest batch that goes. 0: there is none. */
static int read_newest(struct db *db, uint64_t upto, struct buf *ret_base,
		       struct position *ret_accepted, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_LOG_BELOW];
	int r, result = 0;

	sqlite3_bind_int64(s, 1, (int64_t)upto);
	r = sqlite3_step(s);
	if (r == SQLITE_ROW && sqlite3_column_bytes(s, 2) == SHA256_SIZE) {
		record_base_encode(position_at(s, 0), sqlite3_column_blob(s, 2), ret_base);
		*ret_accepted = position_at(s, 3);
		result = 1;
	} else if (r != SQLITE_DONE) {
		result = r == SQLITE_ROW
				 ? err_set(err, ERR_CORRUPT, "a batch of the log is damaged")
				 : db_error(db, "trim the log", err);
	}
	sqlite3_reset(s);
	return result;
}

/* What was accepted with the batches that go must not go with them. Batches that stay say as much. */
static int keep_accepted(struct db *db, struct position accepted, struct err *err)
{
	struct replica_meta meta;
	autobuf data = BUF_INIT;
	int64_t batches;
	int r;

	if ((r = db_read_int(db, "SELECT count(*) FROM (SELECT 1 FROM log LIMIT 1)", &batches,
			     err)) < 0 ||
	    batches > 0 || (r = db_meta_get(db, META_REPLICA, &data, err)) < 0 ||
	    (r = record_meta_decode(data.data, data.size, &meta, err)) < 0 ||
	    position_compare(accepted, meta.accepted) <= 0)
		return r;
	meta.accepted = accepted;
	buf_clear(&data);
	record_meta_encode(&meta, &data);
	return db_meta_put(db, META_REPLICA, &data, err);
}

/* The newest batch that goes becomes the base. A snapshot that is on its way to the disk is the base in memory already:
 * what is behind the values must stay until then. */
static int trim_log(struct db *db, const struct settle *settle, struct err *err)
{
	uint64_t upto = settle->base < settle->applied ? settle->base : settle->applied;
	struct position accepted;
	autobuf base = BUF_INIT;
	int r = read_newest(db, upto, &base, &accepted, err);

	if (r <= 0)
		return r;
	sqlite3_bind_int64(db->statements[STMT_LOG_TRIM], 1, (int64_t)upto);
	if ((r = db_step(db, STMT_LOG_TRIM, "trim the log", err)) < 0 ||
	    (r = keep_accepted(db, accepted, err)) < 0)
		return r;
	return db_meta_put(db, META_BASE, &base, err);
}

static int settle_all(struct db *db, const struct settle *settle, struct err *err)
{
	int r = db_exec(db, "BEGIN IMMEDIATE", "settle", err);

	for (size_t i = 0; r == 0 && i < settle->count; i++)
		r = settle_row(db, &settle->rows[i], err);
	if (r < 0 || (r = settle_values(db, settle, err)) < 0 ||
	    (r = db_meta_put(db, META_HEAD, &settle->head, err)) < 0 ||
	    (r = trim_log(db, settle, err)) < 0 || (r = trim_requests(db, settle, err)) < 0 ||
	    (r = trim_history(db, settle->applied, err)) < 0)
		return r;
	return db_exec(db, "COMMIT", "settle", err);
}

int db_settle(struct db *db, const struct settle *settle, struct err *err)
{
	int64_t history_bytes = db->history_bytes;
	int r;

	db_reserve_take(db);
	sqlite3_exec(db->sql, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
	r = db_rollback(db, settle_all(db, settle, err));
	if (r < 0)
		db->history_bytes = history_bytes;
	else
		r = db_checkpoint(db, err);
	if (sqlite3_exec(db->sql, "PRAGMA synchronous=FULL", NULL, NULL, NULL) != SQLITE_OK)
		r = err_set(err, ERR_IO, "the store can not be switched back to full syncs");
	return db_failed(db, r, err);
}

/* ---- rows ---- */

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
	both.bytes += settle->bytes;
	free(settle->rows);
	buf_fini(&settle->head);
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
	buf_fini(&settle->head);
	*settle = (struct settle){0};
}
