/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database, and beside it in memory what it should hold: the whole log, the small facts, the state that was settled.
 * It stands where the replica and the driver are: makes transactions, hands them to the database, settles. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "cluster/db/db_internal.h"

#define LEDGER_REQUESTS 5 /* outcomes are kept for so many indices */

struct ledger {
	char directory[64];
	const char *machine;
	struct db *db;
	struct log log;		  /* from the first entry on, never trimmed */
	struct replica_meta meta; /* as it is on disk */
	struct state *state;	  /* as it was settled */
	uint64_t ticket;
};

/* In memory: what a sync means is the matter of memory_disk.h. */
static inline void ledger_init(struct ledger *l)
{
	*l = (struct ledger){.directory = "/dev/shm/lodge-db-XXXXXX", .machine = "m1"};
	assert_non_null(mkdtemp(l->directory));
}

static inline int ledger_try_open(struct ledger *l, bool is_reader, struct err *err)
{
	struct db_options options = {.directory = l->directory,
				     .run = l->directory,
				     .machine = l->machine,
				     .is_reader = is_reader};

	return db_open(&options, &l->db, err);
}

static inline void ledger_close(struct ledger *l)
{
	db_close(l->db);
	l->db = NULL;
}

/* What there is of a log and a state in memory goes. */
static inline void ledger_forget(struct ledger *l)
{
	ledger_close(l);
	log_fini(&l->log);
	state_free(l->state);
	l->state = NULL;
	l->meta = (struct replica_meta){0};
}

static inline void ledger_fini(struct ledger *l)
{
	ledger_forget(l);
	dir_remove_tree(l->directory, NULL);
}

static inline bool ledger_has(const struct ledger *l, const char *name)
{
	autofree char *path = xasprintf("%s/%s", l->directory, name);

	return access(path, F_OK) == 0;
}

static inline void ledger_remove(const struct ledger *l, const char *name)
{
	autofree char *path = xasprintf("%s/%s", l->directory, name);

	unlink(path);
}

static inline struct replica_disk ledger_load(struct ledger *l)
{
	struct replica_disk disk;
	struct err err = ERR_INIT;

	if (db_load(l->db, true, &disk, &err) < 0)
		fail_msg("load: %s", err.message);
	return disk;
}

/* A new or an existing one, with the incarnation that it has. */
static inline int ledger_open(struct ledger *l, struct err *err)
{
	struct replica_disk found;
	int r = ledger_try_open(l, false, err);

	if (r < 0)
		return r;
	found = ledger_load(l);
	if (!l->state)
		l->state = state_new(LEDGER_REQUESTS);
	l->meta = found.meta;
	db_disk_fini(&found);
	return 0;
}

static inline void ledger_must_open(struct ledger *l)
{
	struct err err = ERR_INIT;

	if (ledger_open(l, &err) < 0)
		fail_msg("open: %s", err.message);
}

/* ---- entries: only in memory until they are persisted ---- */

static inline void ledger_entry(struct ledger *l, uint64_t epoch, enum entry_kind kind,
				const struct buf *payload)
{
	autobuf data = BUF_INIT;
	struct entry e = {.at = {epoch, log_last(&l->log).index + 1},
			  .previous = log_last(&l->log),
			  .kind = kind,
			  .when = 1000,
			  .origin = "n1",
			  .who = "root@pam",
			  .payload = payload->size ? payload->data : "",
			  .payload_size = payload->size};

	e.first = e.at.index - 1;
	entry_encode(&e, log_last_hash(&l->log), &data);
	log_append(&l->log, log_entry_new(&e, data.data, data.size));
}

static inline void ledger_voters(struct ledger *l, uint64_t epoch)
{
	struct voters voters = {.count = 1, .items = {{.node = 1, .incarnation = {{1}}}}};
	autobuf payload = BUF_INIT;

	voters_payload_encode(&(struct uuid){0}, &voters, &payload);
	ledger_entry(l, epoch, ENTRY_VOTERS, &payload);
}

