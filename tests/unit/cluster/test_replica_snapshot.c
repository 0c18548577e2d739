/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of catching up by state, from both sides: the whole, differences, and what goes wrong with them. */
#include <stdio.h>

#include "cluster/core/difference.h"
#include "tests/unit/cluster/puppet.h"

/* ---- a history that the puppets share ---- */

static void add_txn(struct chain *c, uint64_t epoch, const struct store_op *op)
{
	static uint8_t id;
	struct store_txn txn = {.id.bytes = {++id, 0xdd}, .ops = op, .op_count = 1};
	autobuf data = BUF_INIT;

	txn_encode(&txn, &data);
	chain_add(c, epoch, ENTRY_TXN, data.data, data.size);
}

static void put(struct chain *c, uint64_t epoch, const char *path, const char *value)
{
	add_txn(c, epoch,
		&(struct store_op){
			.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)});
}

static void delete (struct chain *c, uint64_t epoch, const char *path)
{
	add_txn(c, epoch, &(struct store_op){.kind = STORE_DELETE, .path = path});
}

static uint64_t last(const struct chain *c)
{
	return log_last(&c->log).index;
}

/* What whoever has applied the chain up to there holds. */
static struct state *state_of(const struct chain *c, uint64_t upto)
{
	struct state *s = state_new(KV_REQUESTS_KEPT);
	struct state_result result;

	for (uint64_t i = 1; i <= upto; i++)
		assert_int_equal(state_apply(s, log_at(&c->log, i), 1, NULL, NULL, &result, NULL),
				 0);
	return s;
}

static void assert_state(const struct replica *r, const struct state *expected)
{
	autobuf is = BUF_INIT, must = BUF_INIT;

	state_encode(replica_state(r), &is);
	state_encode(expected, &must);
	assert_int_equal(is.size, must.size);
	assert_memory_equal(is.data, must.data, is.size);
}

/* ---- node 1 follows node 2 ---- */

/* Entries of the leader, committed; on the own disk as well. */
static void hear_entries(struct puppet *p, struct chain *c, uint64_t epoch, uint64_t from)
{
	struct message m = chain_append(c, epoch, from, last(c));

	m.append.to = 1;
	m.append.committed = last(c);
	puppet_hear(p, 2, m);
	puppet_synced(p);
	assert_int_equal(replica_state(p->r)->at.index, last(c));
}

