/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replicated state: what transactions do, what they refuse, and that all of one happens or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/kv.h"

static uint64_t next_index;
static unsigned changes;

static void count_change(const struct kv_change *change, void *ctx)
{
	(void)change;
	(void)ctx;
	changes++;
}

static struct store_result apply(struct kv *kv, uint8_t id, const struct store_precondition *pre,
				 size_t pre_count, const struct store_op *ops, size_t op_count)
{
	struct store_txn view = {.id.bytes = {id},
				 .preconditions = pre,
				 .precondition_count = pre_count,
				 .ops = ops,
				 .op_count = op_count};
	struct store_result result;
	struct kv_request request;
	struct err err = ERR_INIT;
	uint8_t hash[SHA256_SIZE];
	bool is_repeat;
	autobuf data = BUF_INIT;
	struct txn txn;

	txn_encode(&view, &data);
	digest_sha256(data.data, data.size, hash);
	assert_int_equal(txn_decode(data.data, data.size, &txn, &err), 0);
	kv_apply(kv, ++next_index, &txn, hash, count_change, NULL, &result, &request, &is_repeat);
	txn_fini(&txn);
	return result;
}

static struct store_result put(struct kv *kv, uint8_t id, const char *path, const char *value)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};

	return apply(kv, id, NULL, 0, &op, 1);
}

static int setup(void **state)
{
	next_index = 0;
	changes = 0;
	*state = kv_new();
	return 0;
}

static int teardown(void **state)
{
	kv_free(*state);
	return 0;
}

static void put_gives_the_index_as_version(void **state)
{
	struct store_result r = put(*state, 1, "/a/b", "one");

	assert_int_equal(r.outcome, STORE_DONE);
	assert_int_equal(r.version, 1);
	assert_string_equal(kv_get(*state, "/a/b")->data, "one");
	put(*state, 2, "/a/b", "two");
	assert_int_equal(kv_get(*state, "/a/b")->version, 2);
}

static void a_repeated_request_is_done_once(void **state)
{
	struct store_result first = put(*state, 7, "/a", "x");
	struct store_result again = put(*state, 7, "/a", "x");

	assert_int_equal(again.outcome, STORE_DONE);
	assert_int_equal(again.version, first.version);
	assert_int_equal(kv_get(*state, "/a")->version, first.version);
	assert_int_equal(changes, 1);
}

static void a_request_id_with_another_payload_is_refused(void **state)
{
	struct store_result r;

	put(*state, 7, "/a", "x");
	r = put(*state, 7, "/a", "y");
	assert_int_equal(r.outcome, STORE_REFUSED);
	assert_int_equal(r.err.code, ERR_INVALID);
	assert_string_equal(kv_get(*state, "/a")->data, "x");
}

static void preconditions_are_judged(void **state)
{
	struct store_precondition absent = {.path = "/a", .version = 0};
	struct store_precondition at_one = {.path = "/a", .version = 1};
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "v", .size = 1};
	struct store_result r;

	assert_int_equal(apply(*state, 1, &absent, 1, &op, 1).outcome, STORE_DONE);
	r = apply(*state, 2, &absent, 1, &op, 1);
	assert_int_equal(r.outcome, STORE_REFUSED);
	assert_int_equal(r.failed_precondition, 0);
	assert_int_equal(r.err.code, ERR_CONFLICT);
	assert_int_equal(apply(*state, 3, &at_one, 1, &op, 1).outcome, STORE_DONE);
	assert_int_equal(apply(*state, 4, &at_one, 1, &op, 1).outcome, STORE_REFUSED);
}

static void all_of_a_transaction_or_nothing(void **state)
{
	struct store_op ops[] = {
		{.kind = STORE_PUT, .path = "/a", .value = "new", .size = 3},
		{.kind = STORE_DELETE, .path = "/b"},
		{.kind = STORE_RENAME, .path = "/none", .to = "/c"},
	};
	size_t bytes;

	put(*state, 1, "/a", "old");
	put(*state, 2, "/b", "kept");
	bytes = kv_bytes(*state);
	changes = 0;
	assert_int_equal(apply(*state, 3, NULL, 0, ops, 3).outcome, STORE_REFUSED);
	assert_string_equal(kv_get(*state, "/a")->data, "old");
	assert_string_equal(kv_get(*state, "/b")->data, "kept");
	assert_int_equal(kv_bytes(*state), bytes);
	assert_int_equal(changes, 0);
}

static void rename_moves_and_refuses_to_overwrite(void **state)
{
	struct store_op move = {.kind = STORE_RENAME, .path = "/a", .to = "/b"};

	put(*state, 1, "/a", "v");
	assert_int_equal(apply(*state, 2, NULL, 0, &move, 1).outcome, STORE_DONE);
	assert_null(kv_get(*state, "/a"));
	assert_string_equal(kv_get(*state, "/b")->data, "v");
	assert_int_equal(kv_get(*state, "/b")->version, 2);
	put(*state, 3, "/a", "w");
	assert_int_equal(apply(*state, 4, NULL, 0, &move, 1).outcome, STORE_REFUSED);
	assert_string_equal(kv_get(*state, "/a")->data, "w");
}

static void several_steps_on_one_path_are_one_change(void **state)
{
	struct store_op ops[] = {
		{.kind = STORE_PUT, .path = "/a", .value = "1", .size = 1},
		{.kind = STORE_DELETE, .path = "/a"},
		{.kind = STORE_PUT, .path = "/a", .value = "2", .size = 1},
	};

	assert_int_equal(apply(*state, 1, NULL, 0, ops, 3).outcome, STORE_DONE);
	assert_int_equal(changes, 1);
	assert_string_equal(kv_get(*state, "/a")->data, "2");
}

static void iteration_stays_below_the_prefix(void **state)
{
	static const char *const paths[] = {"/a/1", "/a/2", "/b", "/a.x"};
	const char *path = NULL;
	unsigned seen = 0;

	for (uint8_t i = 0; i < ARRAY_SIZE(paths); i++)
		put(*state, (uint8_t)(i + 1), paths[i], "v");
	while (kv_next(*state, "/a/", path, &path))
		assert_string_equal(path, paths[seen++]);
	assert_int_equal(seen, 2);
}

static void old_requests_are_forgotten_by_index(void **state)
{
	put(*state, 9, "/a", "x");
	next_index += KV_REQUESTS_KEPT + 1;
	put(*state, 10, "/b", "y");
	assert_int_equal(put(*state, 9, "/a", "z").outcome, STORE_DONE);
	assert_string_equal(kv_get(*state, "/a")->data, "z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(put_gives_the_index_as_version, setup, teardown),
		cmocka_unit_test_setup_teardown(a_repeated_request_is_done_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_id_with_another_payload_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(preconditions_are_judged, setup, teardown),
		cmocka_unit_test_setup_teardown(all_of_a_transaction_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(rename_moves_and_refuses_to_overwrite, setup,
						teardown),
		cmocka_unit_test_setup_teardown(several_steps_on_one_path_are_one_change, setup,
						teardown),
		cmocka_unit_test_setup_teardown(iteration_stays_below_the_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(old_requests_are_forgotten_by_index, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
