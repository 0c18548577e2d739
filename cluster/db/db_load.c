/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading what a replica starts with. Everything that is read is checked: the rows may come from a damaged disk. */
#include "cluster/db/db_internal.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/mem.h"

/* Calls each for every row; its error ends the reading. */
typedef int (*row_fn)(sqlite3_stmt *s, void *ctx, struct err *err);

static int each_row(struct db *db, const char *sql, row_fn each, void *ctx, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r, failed = 0;

	if (sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL) != SQLITE_OK)
		return db_error(db, "load the store", err);
	while ((r = sqlite3_step(s)) == SQLITE_ROW && failed == 0)
		failed = each(s, ctx, err);
	sqlite3_finalize(s);
	if (failed < 0)
		return err_prefix(err, "the store is damaged");
	return r == SQLITE_DONE ? 0 : db_error(db, "load the store", err);
}

static int take_value(sqlite3_stmt *s, void *ctx, struct err *err)
{
	const char *path = (const char *)sqlite3_column_text(s, 0);
	int size = sqlite3_column_bytes(s, 2);

	if (!path || !store_path_is_valid(path) || size > (int)STORE_VALUE_MAX)
		return err_set(err, ERR_CORRUPT, "it holds an impossible path or value");
	kv_load(ctx, path, (uint64_t)sqlite3_column_int64(s, 1), sqlite3_column_blob(s, 2),
		(size_t)size);
	return 0;
}

struct outcomes {
	struct kv *kv;
	uint64_t request; /* index of the last one: they rise */
};

static int take_request(sqlite3_stmt *s, void *ctx, struct err *err)
{
	struct outcomes *l = ctx;
	struct kv_request request = {.index = (uint64_t)sqlite3_column_int64(s, 1),
				     .outcome = sqlite3_column_int(s, 3),
				     .failed = (uint32_t)sqlite3_column_int64(s, 4)};

	if (sqlite3_column_bytes(s, 0) != sizeof(request.id.bytes) ||
	    sqlite3_column_bytes(s, 2) != SHA256_SIZE ||
	    (request.outcome != STORE_DONE && request.outcome != STORE_REFUSED) ||
	    request.index <= l->request)
		return err_set(err, ERR_CORRUPT, "it holds an impossible request");
	memcpy(request.id.bytes, sqlite3_column_blob(s, 0), sizeof(request.id.bytes));
	memcpy(request.payload_hash, sqlite3_column_blob(s, 2), SHA256_SIZE);
	if (!kv_load_request(l->kv, &request))
		return err_set(err, ERR_CORRUPT, "it holds one request twice");
	l->request = request.index;
	return 0;
}

static bool is_head(const struct state *state)
{
	const char *path;

	return !kv_next(state->kv, "", NULL, &path) && !kv_request_next(state->kv, 0);
}

static int load_state(struct db *db, struct state **ret, struct err *err)
{
	autobuf head = BUF_INIT;
	struct outcomes outcomes = {0};
	struct state *state;
	int r = db_meta_get(db, META_HEAD, &head, err);

	if (r < 0 || head.size == 0)
		return r;
	r = state_decode(head.data, head.size, &state, err);
	if (r < 0)
		return err_prefix(err, "the store is damaged");
	outcomes.kv = state->kv;
	r = is_head(state) ? 0 : err_set(err, ERR_CORRUPT, "the store is damaged: its head");
	if (r == 0)
		r = each_row(db, "SELECT path, version, value FROM kv", take_value, state->kv, err);
	if (r == 0)
		r = each_row(
			db,
			"SELECT id, idx, payload_hash, outcome, failed FROM requests ORDER BY idx",
			take_request, &outcomes, err);
	if (r < 0) {
		state_free(state);
		return r;
	}
	*ret = state;
	return 0;
}

struct loading {
	struct replica_disk *disk;
	size_t capacity;
	struct position last;
	uint8_t hash[SHA256_SIZE];
};

static void add_entry(struct log_entry *entry, void *ctx)
{
	struct loading *l = ctx;

	if (l->disk->entry_count == l->capacity) {
		l->capacity = l->capacity ? 2 * l->capacity : 256;
		l->disk->entries =
			xrealloc(l->disk->entries, l->capacity, sizeof(l->disk->entries[0]));
	}
	l->disk->entries[l->disk->entry_count++] = entry;
}