/* Node 2 leads epoch 2; /a, /b and /c are here. Then it goes far ahead, and changes some of them. */
static void lag(struct puppet *p, struct chain *c)
{
	static const char *const paths[] = {"/a", "/b", "/c"};
	struct message m;

	puppet_start(p, c, 3);
	puppet_hear(p, 3, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 2, puppet_state(p, (struct position){2, 2}, 2));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		put(c, 2, paths[i], "old");
	hear_entries(p, c, 2, 2);
	delete (c, 2, "/b");
	put(c, 2, "/c", "new");
	put(c, 2, "/d", "new");
	put(c, 2, "/e", "new");
	m = chain_append(c, 2, last(c), last(c));
	puppet_hear(p, 2, m); /* a gap */
	assert_true(puppet_said(p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.values, 3);
}

static void inquire(struct puppet *p, uint64_t list, uint64_t offset)
{
	puppet_hear(
		p, 2,
		(struct message){.type = MSG_INQUIRY,
				 .inquiry = {.to = 1, .epoch = 2, .list = list, .offset = offset}});
}

/* A chunk of a portion of that state, as node 2 says it. list 0: of the whole. */
static struct message chunk(const struct frozen *f, const struct portion *s, uint64_t list,
			    uint64_t offset, size_t max)
{
	static char bytes[64 * 1024];
	autobuf data = BUF_INIT;
	struct message m = {.type = MSG_SNAPSHOT,
			    .snapshot = {.to = 1,
					 .epoch = 2,
					 .at = f->at,
					 .list = list,
					 .total = s->total,
					 .offset = offset,
					 .data = bytes}};

	m.snapshot.size = portion_read(f, s, offset, max, &data);
	memcpy(bytes, data.data, data.size);
	memcpy(m.snapshot.hash, f->hash, SHA256_SIZE);
	memcpy(m.snapshot.digest, f->digest, SHA256_SIZE);
	return m;
}

/* What it lacks of that state, by a list. */
static struct comparison *compare(const struct state *s, const void *list, size_t size)
{
	struct frozen *f = frozen_new(s);
	struct comparison *c = comparison_new(f);

	frozen_unref(f);
	assert_true(comparison_take(c, list, size));
	comparison_end(c);
	return c;
}

static void tells_what_it_has_when_it_is_asked(void **state)
{
	struct state *held;
	struct puppet p;
	struct chain c;
	struct message m;
	autobuf list = BUF_INIT;

	(void)state;
	lag(&p, &c);
	held = state_of(&c, 4);
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	list_encode(held->kv, &list);
	assert_int_equal(m.list.to, 2);
	assert_int_equal(m.list.total, list.size);
	assert_int_equal(m.list.size, list.size);
	assert_memory_equal(m.list.data, list.data, list.size);
	inquire(&p, m.list.list, list.size / 3); /* the rest of it */
	assert_true(puppet_said(&p, MSG_LIST, &m));
	assert_int_equal(m.list.offset, list.size / 3);
	state_free(held);
	puppet_end(&p, &c);
}

/* Nobody else must be answered, and nobody who does not ask. */
static void tells_its_leader_alone(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m = {.type = MSG_INQUIRY, .inquiry = {.to = 3, .epoch = 2}};

	(void)state;
	lag(&p, &c);
	puppet_hear(&p, 2, m);
	assert_false(puppet_said(&p, MSG_LIST, &m));
	m = (struct message){.type = MSG_INQUIRY, .inquiry = {.to = 1, .epoch = 1}};
	puppet_hear(&p, 3, m);
	assert_false(puppet_said(&p, MSG_LIST, &m));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	puppet_end(&p, &c);
}

static void a_difference_is_put_together_with_what_is_here(void **state)
{
	static const char changed[] = "/b\0/c\0/d\0/e";
	const struct persist *persist;
	struct comparison *difference;
	struct state *leaders;
	autobuf whole = BUF_INIT;
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lag(&p, &c);
	leaders = state_of(&c, last(&c));
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	difference = compare(leaders, m.list.data, m.list.size);
	assert_int_equal(difference->deleted, 1);
	assert_int_equal(difference->portion.count, 3);
	puppet_hear(&p, 2,
		    chunk(difference->frozen, &difference->portion, m.list.list, 0, 64 * 1024));
	assert_non_null(puppet_effect(&p, EFFECT_PERSIST));
	persist = puppet_effect(&p, EFFECT_PERSIST)->persist;
	state_encode(leaders, &whole);
	assert_rule(DIFFERENCE_WITHOUT_DELETIONS, persist->snapshot.size == whole.size);
	assert_memory_equal(persist->snapshot.data, whole.data, whole.size);
	assert_true(persist->has_changed);
	assert_int_equal(persist->changed.size, sizeof(changed));
	assert_memory_equal(persist->changed.data, changed, sizeof(changed));
	assert_false(puppet_said(&p, MSG_ACK, &m)); /* not before it is on disk */
	assert_int_equal(replica_state(p.r)->at.index, 4);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(m.ack.index, last(&c));
	assert_state(p.r, leaders);
	assert_int_equal(replica_caught_up(p.r)->differences, 1);
	comparison_free(difference);
	state_free(leaders);
	puppet_end(&p, &c);
}

static void a_wrong_difference_is_dropped_and_the_whole_asked_for(void **state)
{
	struct comparison *difference;
	autobuf list = BUF_INIT;
	struct state *leaders;
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lag(&p, &c);
	leaders = state_of(&c, last(&c));
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	list_encode(leaders->kv, &list); /* as if all were here */
	difference = compare(leaders, list.data, list.size);
	puppet_hear(&p, 2,
		    chunk(difference->frozen, &difference->portion, m.list.list, 0, 64 * 1024));
	assert_rule(DIFFERENCE_UNCHECKED, !puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.values, 0);
	assert_int_equal(m.fetch.snapshot, 0);
	assert_int_equal(replica_caught_up(p.r)->fallbacks, 1);
	inquire(&p, 0, 0); /* late: it does not start over */
	assert_false(puppet_said(&p, MSG_LIST, &m));
	puppet_hear(&p, 2, chunk(difference->frozen, &difference->frozen->whole, 0, 0, 64 * 1024));
	puppet_synced(&p);
	assert_state(p.r, leaders);
	assert_int_equal(replica_caught_up(p.r)->whole, 1);
	comparison_free(difference);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* Its state goes on between two questions: the answer to the first list is no answer any more. */
static void a_list_is_made_anew_when_the_state_has_changed(void **state)
{
	struct comparison *old;
	struct state *leaders;
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t first;

	(void)state;
	lag(&p, &c);
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	first = m.list.list;
	leaders = state_of(&c, last(&c));
	old = compare(leaders, m.list.data, m.list.size);
	hear_entries(&p, &c, 2, 5); /* after all */
	put(&c, 2, "/f", "new");
	put(&c, 2, "/g", "new");
	puppet_hear(&p, 2, chain_append(&c, 2, last(&c), last(&c)));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	inquire(&p, first, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	assert_rule(DIFFERENCE_OTHER_BASE, m.list.list != first);
	assert_int_equal(m.list.offset, 0);
	puppet_hear(&p, 2, chunk(old->frozen, &old->portion, first, 0, 64 * 1024));
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	comparison_free(old);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* Lost, repeated, late, and of an older state. */
static void chunks_may_come_in_any_way(void **state)
{
	struct state *older, *leaders;
	struct frozen *f, *f_older;
	struct puppet p;
	struct chain c;
	struct message m;
	size_t third;

	(void)state;
	lag(&p, &c);
	older = state_of(&c, last(&c) - 1);
	leaders = state_of(&c, last(&c));
	f = frozen_new(leaders);
	f_older = frozen_new(older);
	third = (size_t)f->whole.total / 3;
	puppet_hear(&p, 2, chunk(f_older, &f_older->whole, 0, 0, third)); /* another from now on */
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 0, third));
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 2 * third, 64 * 1024));
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 0, third));
	puppet_hear(&p, 2, chunk(f_older, &f_older->whole, 0, 0, third));
	p.now += 3 * USEC_PER_SEC;
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.snapshot, f->at.index);
	assert_int_equal(m.fetch.list, 0);
	assert_int_equal(m.fetch.offset, third); /* nothing of that was lost again */
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, third, third));
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 2 * third, 64 * 1024));
	puppet_synced(&p);
	assert_state(p.r, leaders);
	frozen_unref(f);
	frozen_unref(f_older);
	state_free(older);
	state_free(leaders);
	puppet_end(&p, &c);
}

