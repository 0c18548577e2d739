/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking over the store of a preview (schema 1), which was that of a node alone: an entry a row of the log, the small facts
 * in rows of their own. In one transaction: what fails leaves it as it was. Values and history stay in their
 * tables. The log behind the values stays as log, before them it is dropped: nobody lags behind. */
#include "cluster/db/db_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "cluster/db/schema.h"

#define WHAT "take over the store of a preview"

/* What the preview knew. */
struct preview {
	struct replica_meta meta;
	int64_t applied;
	struct position last; /* of the log */
	/* the entry that was applied last */
	struct position at;
	uint8_t hash[SHA256_SIZE];
};

/* 16 bytes, that were hexadecimal text. */
static int read_id(struct db *db, const char *key, struct uuid *ret, struct err *err)
{
	autobuf text = BUF_INIT;
	int r = db_meta_get(db, key, &text, err);

	for (size_t i = 0; r == 0 && i < sizeof(ret->bytes); i++) {
		unsigned byte;

		if (text.size != 2 * sizeof(ret->bytes) ||
		    sscanf(buf_str(&text) + 2 * i, "%2x", &byte) != 1)
			return err_set(err, ERR_CORRUPT, "the store is damaged: its %s", key);
		ret->bytes[i] = (uint8_t)byte;
	}
	return r;
}

static int read_facts(struct db *db, struct preview *p, struct err *err)
{
	int64_t start, promised, last_epoch;
	int r;

	if ((r = read_id(db, "cluster_id", &p->meta.cluster, err)) < 0 ||
	    (r = read_id(db, "incarnation", &p->meta.incarnation, err)) < 0 ||
	    (r = db_read_int(db, "SELECT value FROM meta WHERE key='start'", &start, err)) < 0 ||
	    (r = db_read_int(db, "SELECT value FROM meta WHERE key='promised'", &promised, err)) <
		    0 ||
	    (r = db_read_int(db, "SELECT value FROM meta WHERE key='applied'", &p->applied, err)) <
		    0 ||
	    (r = db_read_int(db, "SELECT max(epoch) FROM log_1", &last_epoch, err)) < 0)
		return r;
	p->meta.start = (uint64_t)start;
	p->meta.promised = (uint64_t)(promised > last_epoch ? promised : last_epoch);
	return 0;
}

/* ---- the log ---- */

static int add_batch(struct db *db, const struct entry *e, const void *data, size_t size,
		     struct err *err)
{
	sqlite3_stmt *s = db->statements[STMT_LOG_ADD];
	autobuf batch = BUF_INIT;