static inline void ledger_op(struct ledger *l, uint64_t epoch, const struct store_op *op)
{
	uint64_t id = log_last(&l->log).index + 1;
	struct store_txn txn = {.ops = op, .op_count = 1};
	autobuf payload = BUF_INIT;

	memcpy(txn.id.bytes, &id, sizeof(id));
	txn.id.bytes[15] = (uint8_t)epoch;
	txn_encode(&txn, &payload);
	ledger_entry(l, epoch, ENTRY_TXN, &payload);
}

static inline void ledger_put(struct ledger *l, uint64_t epoch, const char *path, const char *value)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};

	ledger_op(l, epoch, &op);
}

static inline void ledger_delete(struct ledger *l, uint64_t epoch, const char *path)
{
	struct store_op op = {.kind = STORE_DELETE, .path = path};

	ledger_op(l, epoch, &op);
}

static inline void ledger_put_large(struct ledger *l, uint64_t epoch, const char *path, size_t size)
{
	autofree char *value = xcalloc(1, size);
	struct store_op op = {.kind = STORE_PUT, .path = path, .value = value, .size = size};

	memset(value, 'x', size);
	ledger_op(l, epoch, &op);
}

/* ---- transactions ---- */

/* Of the entries from..to (to 0: to the last one; from 0: none). */
static inline struct persist *ledger_persist(struct ledger *l, uint64_t from, uint64_t to)
{
	struct persist *p = xcalloc(1, sizeof(*p));
	const struct log_entry *last = NULL;

	p->ticket = ++l->ticket;
	to = to ? to : log_last(&l->log).index;
	for (uint64_t i = from; from && i <= to; i++) {
		p->entries = xrealloc(p->entries, p->entry_count + 1, sizeof(p->entries[0]));
		last = p->entries[p->entry_count++] = log_entry_ref(log_at(&l->log, i));
	}
	if (last)
		l->meta.accepted = (struct position){l->meta.promised, last->at.index};
	p->meta = l->meta;
	return p;
}

/* Takes them. */
static inline int ledger_write_all(struct ledger *l, struct persist **items, size_t count,
				   struct err *err)
{
	int r = db_persist(l->db, items, count, err);

	for (size_t i = 0; i < count; i++)
		persist_free(items[i]);
	return r;
}

static inline int ledger_write(struct ledger *l, struct persist *p, struct err *err)
{
	return ledger_write_all(l, &p, 1, err);
}

static inline void ledger_must_write(struct ledger *l, struct persist *p)
{
	struct err err = ERR_INIT;

	if (ledger_write(l, p, &err) < 0)
		fail_msg("persist: %s", err.message);
}

/* The start of a process, and the founding of a cluster of one. */
static inline int ledger_start(struct ledger *l, struct err *err)
{
	l->meta.start++;
	return ledger_write(l, ledger_persist(l, 0, 0), err);
}

static inline int ledger_found(struct ledger *l, struct err *err)
{
	l->meta.cluster.bytes[0] = 7;
	l->meta.promised = 1;
	ledger_voters(l, 1);
	return ledger_write(l, ledger_persist(l, 1, 0), err);
}

static inline void ledger_must_found(struct ledger *l)
{
	struct err err = ERR_INIT;

	ledger_must_open(l);
	assert_int_equal(ledger_start(l, &err), 0);
	assert_int_equal(ledger_found(l, &err), 0);
}

/* ---- settling ---- */

static inline void ledger_collect(const struct kv_change *c, void *ctx)
{
	struct settle_row *row = settle_add(ctx);

	row->path = xstrdup(c->path);
	row->when = 1000;
	str_copy(row->who, sizeof(row->who), "root@pam");
	if (c->now) {
		row->value = xmemdup(c->now->data, c->now->size + 1);
		row->size = c->now->size;
		row->version = c->now->version;
	}
	if (c->before) {
		row->old = xmemdup(c->before->data, c->before->size + 1);
		row->old_size = c->before->size;
		row->old_version = c->before->version;
	}
}

