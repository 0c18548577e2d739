/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A database that was damaged is told from a good one, in each of its tables. */
#include "ledger.h"

static struct ledger l;

static int setup(void **state)
{
	(void)state;
	ledger_init(&l);
	ledger_must_found(&l);
	for (unsigned batch = 0; batch < 3; batch++) {
		uint64_t from = log_last(&l.log).index + 1;

		ledger_put(&l, 1, "/a", "1");
		ledger_put(&l, 1, "/b", "2");
		ledger_must_write(&l, ledger_persist(&l, from, 0));
	}
	ledger_must_settle(&l, 4, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_fini(&l);
	return 0;
}

/* A head with a value in it: what the state is encoded to as a whole. */
static void a_head_holds_no_values(void **state)
{
	struct settle s = {.applied = l.state->at.index};
	struct replica_disk disk;
	struct err err = ERR_INIT;

	(void)state;
	state_encode(l.state, &s.head);
	assert_int_equal(db_settle(l.db, &s, &err), 0);
	settle_fini(&s);
	assert_int_equal(db_load(l.db, true, &disk, &err), -ERR_CORRUPT);
}

static const struct {
	const char *sql, *expected;
} damages[] = {
	{"DELETE FROM log WHERE first = 4", "does not follow"},
	{"DELETE FROM log", "its log goes from"},
	{"UPDATE log SET last = last + 1 WHERE first = 6", "not what its row says"},
	{"UPDATE log SET first = 7 WHERE first = 6", "not what its row says"},
	{"UPDATE log SET epoch = 2 WHERE first = 6", "not what its row says"},
	{"UPDATE log SET hash = zeroblob(32) WHERE first = 4", "not what its row says"},
	{"UPDATE log SET hash = x'00' WHERE first = 4", "not what its row says"},
	{"UPDATE log SET data = x'' WHERE first = 6", "not what its row says"},
	{"UPDATE log SET data = substr(data, 1, length(data) - 1) WHERE first = 6", "cut short"},
	{"UPDATE log SET data = zeroblob(length(data)) WHERE first = 6", "damaged"},
	{"UPDATE meta SET value = zeroblob(48) WHERE key = 'base'", "does not follow"},
	{"UPDATE meta SET value = x'00' WHERE key = 'base'", "damaged"},
	{"DELETE FROM meta WHERE key = 'base'", "does not follow"},
	{"UPDATE meta SET value = x'00' WHERE key = 'head'", "damaged"},
	{"UPDATE meta SET value = x'00' WHERE key = 'replica'", "identity is damaged"},
	{"DELETE FROM meta WHERE key = 'replica'", "identity is damaged"},
	{"UPDATE kv SET path = 'relative' WHERE path = '/a'", "impossible path"},
	{"UPDATE kv SET value = zeroblob(1048577)", "impossible path or value"},
	{"UPDATE requests SET id = x'00' WHERE idx = 2", "impossible request"},
	{"UPDATE requests SET id = (SELECT max(id) FROM requests)", "one request twice"},
	{"UPDATE requests SET idx = 0 WHERE idx = 2", "impossible request"},
	{"UPDATE requests SET outcome = 9", "impossible request"},
	{"UPDATE requests SET payload_hash = x''", "impossible request"},
};

static void every_damage_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct err err = ERR_INIT;
		struct replica_disk disk;

		assert_int_equal(db_exec(l.db, "BEGIN", "damage", &err), 0);
		if (db_exec(l.db, damages[i].sql, "damage", &err) < 0)
			fail_msg("%s: %s", damages[i].sql, err.message);
		assert_true(sqlite3_changes(l.db->sql) > 0);
		if (db_load(l.db, true, &disk, &err) == 0)
			fail_msg("%s: not seen", damages[i].sql);
		assert_int_equal(err.code, ERR_CORRUPT);
		if (!strstr(err.message, damages[i].expected))
			fail_msg("%s: '%s'", damages[i].sql, err.message);
		assert_int_equal(db_exec(l.db, "ROLLBACK", "damage", &err), 0);
	}
	ledger_check(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_head_holds_no_values, setup, teardown),
		cmocka_unit_test_setup_teardown(every_damage_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
