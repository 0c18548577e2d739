/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions of the replica: what comes back of batches, cuts and snapshots, and what is not written for nothing. */
#include "ledger.h"

#include <errno.h>

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

static void batches_come_back(void **state)
{
	(void)state;
	append(1);
	append(5);
	ledger_check(&l);
	append(2);
	ledger_check(&l);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM log"), 4);
}

static void several_transactions_are_one(void **state)
{
	struct persist *items[2];
	struct err err = ERR_INIT;

	(void)state;
	ledger_put(&l, 1, "/a", "1");
	items[0] = ledger_persist(&l, 2, 0);
	l.meta.promised = 4;
	items[1] = ledger_persist(&l, 0, 0);
	assert_int_equal(ledger_write_all(&l, items, 2, &err), 0);
	ledger_check(&l);
}

static int rows_changed(struct persist *p)
{
	int before = sqlite3_total_changes(l.db->sql);

	ledger_must_write(&l, p);
	return sqlite3_total_changes(l.db->sql) - before;
}

/* The row of the log says what was accepted with it. */
static void facts_are_written_when_they_changed(void **state)
{
	(void)state;
	append(1); /* the first of a process writes them */
	ledger_put(&l, 1, "/a", "1");
	assert_int_equal(rows_changed(ledger_persist(&l, 3, 0)), 1);
	ledger_put(&l, 1, "/a", "2");
	l.meta.promised = 2;
	assert_int_equal(rows_changed(ledger_persist(&l, 4, 0)), 2);
	ledger_put(&l, 2, "/a", "3");
	l.meta.seen_count = 1;
	l.meta.seen[0] = (struct seen){.incarnation = {{9}}, .measure.start = 3};
	assert_int_equal(rows_changed(ledger_persist(&l, 5, 0)), 2);
	ledger_put(&l, 2, "/a", "4");
	assert_int_equal(rows_changed(ledger_persist(&l, 6, 0)), 1);
	ledger_check(&l);
}

static int64_t orphans(void)
{
	return ledger_number(&l, "SELECT count(*) FROM orphans");
}

/* The log is 1 (founding), then batches 2-4, 5-6, 7. */
static void cut_from(uint64_t from, int64_t orphans_expected)
{
	struct persist *p;

	append(3);
	append(2);
	append(1);
	log_cut(&l.log, from);
	l.meta.promised++;
	ledger_put(&l, l.meta.promised, "/new", "1");
	p = ledger_persist(&l, from, 0);
	p->cut_from = from;
	ledger_must_write(&l, p);
	assert_int_equal(orphans(), orphans_expected);
	ledger_check(&l);
	append(2);
	ledger_check(&l);
	ledger_must_settle(&l, log_last(&l.log).index, log_last(&l.log).index - 1);
	ledger_check(&l);
}

static void a_cut_inside_a_batch(void **state)
{
	(void)state;
	cut_from(3, 5);
}

static void a_cut_at_a_border(void **state)
{
	(void)state;
	cut_from(5, 3);
}

static void a_cut_of_several_batches(void **state)
{
	(void)state;
	cut_from(2, 6);
}

static void a_cut_of_the_last_entry(void **state)
{
	(void)state;
	cut_from(7, 1);
}

/* A leader takes away what is not its own, and has nothing instead yet. */
static void a_cut_without_entries(void **state)
{
	struct persist *p;

	(void)state;
	append(3);
	log_cut(&l.log, 3);
	l.meta.promised++;
	l.meta.accepted = (struct position){l.meta.promised, 2};
	p = ledger_persist(&l, 0, 0);
	p->cut_from = 3;
	ledger_must_write(&l, p);
	ledger_check(&l);
	append(1);
	ledger_check(&l);
}