/* The base of a log that is trimmed comes from these columns. */
static bool is_batch(sqlite3_stmt *s, uint64_t before, const struct loading *l)
{
	return (uint64_t)sqlite3_column_int64(s, 4) == before + 1 && l->last.index > before &&
	       l->last.index == (uint64_t)sqlite3_column_int64(s, 0) &&
	       l->last.epoch == (uint64_t)sqlite3_column_int64(s, 5) &&
	       sqlite3_column_bytes(s, 6) == SHA256_SIZE &&
	       memcmp(sqlite3_column_blob(s, 6), l->hash, SHA256_SIZE) == 0;
}

static int take_batch(sqlite3_stmt *s, void *ctx, struct err *err)
{
	struct loading *l = ctx;
	struct position accepted = {.epoch = (uint64_t)sqlite3_column_int64(s, 1),
				    .index = (uint64_t)sqlite3_column_int64(s, 2)};
	uint64_t before = l->last.index;
	int r = record_batch_decode(sqlite3_column_blob(s, 3), (size_t)sqlite3_column_bytes(s, 3),
				    &l->last, l->hash, add_entry, l, err);

	if (r < 0)
		return r;
	if (!is_batch(s, before, l))
		return err_set(err, ERR_CORRUPT, "a batch of its log is not what its row says");
	if (position_compare(accepted, l->disk->meta.accepted) > 0)
		l->disk->meta.accepted = accepted;
	return 0;
}

static int load_log(struct db *db, struct loading *l, struct err *err)
{
	struct replica_disk *disk = l->disk;
	autobuf base = BUF_INIT;
	int r = db_meta_get(db, META_BASE, &base, err);

	if (r < 0)
		return r;
	if (base.size &&
	    record_base_decode(base.data, base.size, &disk->base, disk->base_hash, err) < 0)
		return err_prefix(err, "the store is damaged");
	l->last = disk->base;
	memcpy(l->hash, disk->base_hash, SHA256_SIZE);
	return each_row(db,
			"SELECT last, accepted_epoch, accepted_index, data, first, epoch, hash"
			" FROM log ORDER BY first",
			take_batch, l, err);
}

/* The state lies on the log. */
static int check(const struct replica_disk *disk, const struct loading *l, struct err *err)
{
	struct position at = disk->state ? disk->state->at : (struct position){0};
	const struct log_entry *e;

	if (!disk->state)
		return 0;
	if (at.index < disk->base.index || at.index > l->last.index)
		return err_set(err, ERR_CORRUPT,
			       "the store is damaged: its values are of index %" PRIu64
			       ", its log goes from %" PRIu64 " to %" PRIu64,
			       at.index, disk->base.index, l->last.index);
	e = at.index > disk->base.index ? disk->entries[at.index - disk->base.index - 1] : NULL;
	if (position_compare(at, e ? e->at : disk->base) != 0 ||
	    memcmp(disk->state->hash, e ? e->hash : disk->base_hash, SHA256_SIZE) != 0)
		return err_set(err, ERR_CORRUPT,
			       "the store is damaged: its values do not belong to its log");
	return 0;
}

int db_load(struct db *db, bool wants_state, struct replica_disk *ret, struct err *err)
{
	struct replica_disk disk = {0};
	struct loading l = {.disk = &disk};
	autobuf meta = BUF_INIT;
	int r;

	if ((r = db_meta_get(db, META_REPLICA, &meta, err)) < 0 ||
	    (r = record_meta_decode(meta.data, meta.size, &disk.meta, err)) < 0)
		return r;
	if ((r = load_log(db, &l, err)) == 0 && wants_state &&
	    (r = load_state(db, &disk.state, err)) == 0)
		r = check(&disk, &l, err);
	if (r < 0) {
		db_disk_fini(&disk);
		return r;
	}
	*ret = disk;
	return 0;
}

void db_disk_fini(struct replica_disk *disk)
{
	for (size_t i = 0; i < disk->entry_count; i++)
		log_entry_unref(disk->entries[i]);
	free(disk->entries);
	state_free(disk->state);
	*disk = (struct replica_disk){0};
}