static inline void ledger_apply(struct state *state, const struct log_entry *e, struct settle *rows)
{
	size_t before = rows ? rows->count : 0;
	struct state_result result;
	struct err err = ERR_INIT;

	if (state_apply(state, e, REPLICA_LEVEL, rows ? ledger_collect : NULL, rows, &result,
			&err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = before; rows && i < rows->count; i++)
		rows->rows[i].index = e->at.index;
	if (rows && result.has_request)
		settle_add(rows)->request = result.request;
}

static inline int ledger_settle(struct ledger *l, uint64_t upto, uint64_t base, struct err *err)
{
	struct settle s = {.base = base};
	const struct kv_request *oldest;
	int r;

	while (l->state->at.index < upto)
		ledger_apply(l->state, log_at(&l->log, l->state->at.index + 1), &s);
	oldest = kv_request_next(l->state->kv, 0);
	s.applied = l->state->at.index;
	s.requests_from = oldest ? oldest->index : 0;
	record_head_encode(l->state, &s.head);
	r = db_settle(l->db, &s, err);
	settle_fini(&s);
	return r;
}

static inline void ledger_must_settle(struct ledger *l, uint64_t upto, uint64_t base)
{
	struct err err = ERR_INIT;

	if (ledger_settle(l, upto, base, &err) < 0)
		fail_msg("settle: %s", err.message);
}

/* The state after the entry at index, from the log alone. */
static inline struct state *ledger_replay(const struct ledger *l, uint64_t index)
{
	struct state *state = state_new(LEDGER_REQUESTS);

	while (state->at.index < index)
		ledger_apply(state, log_at(&l->log, state->at.index + 1), NULL);
	return state;
}

/* A snapshot of the state at the end of the log, most of which this database never saw. */
static inline struct persist *ledger_snapshot(struct ledger *l)
{
	struct persist *p;
	struct state *state = ledger_replay(l, log_last(&l->log).index);

	l->meta.accepted = (struct position){l->meta.promised, state->at.index};
	p = ledger_persist(l, 0, 0);
	state_encode(state, &p->snapshot);
	state_free(l->state);
	l->state = state;
	return p;
}

/* ---- what the database holds ---- */

/* What was loaded is this log up to its end, and the values are what follows from it. */
static inline void ledger_compare(const struct ledger *l, struct replica_disk *disk)
{
	struct state *expected = ledger_replay(l, log_last(&l->log).index);
	struct state *state = disk->state ? TAKE(disk->state) : state_new(LEDGER_REQUESTS);
	struct log_entry *before = log_at(&l->log, disk->base.index);
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	if (disk->base.index) {
		assert_non_null(before);
		assert_int_equal(position_compare(disk->base, before->at), 0);
		assert_memory_equal(disk->base_hash, before->hash, SHA256_SIZE);
	}
	assert_int_equal(disk->base.index + disk->entry_count, log_last(&l->log).index);
	for (size_t i = 0; i < disk->entry_count; i++) {
		const struct log_entry *e = log_at(&l->log, disk->base.index + i + 1);

		assert_int_equal(position_compare(disk->entries[i]->at, e->at), 0);
		assert_memory_equal(disk->entries[i]->hash, e->hash, SHA256_SIZE);
	}
	assert_true(state->at.index >= disk->base.index);
	kv_hash_start(state->kv);
	while (state->at.index < expected->at.index)
		ledger_apply(state, disk->entries[state->at.index - disk->base.index], NULL);
	state_digest(state, a);
	state_digest(expected, b);
	assert_memory_equal(a, b, SHA256_SIZE);
	state_free(state);
	state_free(expected);
	assert_int_equal(disk->meta.start, l->meta.start);
	assert_int_equal(disk->meta.promised, l->meta.promised);
	assert_int_equal(position_compare(disk->meta.accepted, l->meta.accepted), 0);
	assert_memory_equal(&disk->meta.incarnation, &l->meta.incarnation, sizeof(struct uuid));
}

/* As a new process finds it. */
static inline void ledger_check(struct ledger *l)
{
	struct replica_disk disk;
	struct err err = ERR_INIT;

	ledger_close(l);
	if (ledger_try_open(l, false, &err) < 0)
		fail_msg("open: %s", err.message);
	disk = ledger_load(l);
	ledger_compare(l, &disk);
	db_disk_fini(&disk);
}

static inline int64_t ledger_number(struct ledger *l, const char *sql)
{
	struct err err = ERR_INIT;
	int64_t n;

	if (db_read_int(l->db, sql, &n, &err) < 0)
		fail_msg("%s: %s", sql, err.message);
	return n;
}