static void promises_go_on_while_chunks_come(void **state)
{
	struct comparison *difference;
	struct state *leaders;
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t list;

	(void)state;
	lag(&p, &c);
	leaders = state_of(&c, last(&c));
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	list = m.list.list;
	difference = compare(leaders, m.list.data, m.list.size);
	puppet_hear(&p, 2, chunk(difference->frozen, &difference->portion, list, 0, 40));
	puppet_hear(&p, 3,
		    (struct message){.type = MSG_CLAIM, .claim = {.epoch = 3, .position = {2, 9}}});
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	puppet_hear(&p, 2, chunk(difference->frozen, &difference->portion, list, 40, 64 * 1024));
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	comparison_free(difference);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* Chunks of the whole that are sent for another member do for an empty one as well. */
static void a_whole_for_another_is_as_good(void **state)
{
	struct state *leaders;
	struct frozen *f;
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	puppet_start(&p, &c, 3);
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_hear(&p, 2, puppet_state(&p, (struct position){2, 2}, 2));
	put(&c, 2, "/a", "x");
	put(&c, 2, "/b", "x");
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	leaders = state_of(&c, last(&c));
	f = frozen_new(leaders);
	m = chunk(f, &f->whole, 0, 0, 50);
	m.snapshot.to = 3;
	puppet_hear(&p, 2, m);
	m = chunk(f, &f->whole, 0, 50, 64 * 1024);
	m.snapshot.to = 3;
	puppet_hear(&p, 2, m);
	puppet_synced(&p);
	assert_state(p.r, leaders);
	frozen_unref(f);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* ---- node 1 leads ---- */

#define VALUES 40

static void ask_put(struct puppet *p, unsigned id, const char *path, const char *value)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};
	struct store_txn txn = {
		.id.bytes = {(uint8_t)id, (uint8_t)(id >> 8), 1}, .ops = &op, .op_count = 1};
	struct event ev = {.type = EV_PROPOSE, .propose = {.kind = REQUEST_TXN, .handle = id}};
	autobuf data = BUF_INIT;
	uint64_t index;

	memcpy(ev.propose.id.bytes, txn.id.bytes, sizeof(txn.id.bytes));
	txn_encode(&txn, &data);
	ev.propose.payload = data.data;
	ev.propose.payload_size = data.size;
	puppet_step(p, ev);
	puppet_synced(p);
	index = log_last(replica_log(p->r)).index;
	puppet_hear(p, 2, (struct message){.type = MSG_ACK, .ack = {2, index}});
	assert_int_equal(replica_state(p->r)->at.index, index);
}

