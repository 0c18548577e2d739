/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syncs that fail, disks that are full, frames that are torn: nothing is said that is not so, nothing is made worse, and
 * the mark that keeps this machine from trusting the file is there before the error is told. */
#include "memory_disk.h"

#include "ledger.h"

static struct ledger l;
static char reserve[128];

static int setup(void **state)
{
	(void)state;
	disk_clear();
	ledger_init(&l);
	ledger_must_found(&l);
	snprintf(reserve, sizeof(reserve), "%s/lodge.reserve", l.directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	the_disk.fail_sync = 0;
	the_disk.room = 0;
	ledger_fini(&l);
	return 0;
}

static struct persist *one_entry(void)
{
	uint64_t from = log_last(&l.log).index + 1;

	ledger_put(&l, l.meta.promised, "/a", "1");
	return ledger_persist(&l, from, 0);
}

/* Drops an entry that was not written, with what was accepted by it. */
static void forget_last(struct position accepted)
{
	log_cut(&l.log, log_last(&l.log).index);
	l.meta.accepted = accepted;
}

static bool is_marked(void)
{
	return ledger_has(&l, DB_FAILED_MARKER);
}

static void a_failed_sync_is_marked(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	the_disk.fail_sync = the_disk.syncs + 1;
	assert_int_equal(ledger_write(&l, one_entry(), &err), -ERR_IO);
	assert_true(is_marked());
	ledger_close(&l);
	assert_true(ledger_try_open(&l, false, &err) < 0);
	assert_non_null(strstr(err.message, "reboot"));
}

/* What the kernel may have dropped is not moved into the database. */
static void after_a_failed_sync_nothing_is_touched(void **state)
{
	struct err err = ERR_INIT;
	unsigned ops;

	(void)state;
	the_disk.fail_sync = the_disk.syncs + 1;
	ledger_write(&l, one_entry(), &err);
	ops = the_disk.ops;
	ledger_close(&l);
	assert_int_equal(the_disk.ops, ops);
}

static int settle_and_move(struct err *err)
{
	uint64_t last = log_last(&l.log).index;

	l.db->checkpoint_pages = 1;
	return ledger_settle(&l, last, 0, err);
}

/* The first sync is that of the WAL, the second that of the database. */
static void a_failed_sync_of_a_checkpoint_is_noticed(unsigned number)
{
	struct err err = ERR_INIT;

	ledger_must_write(&l, one_entry());
	the_disk.fail_sync = the_disk.syncs + number;
	assert_int_equal(settle_and_move(&err), -ERR_IO);
	assert_true(is_marked());
	the_disk.fail_sync = 0;
	ledger_close(&l);
	disk_restart(DISK_CUT);
	ledger_remove(&l, DB_FAILED_MARKER);
	ledger_check(&l);
}

static void of_the_wal(void **state)
{
	(void)state;
	a_failed_sync_of_a_checkpoint_is_noticed(1);
}

static void of_the_database(void **state)
{
	(void)state;
	a_failed_sync_of_a_checkpoint_is_noticed(2);
}

static void a_failed_sync_at_close_is_noticed(void **state)
{
	(void)state;
	ledger_must_write(&l, one_entry());
	the_disk.fail_sync = the_disk.syncs + 1;
	ledger_close(&l);
	assert_true(is_marked());
}

static void closing_moves_everything(void **state)
{
	(void)state;
	ledger_must_write(&l, one_entry());
	ledger_close(&l);
	assert_false(is_marked());
	for (size_t i = 0; i < DISK_FILES; i++)
		assert_null(strstr(the_disk.images[i].name, "-wal"));
	ledger_check(&l);
}

/* ---- full ---- */

static void fill_disk(void)
{
	the_disk.room = disk_used();
	the_disk.reserve = reserve;
	the_disk.reserved = 256 * 1024;
}

static void entries_find_no_room(void **state)
{
	struct position accepted;
	struct err err = ERR_INIT;

	the_disk.has_quota = *state != NULL;
	accepted = l.meta.accepted;
	fill_disk();
	assert_int_equal(ledger_write(&l, one_entry(), &err), -ERR_NO_SPACE);
	assert_false(is_marked());
	assert_false(disk_got_reserve());
	forget_last(accepted);
	the_disk.room = 0;
	ledger_check(&l);
	ledger_must_write(&l, one_entry());
	ledger_check(&l);
}

static void a_snapshot_finds_no_room(void **state)
{
	struct err err = ERR_INIT;
	struct persist *p;

	(void)state;
	ledger_must_settle(&l, 1, 0);
	ledger_put_large(&l, 1, "/large", 100000);
	p = ledger_snapshot(&l);
	fill_disk();
	assert_int_equal(ledger_write(&l, p, &err), -ERR_NO_SPACE);
	assert_false(disk_got_reserve());
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM log"), 1);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM kv"), 0);
}

