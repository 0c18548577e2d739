/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The transactions of a replica: promises, entries, cuts, snapshots. What gathered becomes one transaction and one
 * sync. */
#include "cluster/db/db_internal.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

/* ---- the small facts ---- */

/* What is accepted with entries stands in their row. Everything else is written where it changed. */
static int put_meta(struct db *db, const struct persist *p, struct err *err)
{
	struct replica_meta without = p->meta;
	autobuf compared = BUF_INIT, data = BUF_INIT;
	bool is_in_row = p->entry_count > 0 && p->cut_from == 0;
	int r;

	without.accepted = (struct position){0};
	record_meta_encode(&without, &compared);
	if (is_in_row && compared.size == db->meta.size &&
	    memcmp(compared.data, db->meta.data, compared.size) == 0)
		return 0;
	record_meta_encode(&p->meta, &data);
	r = db_meta_put(db, META_REPLICA, &data, err);
	if (r == 0) {
		buf_clear(&db->meta);
		buf_add(&db->meta, compared.data, compared.size);
	}
	return r;
}

/* ---- the log ---- */

static int put_batch(struct db *db, uint64_t first, struct position last,
		     const uint8_t hash[SHA256_SIZE], struct position accepted,
		     const struct buf *data, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_LOG_ADD];

	sqlite3_bind_int64(s, 1, (int64_t)first);
	sqlite3_bind_int64(s, 2, (int64_t)last.index);
	sqlite3_bind_int64(s, 3, (int64_t)last.epoch);
	sqlite3_bind_blob(s, 4, hash, SHA256_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, (int64_t)accepted.epoch);
	sqlite3_bind_int64(s, 6, (int64_t)accepted.index);
	sqlite3_bind_blob64(s, 7, data->data, data->size, SQLITE_STATIC);
	return db_step(db, STMT_LOG_ADD, "append to the log", err);
}

static int append(struct db *db, const struct persist *p, struct err *err)
{
	const struct log_entry *last;
	autobuf data = BUF_INIT;

	if (p->entry_count == 0)
		return 0;
	for (size_t i = 0; i < p->entry_count; i++)
		record_batch_add(&data, p->entries[i]);
	last = p->entries[p->entry_count - 1];
	return put_batch(db, p->entries[0]->at.index, last->at, last->hash, p->meta.accepted, &data,
			 err);
}

static int add_orphan(struct db *db, const struct entry *e, const void *data, size_t size,
		      struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_ORPHAN_ADD];

	sqlite3_bind_int64(s, 1, (int64_t)clock_wall());
	sqlite3_bind_int64(s, 2, (int64_t)e->at.epoch);
	sqlite3_bind_int64(s, 3, (int64_t)e->at.index);
	sqlite3_bind_blob64(s, 4, data, size, SQLITE_STATIC);
	return db_step(db, STMT_ORPHAN_ADD, "keep an orphan", err);
}

/* What a cut leaves of the batch that it falls into. */
struct kept {
	struct buf data;
	uint64_t first;
	struct position last;
	uint8_t hash[SHA256_SIZE];
};

static int cut_batch(struct db *db, sqlite3_stmt *s, uint64_t from, struct kept *kept,
		     struct err *err)
{
	struct cursor c = cursor_on(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
	const void *data;
	struct entry e;
	size_t size;
	int r;

	while ((r = record_batch_next(&c, &e, &data, &size, err)) > 0) {
		if (e.at.index >= from) {
			if ((r = add_orphan(db, &e, data, size, err)) < 0)
				return r;
			continue;
		}
		if (kept->data.size == 0)
			kept->first = e.at.index;
		buf_add_u32(&kept->data, (uint32_t)size);
		buf_add(&kept->data, data, size);
		kept->last = e.at;
		memcpy(kept->hash, e.hash, SHA256_SIZE);
	}
	return r;
}

static int cut_rows(struct db *db, uint64_t from, struct kept *kept, struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_LOG_FROM];
	int r, failed = 0;

	sqlite3_bind_int64(s, 1, (int64_t)from);
	while ((r = sqlite3_step(s)) == SQLITE_ROW && failed == 0)
		failed = cut_batch(db, s, from, kept, err);
	sqlite3_reset(s);
	if (failed < 0 || r != SQLITE_DONE)
		return failed < 0 ? failed : db_error(db, "cut the log", err);
	sqlite3_bind_int64(db->statements[STMT_LOG_CUT], 1, (int64_t)from);
	return db_step(db, STMT_LOG_CUT, "cut the log", err);
}

