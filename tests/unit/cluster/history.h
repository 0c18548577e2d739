/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history that puppets share, and the states that it makes. */
#pragma once

#include "cluster/core/difference.h"
#include "tests/unit/cluster/puppet.h"

static inline void add_txn(struct chain *c, uint64_t epoch, const struct store_op *op)
{
	static uint8_t id;
	struct store_txn txn = {.id.bytes = {++id, 0xdd}, .ops = op, .op_count = 1};
	autobuf data = BUF_INIT;

	txn_encode(&txn, &data);
	chain_add(c, epoch, ENTRY_TXN, data.data, data.size);
}

static inline void put(struct chain *c, uint64_t epoch, const char *path, const char *value)
{
	add_txn(c, epoch,
		&(struct store_op){
			.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)});
}

static inline void delete (struct chain *c, uint64_t epoch, const char *path)
{
	add_txn(c, epoch, &(struct store_op){.kind = STORE_DELETE, .path = path});
}

static inline uint64_t last(const struct chain *c)
{
	return log_last(&c->log).index;
}

/* What whoever has applied the chain up to there holds. */
static inline struct state *state_of(const struct chain *c, uint64_t upto)
{
	struct state *s = state_new(KV_REQUESTS_KEPT);
	struct state_result result;

	for (uint64_t i = 1; i <= upto; i++)
		assert_int_equal(state_apply(s, log_at(&c->log, i), 1, NULL, NULL, &result, NULL),
				 0);
	return s;
}

static inline void assert_state(const struct replica *r, const struct state *expected)
{
	autobuf is = BUF_INIT, must = BUF_INIT;

	state_encode(replica_state(r), &is);
	state_encode(expected, &must);
	assert_int_equal(is.size, must.size);
	assert_memory_equal(is.data, must.data, is.size);
}

/* What it lacks of that state, by a list. */
static inline struct comparison *compare(const struct state *s, const void *list, size_t size)
{
	struct frozen *f = frozen_new(s);
	struct comparison *c = comparison_new(f);

	frozen_unref(f);
	assert_true(comparison_take(c, list, size));
	comparison_end(c);
	return c;
}
