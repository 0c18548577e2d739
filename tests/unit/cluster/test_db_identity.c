/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Databases that must not be used here: each is refused in its own words, and not a byte of it changes. Real files. */
#include "ledger.h"

#include <dirent.h>
#include <sys/stat.h>

static struct ledger l;

static int setup(void **state)
{
	(void)state;
	ledger_init(&l);
	ledger_must_found(&l);
	ledger_put(&l, 1, "/a", "1");
	ledger_must_write(&l, ledger_persist(&l, 2, 0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_fini(&l);
	return 0;
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", l.directory, name);
}

static void read_file(const char *name, struct buf *ret)
{
	autofree char *path = path_of(name);

	buf_clear(ret);
	assert_int_equal(file_read(path, 64 << 20, ret, NULL), 0);
}

static void copy_file(const char *from, const char *to)
{
	autofree char *path = path_of(to);
	autobuf data = BUF_INIT;

	read_file(from, &data);
	assert_int_equal(file_write_atomic(path, data.data, data.size, 0600, NULL), 0);
}

/* Without closing it, as a copy of a running machine's disk is made. */
static void leave_with_wal(void)
{
	copy_file("lodge.db", "saved");
	copy_file("lodge.db-wal", "saved-wal");
	ledger_close(&l);
	copy_file("saved", "lodge.db");
	copy_file("saved-wal", "lodge.db-wal");
	ledger_remove(&l, "saved");
	ledger_remove(&l, "saved-wal");
}

static unsigned count_files(void)
{
	DIR *dir = opendir(l.directory);
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Names, and the bytes of database and WAL, before and after. */
static void refused(bool is_reader, const char *expected)
{
	struct buf db[2] = {BUF_INIT, BUF_INIT}, wal[2] = {BUF_INIT, BUF_INIT};
	bool has_wal = ledger_has(&l, "lodge.db-wal");
	unsigned files = count_files();
	struct err err = ERR_INIT;

	read_file("lodge.db", &db[0]);
	if (has_wal)
		read_file("lodge.db-wal", &wal[0]);
	assert_true(ledger_try_open(&l, is_reader, &err) < 0);
	if (!strstr(err.message, expected))
		fail_msg("'%s' does not say '%s'", err.message, expected);
	assert_int_equal(count_files(), files);
	read_file("lodge.db", &db[1]);
	assert_int_equal(db[0].size, db[1].size);
	assert_memory_equal(db[0].data, db[1].data, db[0].size);
	if (has_wal) {
		read_file("lodge.db-wal", &wal[1]);
		assert_int_equal(wal[0].size, wal[1].size);
		assert_memory_equal(wal[0].data, wal[1].data, wal[0].size);
	}
	for (int i = 0; i < 2; i++) {
		buf_fini(&db[i]);
		buf_fini(&wal[i]);
	}
}

static void that_of_another_machine(void **state)
{
	(void)state;
	leave_with_wal();
	l.machine = "m2";
	refused(false, "belongs to another machine");
	l.machine = "m1";
	ledger_check(&l);
}

static void a_machine_without_identity_binds_nothing(void **state)
{
	(void)state;
	l.machine = NULL;
	ledger_check(&l);
}

static void one_put_back_to_an_earlier_state(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	ledger_close(&l);
	copy_file("lodge.db", "earlier");
	ledger_must_open(&l);
	assert_int_equal(ledger_start(&l, &err), 0);
	assert_int_equal(db_remember_start(l.db, &l.meta, &err), 0);
	ledger_check(&l);
	leave_with_wal();
	ledger_check(&l);
	ledger_close(&l);
	copy_file("earlier", "lodge.db");
	refused(false, "gone back in time");
	ledger_remove(&l, DB_SEEN_RECORD); /* a reboot forgets */
	assert_int_equal(ledger_try_open(&l, false, &err), 0);
}

/* A new store where another one ran. */
static void a_new_store_is_not_an_old_one(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	l.meta.start = 50;
	assert_int_equal(db_remember_start(l.db, &l.meta, &err), 0);
	ledger_forget(&l);
	ledger_remove(&l, "lodge.db");
	ledger_must_open(&l);
}

static void one_after_a_failed_write(void **state)
{
	autofree char *marker = path_of(DB_FAILED_MARKER);

	(void)state;
	leave_with_wal();
	assert_int_equal(file_write_atomic(marker, "x", 1, 0600, NULL), 0);
	refused(false, "reboot this machine");
}

static void sql(const char *text)
{
	autofree char *path = path_of("lodge.db");
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_newer_one(void **state)
{
	(void)state;
	ledger_close(&l);
	sql("PRAGMA user_version=99");
	refused(false, "newer Lodge (schema 99, this one knows 2)");
	refused(true, "newer Lodge");
}

static void a_foreign_one(void **state)
{
	(void)state;
	ledger_close(&l);
	ledger_remove(&l, "lodge.db");
	sql("CREATE TABLE other (x)");
	refused(false, "not made by Lodge");
	refused(true, "not made by Lodge");
}

static void one_that_is_no_database(void **state)
{
	autofree char *path = path_of("lodge.db");
	char text[2000];

	(void)state;
	ledger_close(&l);
	memset(text, 'x', sizeof(text));
	assert_int_equal(file_write_atomic(path, text, sizeof(text), 0600, NULL), 0);
	refused(false, "damaged");
	refused(true, "damaged");
}

static void one_that_is_in_use(void **state)
{
	struct db *other = TAKE(l.db);

	(void)state;
	refused(false, "in use by another process");
	refused(true, "in use by another process");
	db_close(other);
}

/* What runs when SQLite opened the file, and has not looked at it yet: another process is faster. */
static struct db *faster;

static int another_opens(void)
{
	struct db_options options = {.directory = l.directory, .run = l.directory};
	struct err err = ERR_INIT;

	sqlite3_reset_auto_extension();
	assert_int_equal(db_open(&options, &faster, &err), 0);
	return SQLITE_OK;
}

static void the_wal_of_who_was_faster_stays(bool is_reader)
{
	struct err err = ERR_INIT;

	ledger_close(&l);
	assert_false(ledger_has(&l, "lodge.db-wal"));
	sqlite3_auto_extension((void (*)(void))another_opens);
	assert_int_equal(ledger_try_open(&l, is_reader, &err), -ERR_BUSY);
	assert_true(ledger_has(&l, "lodge.db-wal"));
	l.db = TAKE(faster);
	ledger_put(&l, 1, "/b", "2");
	ledger_must_write(&l, ledger_persist(&l, log_last(&l.log).index, 0));
	leave_with_wal();
	ledger_check(&l);
}

static void one_that_was_opened_just_before(void **state)
{
	(void)state;
	the_wal_of_who_was_faster_stays(false);
	the_wal_of_who_was_faster_stays(true);
}

/* A reader sees all, of any machine, and leaves everything as it was: also that there was no WAL. */
static void look(void)
{
	autobuf before = BUF_INIT, after = BUF_INIT;
	unsigned files = count_files();
	struct replica_disk found;
	struct err err = ERR_INIT;

	read_file("lodge.db", &before);
	l.machine = "m9";
	assert_int_equal(ledger_try_open(&l, true, &err), 0);
	found = ledger_load(&l);
	ledger_compare(&l, &found);
	db_disk_fini(&found);
	ledger_close(&l);
	assert_int_equal(count_files(), files);
	read_file("lodge.db", &after);
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.data, after.data, after.size);
}

static void a_reader_changes_nothing(void **state)
{
	(void)state;
	leave_with_wal();
	look();
	l.machine = "m1";
	ledger_check(&l);
	ledger_close(&l);
	look();
}

static void a_reader_makes_no_store(void **state)
{
	struct err err = ERR_INIT;
	unsigned files;

	(void)state;
	ledger_close(&l);
	ledger_remove(&l, "lodge.db");
	files = count_files();
	assert_int_equal(ledger_try_open(&l, true, &err), -ERR_NOT_FOUND);
	assert_int_equal(count_files(), files);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(that_of_another_machine),
		TEST(a_machine_without_identity_binds_nothing),
		TEST(one_put_back_to_an_earlier_state),
		TEST(a_new_store_is_not_an_old_one),
		TEST(one_after_a_failed_write),
		TEST(a_newer_one),
		TEST(a_foreign_one),
		TEST(one_that_is_no_database),
		TEST(one_that_is_in_use),
		TEST(one_that_was_opened_just_before),
		TEST(a_reader_changes_nothing),
		TEST(a_reader_makes_no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