static int cut(struct db *db, uint64_t from, struct err *err)
{
	struct kept kept = {.data = BUF_INIT};
	int r = cut_rows(db, from, &kept, err);

	if (r == 0 && kept.data.size > 0)
		r = put_batch(db, kept.first, kept.last, kept.hash, (struct position){0},
			      &kept.data, err);
	buf_fini(&kept.data);
	if (r < 0)
		return r;
	sqlite3_bind_int64(db->statements[STMT_ORPHAN_TRIM], 1, DB_ORPHANS_KEPT);
	sqlite3_bind_int64(db->statements[STMT_ORPHAN_TRIM], 2, DB_ORPHANS_BYTES);
	return db_step(db, STMT_ORPHAN_TRIM, "trim the orphans", err);
}

/* ---- snapshots ---- */

static int put_values(struct db *db, const struct kv *kv, struct err *err)
{
	const struct kv_item *item;
	const char *path = NULL;
	int r = db_exec(db, "DELETE FROM kv", "install a snapshot", err);

	while (r == 0 && (item = kv_next(kv, "", path, &path)))
		r = db_put_value(db, path, item->version, item->data, item->size, err);
	return r;
}

static int put_requests(struct db *db, const struct kv *kv, struct err *err)
{
	const struct kv_request *request = NULL;
	int r = db_exec(db, "DELETE FROM requests", "install a snapshot", err);

	while (r == 0 && (request = kv_request_next(kv, request ? request->index : 0)))
		r = db_put_request(db, request, err);
	return r;
}

static int put_state(struct db *db, const struct state *state, struct err *err)
{
	autobuf head = BUF_INIT, base = BUF_INIT;
	int r;

	record_head_encode(state, &head);
	record_base_encode(state->at, state->hash, &base);
	if ((r = db_exec(db, "DELETE FROM log", "install a snapshot", err)) < 0 ||
	    (r = put_values(db, state->kv, err)) < 0 ||
	    (r = put_requests(db, state->kv, err)) < 0 ||
	    (r = db_meta_put(db, META_HEAD, &head, err)) < 0)
		return r;
	return db_meta_put(db, META_BASE, &base, err);
}

static int install(struct db *db, const struct buf *snapshot, struct err *err)
{
	struct state *state;
	int r = state_decode(snapshot->data, snapshot->size, &state, err);

	if (r < 0)
		return r;
	r = put_state(db, state, err);
	state_free(state);
	return r;
}

/* ---- transactions ---- */

static int persist_one(struct db *db, const struct persist *p, struct err *err)
{
	int r;

	if (p->snapshot.size && (r = install(db, &p->snapshot, err)) < 0)
		return r;
	if (p->cut_from && (r = cut(db, p->cut_from, err)) < 0)
		return r;
	if ((r = append(db, p, err)) < 0)
		return r;
	return put_meta(db, p, err);
}

static int persist_all(struct db *db, struct persist *const *items, size_t count, struct err *err)
{
	int r = db_exec(db, "BEGIN IMMEDIATE", "append to the log", err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = persist_one(db, items[i], err);
	return r < 0 ? r : db_exec(db, "COMMIT", "append to the log", err);
}

int db_rollback(struct db *db, int r)
{
	if (r < 0 && !sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	if (r < 0)
		buf_clear(&db->meta); /* it may not be what stands there */
	return r;
}

/* The kernel may have dropped the pages: nothing that this machine says about the file can be trusted until it was
 * rebooted. Left before anybody is told, because this process may die in between. */
int db_failed(struct db *db, int r, const struct err *err)
{
	autofree char *path = xasprintf("%s/%s", db->run, DB_FAILED_MARKER);
	struct err failed = ERR_INIT;

	if (r >= 0 || r == -ERR_NO_SPACE)
		return r;
	db->has_failed = true;
	if (file_write_atomic(path, err->message, strlen(err->message), 0600, &failed) < 0)
		log_error("remember the failed write: %s", failed.message);
	return r;
}

static bool has_entries(struct persist *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i]->entry_count > 0 || items[i]->snapshot.size > 0)
			return true;
	return false;
}

/* A full disk before COMMIT leaves everything as it was. Promises and starts may use what was kept for them. */
int db_persist(struct db *db, struct persist *const *items, size_t count, struct err *err)
{
	int r = db_rollback(db, persist_all(db, items, count, err));

	if (r == -ERR_NO_SPACE && !has_entries(items, count) && db_reserve_spend(db))
		r = db_rollback(db, persist_all(db, items, count, err));
	return db_failed(db, r, err);
}
