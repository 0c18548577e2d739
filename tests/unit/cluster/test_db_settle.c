/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values, history and outcomes follow the log, and what is behind them is trimmed. */
#include "ledger.h"

static struct ledger l;

static int setup(void **state)
{
	(void)state;
	ledger_init(&l);
	ledger_must_found(&l);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_fini(&l);
	return 0;
}

static void append(unsigned count)
{
	uint64_t from = log_last(&l.log).index + 1;

	for (unsigned i = 0; i < count; i++)
		ledger_put(&l, l.meta.promised, "/a", i % 2 ? "odd" : "even");
	ledger_must_write(&l, ledger_persist(&l, from, 0));
}

/* A base inside a batch keeps the whole of it. */
static void the_log_is_trimmed_by_batches(void **state)
{
	(void)state;
	append(3); /* 2-4 */
	append(3); /* 5-7 */
	ledger_must_settle(&l, 7, 5);
	assert_int_equal(ledger_number(&l, "SELECT min(first) FROM log"), 5);
	ledger_check(&l);
	ledger_must_settle(&l, 7, 7);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM log"), 0);
	ledger_check(&l);
	append(2);
	ledger_check(&l);
}

static void what_was_accepted_never_goes_down(void **state)
{
	(void)state;
	append(1);
	for (unsigned i = 0; i < 3; i++) {
		l.meta.promised++;
		append(2);
		ledger_check(&l);
		ledger_must_settle(&l, log_last(&l.log).index, log_last(&l.log).index);
		ledger_check(&l);
	}
}

/* A promise that came later must not be undone by what is written when the log goes. */
static void a_promise_outlives_the_log(void **state)
{
	(void)state;
	append(2);
	l.meta.promised = 9;
	ledger_must_write(&l, ledger_persist(&l, 0, 0));
	ledger_must_settle(&l, 3, 3);
	ledger_check(&l);
	append(1);
	ledger_check(&l);
}

/* While a snapshot of index 9 is on its way. */
static void a_base_ahead_of_the_values_trims_nothing_behind_them(void **state)
{
	(void)state;
	append(3); /* 2-4 */
	append(3); /* 5-7 */
	ledger_must_settle(&l, 4, 9);
	assert_int_equal(ledger_number(&l, "SELECT min(first) FROM log"), 5);
	ledger_check(&l);
}

static void outcomes_are_forgotten_as_in_memory(void **state)
{
	(void)state;
	append(8);
	ledger_must_settle(&l, log_last(&l.log).index, 0);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM requests"), LEDGER_REQUESTS + 1);
	for (unsigned i = 0; i < 3; i++) /* move the index, but forget nothing */
		ledger_entry(&l, 1, ENTRY_BARRIER, &(struct buf){0});
	ledger_must_write(&l, ledger_persist(&l, 10, 0));
	ledger_must_settle(&l, log_last(&l.log).index, 0);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM requests"), LEDGER_REQUESTS + 1);
	ledger_check(&l);
}

static void settle_history(uint64_t index, size_t size)
{
	struct settle s = {.applied = index};
	struct settle_row *row = settle_add(&s);
	struct err err = ERR_INIT;

	*row = (struct settle_row){.path = xstrdup("/a"),
				   .value = xstrdup("v"),
				   .size = 1,
				   .version = index,
				   .old = xcalloc(1, size + 1),
				   .old_size = size,
				   .old_version = 1,
				   .index = index};
	record_head_encode(l.state, &s.head);
	assert_int_equal(db_settle(l.db, &s, &err), 0);
	settle_fini(&s);
}

static void history_is_bounded_by_index(void **state)
{
	(void)state;
	settle_history(10, 5);
	settle_history(DB_HISTORY_KEPT, 7);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM history"), 2);
	settle_history(DB_HISTORY_KEPT + 11, 1);
	assert_int_equal(ledger_number(&l, "SELECT min(idx) FROM history"), DB_HISTORY_KEPT);
	assert_int_equal(
		ledger_number(&l, "SELECT value FROM meta WHERE key = '" META_HISTORY_BYTES "'"),
		8);
}

static void history_is_bounded_by_bytes(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 150; i++)
		settle_history(i, STORE_VALUE_MAX);
	assert_int_equal(ledger_number(&l, "SELECT sum(length(old)) FROM history"),
			 DB_HISTORY_BYTES);
	assert_int_equal(ledger_number(&l, "SELECT max(idx) FROM history"), 150);
	assert_int_equal(l.db->history_bytes, DB_HISTORY_BYTES);
}

static void an_empty_value_is_no_missing_one(void **state)
{
	(void)state;
	ledger_put(&l, 1, "/empty", "");
	ledger_put(&l, 1, "/empty", "x");
	ledger_must_write(&l, ledger_persist(&l, 2, 0));
	ledger_must_settle(&l, 2, 0);
	ledger_check(&l);
	ledger_must_settle(&l, 3, 0);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM history WHERE old = x''"), 1);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM history WHERE old IS NULL"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_log_is_trimmed_by_batches),
		TEST(what_was_accepted_never_goes_down),
		TEST(a_promise_outlives_the_log),
		TEST(a_base_ahead_of_the_values_trims_nothing_behind_them),
		TEST(outcomes_are_forgotten_as_in_memory),
		TEST(history_is_bounded_by_index),
		TEST(history_is_bounded_by_bytes),
		TEST(an_empty_value_is_no_missing_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
