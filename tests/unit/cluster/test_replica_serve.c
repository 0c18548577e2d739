/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of a leader that catches members up by state. */
#include <stdio.h>

#include "tests/unit/cluster/history.h"

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