/* It leads epoch 2 with that many values, and keeps hardly any log. */
static void lead(struct puppet *p, struct chain *c, uint64_t log_served, size_t chunk_bytes)
{
	struct replica_options options = replica_options_default;

	options.log_kept = 4;
	options.log_served = log_served;
	options.chunk_bytes = chunk_bytes;
	options.chunk_window = 2;
	puppet_start_as(p, c, 3, &options);
	puppet_hear(p, 2, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 3, puppet_state(p, (struct position){1, 1}, 0));
	puppet_synced(p);
	puppet_hear(p, 2,
		    (struct message){.type = MSG_PROMISE,
				     .promise = {.epoch = 2,
						 .to = {.member = puppet_member(1), .start = 1},
						 .position = {1, 1}}});
	puppet_synced(p);
	assert_int_equal(replica_leads(p->r), 2);
	for (unsigned i = 0; i < VALUES; i++) {
		char path[16];

		snprintf(path, sizeof(path), "/v%02u", i);
		ask_put(p, i, path,
			"a value that is longer than what a list says of it, by far, "
			"so that nobody sends it without need");
	}
	effects_clear(&p->out);
}

static struct message fetch(uint32_t values, uint64_t list, uint64_t snapshot, uint64_t offset)
{
	return (struct message){.type = MSG_FETCH,
				.fetch = {.to = 1,
					  .epoch = 2,
					  .values = values,
					  .list = list,
					  .snapshot = snapshot,
					  .offset = offset}};
}

static struct message list_message(const struct buf *list, size_t offset, size_t size)
{
	return (struct message){.type = MSG_LIST,
				.list = {.to = 1,
					 .epoch = 2,
					 .list = 77,
					 .total = list->size,
					 .offset = offset,
					 .data = list->data + offset,
					 .size = size}};
}

/* Collects all chunks that it says for that node, asking on as long as some are missing. */
static struct message collect(struct puppet *p, uint32_t node, uint32_t values, struct buf *ret)
{
	struct message m, first = {.type = 0};

	for (;;) {
		for (size_t i = 0; i < p->out.count; i++) {
			const struct effect *e = &p->out.items[i];

			if (e->type != EFFECT_SEND || (uint8_t)e->send.data[1] != MSG_SNAPSHOT)
				continue;
			assert_int_equal(message_decode(e->send.data, e->send.size, &m, NULL), 0);
			assert_int_equal(m.snapshot.offset, ret->size);
			buf_add(ret, m.snapshot.data, m.snapshot.size);
			if (!first.type)
				first = m;
			assert_int_equal(m.snapshot.at.index, first.snapshot.at.index);
		}
		assert_int_not_equal(first.type, 0);
		if (ret->size == first.snapshot.total)
			return first;
		puppet_hear(p, node,
			    fetch(values, first.snapshot.list, first.snapshot.at.index, ret->size));
	}
}

