/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log entries and transactions: round trips, chains, and every cut of an encoding refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/entry.h"
#include "cluster/core/txn.h"

static const uint8_t zero_hash[SHA256_SIZE];

static struct entry sample(struct buf *out)
{
	struct entry e = {.at = {.epoch = 3, .index = 8},
			  .previous = {.epoch = 2, .index = 7},
			  .kind = ENTRY_TXN,
			  .when = 12345,
			  .origin = "node1",
			  .who = "root@pam",
			  .payload = "payload",
			  .payload_size = 7};

	entry_encode(&e, zero_hash, out);
	return e;
}

static void entry_round_trip(void **state)
{
	struct err err = ERR_INIT;
	autobuf data = BUF_INIT;
	struct entry e = sample(&data), back;

	(void)state;
	assert_int_equal(entry_decode(data.data, data.size, &back, &err), 0);
	assert_int_equal(back.at.index, 8);
	assert_string_equal(back.who, "root@pam");
	assert_memory_equal(back.payload, "payload", 7);
	assert_memory_equal(back.hash, e.hash, SHA256_SIZE);
	assert_true(entry_follows(data.data, data.size, &back, e.previous, zero_hash));
}

static void a_changed_byte_breaks_the_chain(void **state)
{
	struct err err = ERR_INIT;
	autobuf data = BUF_INIT;
	struct entry e = sample(&data), back;

	(void)state;
	for (size_t i = 2; i < data.size; i++) {
		data.data[i] ^= 1;
		if (entry_decode(data.data, data.size, &back, &err) == 0)
			assert_false(
				entry_follows(data.data, data.size, &back, e.previous, zero_hash));
		data.data[i] ^= 1;
	}
}

static void every_cut_is_refused(void **state)
{
	struct err err = ERR_INIT;
	autobuf data = BUF_INIT;
	struct entry back;

	(void)state;
	sample(&data);
	for (size_t n = 0; n < data.size; n++) {
		autofree void *cut =
			xmemdup(data.data, n ? n : 1); /* its end is what ASan watches */

		assert_int_equal(entry_decode(cut, n, &back, &err), -ERR_CORRUPT);
	}
}

static void every_cut_of_a_transaction_is_refused(void **state)
{
	struct store_precondition pre = {.path = "/a/b", .version = 4};
	struct store_op ops[] = {{.kind = STORE_PUT, .path = "/a/b", .value = "x", .size = 1},
				 {.kind = STORE_RENAME, .path = "/a/c", .to = "/a/d"},
				 {.kind = STORE_DELETE, .path = "/e"}};
	struct store_txn txn = {
		.preconditions = &pre, .precondition_count = 1, .ops = ops, .op_count = 3};
	struct err err = ERR_INIT;
	autobuf data = BUF_INIT;
	struct txn back;

	(void)state;
	txn_encode(&txn, &data);
	assert_int_equal(txn_decode(data.data, data.size, &back, &err), 0);
	assert_int_equal(back.op_count, 3);
	assert_string_equal(back.ops[1].to, "/a/d");
	txn_fini(&back);
	for (size_t n = 0; n < data.size; n++) {
		autofree void *cut = xmemdup(data.data, n ? n : 1);

		assert_int_equal(txn_decode(cut, n, &back, &err), -ERR_CORRUPT);
	}
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		bool is_valid;
	} cases[] = {
		{"/a", true},	       {"/nodes/n1/lxc/101.conf", true},
		{"/user@pam!x", true}, {"", false},
		{"/", false},	       {"a", false},
		{"/a/", false},	       {"/a//b", false},
		{"/a/../b", false},    {"/./a", false},
		{"/a b", false},       {"/a\n", false},
		{"/...", true},	       {NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(store_path_is_valid(cases[i].path), cases[i].is_valid);
}

static void bounds_of_a_transaction(void **state)
{
	struct store_op too_big = {
		.kind = STORE_PUT, .path = "/a", .value = "", .size = STORE_VALUE_MAX + 1};
	struct store_op bad_path = {.kind = STORE_DELETE, .path = "a"};
	struct store_txn txn = {.ops = &too_big, .op_count = 1};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(txn_check(&txn, &err), -ERR_LIMIT);
	txn.ops = &bad_path;
	assert_int_equal(txn_check(&txn, &err), -ERR_INVALID);
	txn.op_count = STORE_OPS_MAX + 1;
	assert_int_equal(txn_check(&txn, &err), -ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_round_trip),
		cmocka_unit_test(a_changed_byte_breaks_the_chain),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(every_cut_of_a_transaction_is_refused),
		cmocka_unit_test(paths),
		cmocka_unit_test(bounds_of_a_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