	buf_add_u32(&batch, (uint32_t)size);
	buf_add(&batch, data, size);
	sqlite3_bind_int64(s, 1, (int64_t)e->at.index);
	sqlite3_bind_int64(s, 2, (int64_t)e->at.index);
	sqlite3_bind_int64(s, 3, (int64_t)e->at.epoch);
	sqlite3_bind_blob(s, 4, e->hash, SHA256_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(s, 5, 0);
	sqlite3_bind_int64(s, 6, 0);
	sqlite3_bind_blob64(s, 7, batch.data, batch.size, SQLITE_STATIC);
	return db_step(db, STMT_LOG_ADD, WHAT, err);
}

static int take_entry(struct db *db, sqlite3_stmt *s, struct preview *p, struct err *err)
{
	const void *data = sqlite3_column_blob(s, 0);
	size_t size = (size_t)sqlite3_column_bytes(s, 0);
	struct entry e;
	int r = entry_decode(data, size, &e, err);

	if (r < 0)
		return r;
	p->last = e.at;
	if (e.at.index > (uint64_t)p->applied)
		return add_batch(db, &e, data, size, err);
	p->at = e.at;
	memcpy(p->hash, e.hash, SHA256_SIZE);
	return 0;
}

/* Whether each follows the one before is seen when it is loaded. */
static int take_log(struct db *db, struct preview *p, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int r, failed = 0;

	if (sqlite3_prepare_v2(db->sql, "SELECT data FROM log_1 WHERE idx >= ?1 ORDER BY idx", -1,
			       &s, NULL) != SQLITE_OK)
		return db_error(db, WHAT, err);
	sqlite3_bind_int64(s, 1, p->applied);
	while ((r = sqlite3_step(s)) == SQLITE_ROW && failed == 0)
		failed = take_entry(db, s, p, err);
	sqlite3_finalize(s);
	if (failed < 0 || r != SQLITE_DONE)
		return failed < 0 ? failed : db_error(db, WHAT, err);
	if (p->at.index != (uint64_t)p->applied)
		return err_set(err, ERR_CORRUPT,
			       "the store is damaged: its log does not reach back to its values");
	return 0;
}

/* ---- the facts ---- */

/* The list of voters was never an entry: it begins with this node alone. */
static void encode_head(const struct preview *p, struct buf *ret)
{
	struct member self = {.node = 1, .incarnation = p->meta.incarnation};
	struct state *state = state_new(KV_REQUESTS_KEPT);

	state->at = p->at;
	memcpy(state->hash, p->hash, SHA256_SIZE);
	voters_add(&state->voters, &self);
	record_head_encode(state, ret);
	state_free(state);
}

static int put_facts(struct db *db, struct preview *p, struct err *err)
{
	autobuf meta = BUF_INIT, base = BUF_INIT, head = BUF_INIT;
	int64_t bytes;
	int r;

	p->meta.accepted = p->last;
	record_meta_encode(&p->meta, &meta);
	record_base_encode(p->at, p->hash, &base);
	encode_head(p, &head);
	if ((r = db_exec(db, "DELETE FROM meta", WHAT, err)) < 0 ||
	    (r = db_meta_put(db, META_REPLICA, &meta, err)) < 0 ||
	    (r = db_meta_put(db, META_BASE, &base, err)) < 0 ||
	    (r = db_meta_put(db, META_HEAD, &head, err)) < 0 ||
	    (r = db_read_int(db, "SELECT sum(length(old)) FROM history", &bytes, err)) < 0 ||
	    (r = db_meta_put_int(db, META_HISTORY_BYTES, bytes, err)) < 0)
		return r;
	return db_bind_machine(db, err);
}

/* ---- as one ---- */

static int make_tables(struct db *db, struct err *err)
{
	char pragma[64];
	int r;

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", DB_SCHEMA);
	if ((r = db_exec(db,
			 "ALTER TABLE log RENAME TO log_1;"
			 "ALTER TABLE requests RENAME TO requests_1;",
			 WHAT, err)) < 0 ||
	    (r = db_exec(db, db_schema_new_sql, WHAT, err)) < 0 ||
	    (r = db_exec(
		     db,
		     "INSERT INTO requests (idx, id, payload_hash, outcome, failed)"
		     " SELECT idx, id, payload_hash, outcome, failed FROM requests_1 ORDER BY idx",
		     WHAT, err)) < 0 ||
	    (r = db_exec(db, pragma, WHAT, err)) < 0)
		return r;
	return db_prepare_all(db, err);
}

/* What it has become must be a store that may be used here, and that a replica can start with. */
static int check_result(struct db *db, struct err *err)
{
	struct replica_disk disk;
	int r = db_check_identity(db, err);

	if (r < 0 || (r = db_load(db, true, &disk, err)) < 0)
		return r;
	db_disk_fini(&disk);
	return 0;
}

int db_upgrade(struct db *db, struct err *err)
{
	struct preview p = {.applied = 0};
	int r;

	if ((r = db_exec(db, "BEGIN IMMEDIATE", WHAT, err)) < 0 || (r = make_tables(db, err)) < 0 ||
	    (r = read_facts(db, &p, err)) < 0 || (r = take_log(db, &p, err)) < 0 ||
	    (r = put_facts(db, &p, err)) < 0 ||
	    (r = db_exec(db, "DROP TABLE log_1; DROP TABLE requests_1", WHAT, err)) < 0 ||
	    (r = check_result(db, err)) < 0)
		return r;
	return db_exec(db, "COMMIT", WHAT, err);
}