static void sends_the_whole_to_who_has_nothing(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	struct state *s;
	autobuf data = BUF_INIT;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	lead(&p, &c, 1000, 500);
	puppet_hear(&p, 3, fetch(0, 0, 0, 0));
	m = collect(&p, 3, 0, &data);
	assert_int_equal(m.snapshot.list, 0);
	assert_int_equal(state_decode(data.data, data.size, &s, NULL), 0);
	state_digest(s, digest);
	assert_memory_equal(digest, m.snapshot.digest, SHA256_SIZE);
	state_free(s);
	puppet_end(&p, &c);
}

/* A member with one old value and one that is gone here; its list comes in chunks, one of them lost at first. While it
 * is served, the values change again: what it gets is the state of one moment. */
static void sends_what_differs_of_one_moment(void **state)
{
	struct state *held = state_new(KV_REQUESTS_KEPT), *s;
	uint8_t digest[SHA256_SIZE];
	autobuf list = BUF_INIT, data = BUF_INIT;
	struct puppet p;
	struct chain c;
	struct message m;
	size_t half;

	(void)state;
	lead(&p, &c, 1000, 400);
	kv_load(held->kv, "/v00", 1, "old", 3);
	kv_load(held->kv, "/w", 1, "gone", 4);
	{
		const struct kv *kv = replica_state(p.r)->kv;

		kv_share(held->kv, "/v01", kv_get(kv, "/v01"));
		kv_share(held->kv, "/v39", kv_get(kv, "/v39"));
	}
	list_encode(held->kv, &list);
	half = list_chunk(&list, 0, list.size / 2);
	puppet_hear(&p, 3, fetch(4, 0, 0, 0));
	assert_true(puppet_said(&p, MSG_INQUIRY, &m));
	assert_int_equal(m.inquiry.to, 3);
	assert_int_equal(m.inquiry.offset, 0);
	puppet_hear(&p, 3, list_message(&list, 0, half));
	assert_false(puppet_said(&p, MSG_SNAPSHOT, &m));
	puppet_hear(&p, 3, fetch(4, 77, 0, 0)); /* the rest was lost */
	assert_true(puppet_said(&p, MSG_INQUIRY, &m));
	assert_int_equal(m.inquiry.list, 77);
	assert_int_equal(m.inquiry.offset, half);
	puppet_hear(&p, 3, list_message(&list, half, list.size - half));
	assert_true(puppet_said(&p, MSG_SNAPSHOT, &m));
	for (unsigned i = 0; i < 3; i++) { /* what was said stays to be collected */
		struct effects said = p.out;
		char path[16];

		p.out = (struct effects){0};
		snprintf(path, sizeof(path), "/v%02u", 20 + i);
		ask_put(&p, 200 + i, path, "again");
		effects_fini(&p.out);
		p.out = said;
	}
	m = collect(&p, 3, 4, &data);
	assert_int_equal(m.snapshot.list, 77);
	assert_true(m.snapshot.at.index < replica_state(p.r)->at.index);
	assert_int_equal(difference_apply(held, data.data, data.size, &s, NULL, NULL), 0);
	state_digest(s, digest);
	assert_memory_equal(digest, m.snapshot.digest, SHA256_SIZE);
	assert_null(kv_get(s->kv, "/w"));
	assert_int_equal(kv_count(s->kv), VALUES);
	state_free(s);
	state_free(held);
	puppet_end(&p, &c);
}

static void a_list_that_makes_no_sense_gets_the_whole(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	struct buf list = {.data = (char *)"no list at all", .size = 14};

	(void)state;
	lead(&p, &c, 1000, 400);
	puppet_hear(&p, 3, fetch(4, 0, 0, 0));
	puppet_hear(&p, 3, list_message(&list, 0, list.size));
	assert_false(puppet_said(&p, MSG_SNAPSHOT, &m));
	puppet_hear(&p, 3, fetch(4, 77, 0, 0));
	assert_false(puppet_said(&p, MSG_INQUIRY, &m));
	assert_true(puppet_said(&p, MSG_SNAPSHOT, &m));
	assert_int_equal(m.snapshot.list, 0);
	puppet_end(&p, &c);
}