static void a_promise_uses_the_reserve(void **state)
{
	the_disk.has_quota = *state != NULL;
	fill_disk();
	l.meta.promised = 5;
	ledger_must_write(&l, ledger_persist(&l, 0, 0));
	assert_true(disk_got_reserve());
	assert_false(is_marked());
	ledger_check(&l);
}

static void a_start_uses_the_reserve(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	fill_disk();
	ledger_close(&l);
	assert_int_equal(ledger_open(&l, &err), 0);
	the_disk.room = disk_used();
	assert_int_equal(ledger_start(&l, &err), 0);
	assert_true(disk_got_reserve());
	ledger_check(&l);
}

static void values_find_no_room(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	ledger_must_settle(&l, 1, 0);
	ledger_must_write(&l, one_entry());
	fill_disk();
	assert_int_equal(ledger_settle(&l, 2, 0, &err), -ERR_NO_SPACE);
	assert_false(is_marked());
	assert_false(disk_got_reserve());
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM kv"), 0);
	the_disk.room = 0;
	ledger_check(&l);
}

/* It goes on in the WAL, which may grow where the database may not. */
static void a_checkpoint_finds_no_room(void **state)
{
	struct err err = ERR_INIT;

	the_disk.has_quota = *state != NULL;
	ledger_must_write(&l, one_entry());
	ledger_put_large(&l, 1, "/large", 50000);
	ledger_must_write(&l, ledger_persist(&l, 3, 0));
	ledger_must_settle(&l, 3, 0);
	the_disk.room = disk_used() + 20000; /* the facts of the next settling; not the database */
	assert_int_equal(settle_and_move(&err), 0);
	assert_false(is_marked());
	the_disk.room = 0;
	ledger_check(&l);
}

/* What was written before may be lost: that is no want of room. */
static void a_quota_that_a_sync_tells_of(void **state)
{
	(void)state;
	the_disk.has_quota = true;
	a_failed_sync_is_marked(state);
}

static void room_is_made_when_there_is_some(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	fill_disk();
	l.meta.promised = 5;
	ledger_must_write(&l, ledger_persist(&l, 0, 0));
	assert_true(disk_got_reserve());
	assert_int_equal(db_make_room(l.db, &err), 0); /* the real disk has room */
	assert_false(disk_got_reserve());
}

/* ---- torn ---- */

static struct buf *wal(void)
{
	for (size_t i = 0; i < DISK_FILES; i++)
		if (strstr(the_disk.images[i].name, "-wal"))
			return &the_disk.images[i].now;
	fail_msg("there is no WAL");
	return NULL;
}

/* As after a power cut: the file of a process that did not close. */
static void reopen_killed(unsigned stop)
{
	the_disk.stop = stop;
	ledger_close(&l);
	disk_restart(DISK_KILLED);
	ledger_remove(&l, DB_FAILED_MARKER);
}

static void a_torn_frame_ends_the_wal(void **state)
{
	struct position accepted;
	size_t before;

	(void)state;
	ledger_must_write(&l, one_entry());
	accepted = l.meta.accepted;
	before = wal()->size;
	ledger_must_write(&l, one_entry());
	assert_true(wal()->size > before);
	reopen_killed(1);
	wal()->size = before + (wal()->size - before) / 2;
	forget_last(accepted);
	ledger_check(&l);
}

static void a_changed_frame_ends_the_wal(void **state)
{
	struct position accepted;
	size_t before;

	(void)state;
	ledger_must_write(&l, one_entry());
	accepted = l.meta.accepted;
	before = wal()->size;
	ledger_must_write(&l, one_entry());
	reopen_killed(1);
	wal()->data[before + 100] ^= 1;
	forget_last(accepted);
	ledger_check(&l);
}

static int use_memory(void **state)
{
	(void)state;
	disk_use();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* The same where not the disk is full, but what this folder may use of it. */
#define TEST_QUOTA(name)                                                                           \
	{                                                                                          \
#name " of a quota", name, setup, teardown, &the_disk                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failed_sync_is_marked),
		TEST(after_a_failed_sync_nothing_is_touched),
		TEST(of_the_wal),
		TEST(of_the_database),
		TEST(a_failed_sync_at_close_is_noticed),
		TEST(closing_moves_everything),
		TEST(entries_find_no_room),
		TEST(a_snapshot_finds_no_room),
		TEST(a_promise_uses_the_reserve),
		TEST(a_start_uses_the_reserve),
		TEST(values_find_no_room),
		TEST(a_checkpoint_finds_no_room),
		TEST_QUOTA(entries_find_no_room),
		TEST_QUOTA(a_promise_uses_the_reserve),
		TEST_QUOTA(a_checkpoint_finds_no_room),
		TEST(a_quota_that_a_sync_tells_of),
		TEST(room_is_made_when_there_is_some),
		TEST(a_torn_frame_ends_the_wal),
		TEST(a_changed_frame_ends_the_wal),
	};

	return cmocka_run_group_tests(tests, use_memory, NULL);
}