static void orphans_are_what_was_cut(void **state)
{
	sqlite3_stmt *s;
	struct entry e;

	(void)state;
	cut_from(7, 1);
	assert_int_equal(
		sqlite3_prepare_v2(l.db->sql, "SELECT epoch, idx, data FROM orphans", -1, &s, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_int_equal(entry_decode(sqlite3_column_blob(s, 2), (size_t)sqlite3_column_bytes(s, 2),
				      &e, NULL),
			 0);
	assert_int_equal(e.at.epoch, sqlite3_column_int64(s, 0));
	assert_int_equal(e.at.index, sqlite3_column_int64(s, 1));
	assert_int_equal(e.at.epoch, 1);
	assert_int_equal(e.at.index, 7);
	sqlite3_finalize(s);
}

static void cut_the_last(uint64_t count)
{
	uint64_t from = log_last(&l.log).index - count + 1;
	struct persist *p;

	log_cut(&l.log, from);
	l.meta.promised++;
	p = ledger_persist(&l, 0, 0);
	p->cut_from = from;
	ledger_must_write(&l, p);
}

static void orphans_are_bounded_by_number(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		append(400);
		cut_the_last(400);
	}
	assert_int_equal(orphans(), DB_ORPHANS_KEPT);
	assert_int_equal(ledger_number(&l, "SELECT max(epoch) FROM orphans"), 3);
}

static void orphans_are_bounded_by_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		uint64_t from = log_last(&l.log).index + 1;

		ledger_put_large(&l, l.meta.promised, "/large", STORE_VALUE_MAX);
		ledger_must_write(&l, ledger_persist(&l, from, 0));
		cut_the_last(1);
	}
	assert_in_range(ledger_number(&l, "SELECT sum(length(data)) FROM orphans"),
			DB_ORPHANS_BYTES / 2, DB_ORPHANS_BYTES);
	assert_int_equal(ledger_number(&l, "SELECT max(epoch) FROM orphans"), 70);
}

static void a_snapshot_replaces_everything(void **state)
{
	(void)state;
	append(4);
	ledger_must_settle(&l, 3, 0);
	l.meta.promised = 5;
	ledger_delete(&l, 5, "/a");
	ledger_put(&l, 5, "/b", "from elsewhere");
	ledger_must_write(&l, ledger_snapshot(&l));
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM log"), 0);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM kv WHERE path = '/a'"), 0);
	ledger_check(&l);
	append(1);
	ledger_must_settle(&l, log_last(&l.log).index, 0);
	ledger_check(&l);
}

static void a_damaged_snapshot_changes_nothing(void **state)
{
	struct persist *p;
	struct err err = ERR_INIT;

	(void)state;
	append(2);
	p = ledger_persist(&l, 0, 0);
	buf_add_str(&p->snapshot, "no snapshot");
	assert_int_equal(ledger_write(&l, p, &err), -ERR_CORRUPT);
	ledger_remove(&l, DB_FAILED_MARKER);
	ledger_check(&l);
}

/* In place of the system call that SQLite writes with. */
static ssize_t over_quota(int fd, const void *data, size_t size, off_t at)
{
	(void)fd;
	(void)data;
	(void)size;
	(void)at;
	errno = EDQUOT;
	return -1;
}

static void set_writes(ssize_t (*call)(int fd, const void *data, size_t size, off_t at))
{
	static const char *const names[] = {"pwrite", "pwrite64"};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)call);
}

/* By SQLite's real files, whose error this is; what follows from it is the matter of test_db_faults.c. */
static void a_quota_is_no_failed_write(void **state)
{
	struct position accepted = l.meta.accepted;
	struct err err = ERR_INIT;
	int r;

	(void)state;
	ledger_put(&l, l.meta.promised, "/a", "1");
	set_writes(over_quota);
	r = ledger_write(&l, ledger_persist(&l, log_last(&l.log).index, 0), &err);
	set_writes(NULL);
	assert_int_equal(r, -ERR_NO_SPACE);
	assert_false(ledger_has(&l, DB_FAILED_MARKER));
	log_cut(&l.log, log_last(&l.log).index);
	l.meta.accepted = accepted;
	append(1);
	ledger_check(&l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(batches_come_back),
		TEST(several_transactions_are_one),
		TEST(facts_are_written_when_they_changed),
		TEST(a_cut_inside_a_batch),
		TEST(a_cut_at_a_border),
		TEST(a_cut_of_several_batches),
		TEST(a_cut_of_the_last_entry),
		TEST(a_cut_without_entries),
		TEST(orphans_are_what_was_cut),
		TEST(orphans_are_bounded_by_number),
		TEST(orphans_are_bounded_by_bytes),
		TEST(a_snapshot_replaces_everything),
		TEST(a_damaged_snapshot_changes_nothing),
		TEST(a_quota_is_no_failed_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