static void one_whole_does_for_many(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lead(&p, &c, 1000, 400);
	puppet_hear(&p, 3, fetch(0, 0, 0, 0));
	assert_true(puppet_said(&p, MSG_SNAPSHOT, &m));
	for (uint32_t node = 4; node < 40; node++) {
		puppet_hear(&p, node, fetch(0, 0, 0, 0));
		assert_false(puppet_said(&p, MSG_SNAPSHOT, &m));
	}
	p.now += 2 * USEC_PER_SEC; /* who has lost it asks again */
	puppet_hear(&p, 20, fetch(0, 0, 0, 0));
	assert_true(puppet_said(&p, MSG_SNAPSHOT, &m));
	puppet_end(&p, &c);
}

static void few_are_compared_at_once_the_others_get_the_whole(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	uint32_t asked = 0;

	(void)state;
	lead(&p, &c, 1000, 400);
	for (uint32_t node = 3; node < 30; node++) {
		p.now += USEC_PER_SEC / 4;
		puppet_hear(&p, node, fetch(4, 0, 0, 0));
		asked += puppet_said(&p, MSG_INQUIRY, &m);
	}
	assert_int_equal(asked, 8);
	p.now += 60 * USEC_PER_SEC; /* who asks no more makes room */
	puppet_hear(&p, 40, fetch(4, 0, 0, 0));
	puppet_hear(&p, 41, fetch(4, 0, 0, 0));
	assert_true(puppet_said(&p, MSG_INQUIRY, &m));
	puppet_end(&p, &c);
}

/* From what is served on the log is kept, but not without end. */
static void the_log_is_kept_while_somebody_is_served(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t at;

	(void)state;
	lead(&p, &c, 30, 400);
	puppet_hear(&p, 3, fetch(0, 0, 0, 0));
	assert_true(puppet_said(&p, MSG_SNAPSHOT, &m));
	at = m.snapshot.at.index;
	for (unsigned i = 0; i < 20; i++)
		ask_put(&p, 300 + i, "/v00", "again");
	assert_true(replica_log(p.r)->base.index <= at);
	for (unsigned i = 0; i < 40; i++)
		ask_put(&p, 400 + i, "/v00", "again");
	assert_true(replica_log(p.r)->count <= 31);
	puppet_hear(&p, 3, fetch(0, 0, at, 400)); /* the chunks go on all the same */
	assert_true(puppet_said(&p, MSG_SNAPSHOT, &m));
	assert_int_equal(m.snapshot.at.index, at);
	puppet_end(&p, &c);
}

static void who_leads_no_more_serves_no_more(void **state)
{
	struct buf list = {.data = (char *)"x", .size = 1};
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lead(&p, &c, 1000, 400);
	puppet_hear(&p, 3, fetch(4, 0, 0, 0));
	puppet_hear(
		&p, 2,
		(struct message){.type = MSG_CLAIM, .claim = {.epoch = 5, .position = {4, 1000}}});
	assert_int_equal(replica_leads(p.r), 0);
	puppet_hear(&p, 3, list_message(&list, 0, 1));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_false(puppet_said(&p, MSG_SNAPSHOT, &m));
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_it_has_when_it_is_asked),
		cmocka_unit_test(tells_its_leader_alone),
		cmocka_unit_test(a_difference_is_put_together_with_what_is_here),
		cmocka_unit_test(a_wrong_difference_is_dropped_and_the_whole_asked_for),
		cmocka_unit_test(a_list_is_made_anew_when_the_state_has_changed),
		cmocka_unit_test(chunks_may_come_in_any_way),
		cmocka_unit_test(promises_go_on_while_chunks_come),
		cmocka_unit_test(a_whole_for_another_is_as_good),
		cmocka_unit_test(sends_the_whole_to_who_has_nothing),
		cmocka_unit_test(sends_what_differs_of_one_moment),
		cmocka_unit_test(a_list_that_makes_no_sense_gets_the_whole),
		cmocka_unit_test(one_whole_does_for_many),
		cmocka_unit_test(few_are_compared_at_once_the_others_get_the_whole),
		cmocka_unit_test(the_log_is_kept_while_somebody_is_served),
		cmocka_unit_test(who_leads_no_more_serves_no_more),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
