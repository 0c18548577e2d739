/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log in memory, the lists of voters in it, and the old encoding of entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/state.h"

static void add(struct log *log, uint64_t epoch, enum entry_kind kind, const struct voters *voters)
{
	autobuf payload = BUF_INIT, data = BUF_INIT;
	struct entry e = {.at = {epoch, log_last(log).index + 1},
			  .previous = log_last(log),
			  .kind = kind,
			  .payload = ""};

	if (voters) {
		voters_payload_encode(&(struct uuid){0}, voters, &payload);
		e.payload = payload.data;
		e.payload_size = payload.size;
	}
	entry_encode(&e, log_last_hash(log), &data);
	log_append(log, log_entry_new(&e, data.data, data.size));
}

static void cutting_voters_restores_the_list_before(void **state)
{
	struct voters one = {.count = 1, .items = {{.node = 1}}};
	struct log log = {0};

	(void)state;
	add(&log, 1, ENTRY_VOTERS, &one);
	add(&log, 1, ENTRY_BARRIER, NULL);
	add(&log, 1, ENTRY_VOTERS, &one);
	add(&log, 1, ENTRY_BARRIER, NULL);
	assert_int_equal(log_voters_index(&log, 4), 3);
	log_cut(&log, 3);
	assert_int_equal(log_last(&log).index, 2);
	assert_int_equal(log_voters_index(&log, 2), 1);
	log_fini(&log);
}

static void trimming_moves_the_base(void **state)
{
	struct log log = {0};
	uint8_t hash[SHA256_SIZE];

	(void)state;
	for (int i = 0; i < 5; i++)
		add(&log, 2, ENTRY_BARRIER, NULL);
	memcpy(hash, log_at(&log, 3)->hash, SHA256_SIZE);
	log_trim(&log, 3);
	assert_int_equal(log.base.index, 3);
	assert_memory_equal(log_hash_of(&log, (struct position){2, 3}), hash, SHA256_SIZE);
	assert_null(log_at(&log, 3));
	assert_null(log_hash_of(&log, (struct position){1, 4})); /* another epoch */
	assert_non_null(log_hash_of(&log, (struct position){2, 4}));
	assert_null(log_hash_of(&log, (struct position){2, 6}));
	log_fini(&log);
}

static void positions_compare_by_epoch_first(void **state)
{
	(void)state;
	assert_true(position_compare((struct position){2, 1}, (struct position){1, 9}) > 0);
	assert_true(position_compare((struct position){2, 1}, (struct position){2, 2}) < 0);
	assert_int_equal(position_compare((struct position){2, 2}, (struct position){2, 2}), 0);
}

/* version 1, as databases hold it: without `first` */
static void old_entries_are_read(void **state)
{
	autobuf data = BUF_INIT;
	struct err err = ERR_INIT;
	struct entry e;

	(void)state;
	buf_add_u8(&data, 1);
	buf_add_u8(&data, ENTRY_BARRIER);
	buf_add_u64(&data, 3); /* epoch */
	buf_add_u64(&data, 8); /* index */
	buf_add_u64(&data, 2);
	buf_add_u64(&data, 7);
	buf_add_u64(&data, 12345); /* when */
	buf_add_u16(&data, 0);
	buf_add_u16(&data, 0);
	buf_add_u32(&data, 0);
	for (int i = 0; i < SHA256_SIZE; i++)
		buf_add_u8(&data, 0);
	assert_int_equal(entry_decode(data.data, data.size, &e, &err), 0);
	assert_int_equal(e.when, 12345);
	assert_int_equal(e.first, 7);
	data.data[0] = 3;
	assert_int_equal(entry_decode(data.data, data.size, &e, &err), -ERR_UNSUPPORTED);
	data.data[0] = 1;
	data.data[1] = ENTRY_FORK + 1;
	assert_int_equal(entry_decode(data.data, data.size, &e, &err), -ERR_UNSUPPORTED);
}

static void a_node_is_in_the_list_once(void **state)
{
	struct voters voters = {0};
	struct member a = {.node = 1, .incarnation.bytes = {1}};
	struct member again = {.node = 1, .incarnation.bytes = {2}};

	(void)state;
	assert_true(voters_add(&voters, &a));
	assert_false(voters_add(&voters, &again));
	assert_false(voters_remove(&voters, &again));
	assert_true(voters_has(&voters, &a));
	assert_false(voters_has(&voters, &again));
	assert_true(voters_remove(&voters, &a));
	assert_true(voters_add(&voters, &again));
}

static void a_snapshot_holds_what_the_digest_covers(void **state)
{
	struct state *s = state_new(10), *back;
	struct state_result result;
	struct voters one = {.count = 1, .items = {{.node = 1}}};
	struct log log = {0};
	struct err err = ERR_INIT;
	uint8_t before[SHA256_SIZE], after[SHA256_SIZE];
	autobuf data = BUF_INIT;

	(void)state;
	add(&log, 1, ENTRY_VOTERS, &one);
	add(&log, 1, ENTRY_BARRIER, NULL);
	for (uint64_t i = 1; i <= 2; i++)
		assert_int_equal(state_apply(s, log_at(&log, i), 1, NULL, NULL, &result, &err), 0);
	kv_load(s->kv, "/a", 2, "x", 1);
	kv_load_request(s->kv, &(struct kv_request){.index = 2, .outcome = STORE_DONE});
	state_digest(s, before);
	state_encode(s, &data);
	assert_int_equal(state_decode(data.data, data.size, &back, &err), 0);
	state_digest(back, after);
	assert_memory_equal(before, after, SHA256_SIZE);
	for (size_t n = 0; n < data.size; n++) {
		autofree void *cut = xmemdup(data.data, n ? n : 1);
		struct state *none;

		assert_int_equal(state_decode(cut, n, &none, &err), -ERR_CORRUPT);
	}
	kv_load(back->kv, "/b", 2, "x", 1);
	state_digest(back, after);
	assert_memory_not_equal(before, after, SHA256_SIZE);
	state_free(s);
	state_free(back);
	log_fini(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cutting_voters_restores_the_list_before),
		cmocka_unit_test(trimming_moves_the_base),
		cmocka_unit_test(positions_compare_by_epoch_first),
		cmocka_unit_test(old_entries_are_read),
		cmocka_unit_test(a_node_is_in_the_list_once),
		cmocka_unit_test(a_snapshot_holds_what_the_digest_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
