/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions of jobs: decoding, refusals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/core/remote.h"
#include "agent/core/remote_txn.h"

#define ID "00112233445566778899aabbccddeeff"

static void decodes_in_order(void **state)
{
	struct call call = CALL_INIT;
	struct remote_txn t;

	(void)state;
	fields_add(&call.head, "id", ID);
	fields_add(&call.head, "who", "root@pam");
	fields_add(&call.head, "first", "41");
	fields_add(&call.params, REMOTE_REQUIRE, "17 /nodes/a/lxc/101.conf");
	fields_add_n(&call.params, REMOTE_PUT, "/x\nline\n\0z", 10);
	fields_add(&call.params, REMOTE_DELETE, "/y");
	fields_add(&call.params, REMOTE_RENAME, "/from\n/to");
	fields_add(&call.params, REMOTE_PUT, "/empty\n");
	assert_int_equal(remote_txn_decode(&call, &t, NULL), 0);
	assert_int_equal(t.txn.id.bytes[15], 0xff);
	assert_string_equal(t.txn.who, "root@pam");
	assert_int_equal(t.txn.first, 41);
	assert_int_equal(t.txn.precondition_count, 1);
	assert_int_equal(t.preconditions[0].version, 17);
	assert_string_equal(t.preconditions[0].path, "/nodes/a/lxc/101.conf");
	assert_int_equal(t.txn.op_count, 4);
	assert_string_equal(t.ops[0].path, "/x");
	assert_int_equal(t.ops[0].size, 7);
	assert_memory_equal(t.ops[0].value, "line\n\0z", 7);
	assert_int_equal(t.ops[1].kind, STORE_DELETE);
	assert_string_equal(t.ops[2].to, "/to");
	assert_int_equal(t.ops[3].size, 0);
	remote_txn_fini(&t);
	call_fini(&call);
}

static void refuses(void **state)
{
	static const struct {
		const char *id, *who, *name, *value;
		size_t size;
		int code;
	} cases[] = {
		{ID, "u", REMOTE_REQUIRE, "17", 2, ERR_INVALID},
		{ID, "u", REMOTE_REQUIRE, "x /a", 4, ERR_INVALID},
		{ID, "u", REMOTE_REQUIRE, "1 /a\0b", 6, ERR_INVALID},
		{ID, "u", REMOTE_PUT, "/a", 2, ERR_INVALID},
		{ID, "u", REMOTE_RENAME, "/a", 2, ERR_INVALID},
		{ID, "u", REMOTE_DELETE, "/a\0b", 4, ERR_INVALID},
		{ID, "u", "other", "/a", 2, ERR_INVALID},
		{ID, "", REMOTE_DELETE, "/a", 2, ERR_INVALID},
		{ID, NULL, REMOTE_DELETE, "/a", 2, ERR_INVALID},
		{"0011", "u", REMOTE_DELETE, "/a", 2, ERR_INVALID},
		{NULL, "u", REMOTE_DELETE, "/a", 2, ERR_INVALID},
		{ID, "u", NULL, NULL, 0, ERR_LIMIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct call call = CALL_INIT;
		struct remote_txn t;

		fields_add(&call.head, "id", cases[i].id);
		fields_add(&call.head, "who", cases[i].who);
		if (cases[i].name)
			fields_add_n(&call.params, cases[i].name, cases[i].value, cases[i].size);
		assert_int_equal(remote_txn_decode(&call, &t, NULL), -cases[i].code);
		call_fini(&call);
	}
}

static void bounded(void **state)
{
	struct call call = CALL_INIT;
	struct remote_txn t;

	(void)state;
	fields_add(&call.head, "id", ID);
	fields_add(&call.head, "who", "u");
	for (size_t i = 0; i <= STORE_OPS_MAX; i++)
		fields_add(&call.params, REMOTE_DELETE, "/a");
	assert_int_equal(remote_txn_decode(&call, &t, NULL), -ERR_LIMIT);
	call_fini(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_in_order),
		cmocka_unit_test(refuses),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
