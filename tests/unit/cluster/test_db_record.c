/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encodings of columns: what goes in comes out, and what is not whole is refused. */
#include "ledger.h"

static struct replica_meta example(void)
{
	struct replica_meta meta = {
		.cluster = {{1}},
		.fork = {{2}},
		.incarnation = {{3}},
		.start = 4,
		.promised = 5,
		.promised_to = {.member = {.node = 6, .incarnation = {{7}}}, .start = 8},
		.promised_at = {9, 10},
		.accepted = {11, 12},
		.seen_count = MESSAGE_SEEN_MAX};

	for (size_t i = 0; i < MESSAGE_SEEN_MAX; i++)
		meta.seen[i] = (struct seen){.incarnation = {{(uint8_t)i, 1}},
					     .measure = {i, i + 1, {i + 2, i + 3}}};
	return meta;
}

static void facts_come_back(void **state)
{
	struct replica_meta meta = example(), back;
	autobuf data = BUF_INIT, again = BUF_INIT;

	(void)state;
	record_meta_encode(&meta, &data);
	assert_int_equal(record_meta_decode(data.data, data.size, &back, NULL), 0);
	assert_int_equal(back.promised_to.start, 8);
	assert_int_equal(back.seen[MESSAGE_SEEN_MAX - 1].measure.accepted.index,
			 MESSAGE_SEEN_MAX + 2);
	record_meta_encode(&back, &again);
	assert_int_equal(data.size, again.size);
	assert_memory_equal(data.data, again.data, data.size);
}

static void facts_that_are_cut_or_have_too_many_are_refused(void **state)
{
	struct replica_meta meta = example(), back;
	autobuf data = BUF_INIT;

	(void)state;
	record_meta_encode(&meta, &data);
	for (size_t size = 0; size < data.size; size++)
		assert_int_equal(record_meta_decode(data.data, size, &back, NULL), -ERR_CORRUPT);
	buf_add_char(&data, 0);
	assert_int_equal(record_meta_decode(data.data, data.size, &back, NULL), -ERR_CORRUPT);
	data.data[0] = 2;
	assert_int_equal(record_meta_decode(data.data, data.size - 1, &back, NULL), -ERR_CORRUPT);
}

static void facts_of_nobody_are_refused(void **state)
{
	struct replica_meta meta = {.start = 1}, back;
	autobuf data = BUF_INIT;

	(void)state;
	record_meta_encode(&meta, &data);
	assert_int_equal(record_meta_decode(data.data, data.size, &back, NULL), -ERR_CORRUPT);
}

static void count(struct log_entry *entry, void *ctx)
{
	log_entry_unref(entry);
	(*(unsigned *)ctx)++;
}

/* Entries from..to of the ledger's log as a batch, decoded behind `before`. How many were taken. */
static int decode(const struct ledger *l, uint64_t from, uint64_t to, size_t missing, unsigned *ret)
{
	const struct log_entry *before = log_at(&l->log, from - 1);
	struct position previous = before ? before->at : (struct position){0};
	uint8_t hash[SHA256_SIZE] = {0};
	autobuf data = BUF_INIT;

	if (before)
		memcpy(hash, before->hash, SHA256_SIZE);
	for (uint64_t i = from; i <= to; i++)
		record_batch_add(&data, log_at(&l->log, i));
	*ret = 0;
	return record_batch_decode(data.data, data.size - missing, &previous, hash, count, ret,
				   NULL);
}

static void a_batch_follows_what_was_before(void **state)
{
	struct ledger l = {.log = {.count = 0}};
	unsigned taken;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		ledger_put(&l, 1, "/a", "1");
	assert_int_equal(decode(&l, 1, 4, 0, &taken), 0);
	assert_int_equal(taken, 4);
	assert_int_equal(decode(&l, 3, 4, 0, &taken), 0);
	assert_int_equal(taken, 2);
	assert_int_equal(decode(&l, 1, 4, 1, &taken), -ERR_CORRUPT);
	assert_int_equal(taken, 3);
	log_at(&l.log, 2)->data[45] ^= 1; /* its time */
	assert_int_equal(decode(&l, 1, 4, 0, &taken), -ERR_CORRUPT);
	assert_int_equal(taken, 1);
	log_fini(&l.log);
}

static void a_base_comes_back(void **state)
{
	uint8_t hash[SHA256_SIZE] = {7}, back[SHA256_SIZE];
	autobuf data = BUF_INIT;
	struct position at;

	(void)state;
	record_base_encode((struct position){3, 4}, hash, &data);
	assert_int_equal(record_base_decode(data.data, data.size, &at, back, NULL), 0);
	assert_int_equal(at.epoch, 3);
	assert_int_equal(at.index, 4);
	assert_memory_equal(hash, back, SHA256_SIZE);
	assert_int_equal(record_base_decode(data.data, data.size - 1, &at, back, NULL),
			 -ERR_CORRUPT);
}

static void a_head_is_a_state_without_values(void **state)
{
	struct ledger l = {.log = {.count = 0}};
	struct state *whole, *head;
	autobuf data = BUF_INIT;

	(void)state;
	ledger_voters(&l, 1);
	ledger_put(&l, 1, "/a", "1");
	whole = ledger_replay(&l, 2);
	record_head_encode(whole, &data);
	assert_int_equal(state_decode(data.data, data.size, &head, NULL), 0);
	assert_int_equal(head->at.index, 2);
	assert_int_equal(head->voters_index, 1);
	assert_int_equal(kv_requests_kept(head->kv), LEDGER_REQUESTS);
	assert_null(kv_get(head->kv, "/a"));
	assert_null(kv_request_next(head->kv, 0));
	assert_non_null(kv_get(whole->kv, "/a"));
	state_free(whole);
	state_free(head);
	log_fini(&l.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_come_back),
		cmocka_unit_test(facts_that_are_cut_or_have_too_many_are_refused),
		cmocka_unit_test(facts_of_nobody_are_refused),
		cmocka_unit_test(a_batch_follows_what_was_before),
		cmocka_unit_test(a_base_comes_back),
		cmocka_unit_test(a_head_is_a_state_without_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
