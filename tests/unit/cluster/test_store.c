/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store on a real database: what was acknowledged is there after any restart, and each kind of bad
 * database is refused in its own words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "cluster/store.h"

/* Entries that a new store begins with: its voters, a barrier. Each start adds a barrier. */
#define FOUNDED 2

static char directory[64];

static struct store *open_store(struct err *err)
{
	struct store_options options = {.directory = directory, .node = "n1"};
	struct store *store = NULL;

	store_open(&options, &store, err);
	return store;
}

static struct store *must_open(void)
{
	struct err err = ERR_INIT;
	struct store *store = open_store(&err);

	if (!store)
		fail_msg("%s", err.message);
	return store;
}

struct waiting {
	unsigned left;
	struct store_result last;
};

static void done(const struct store_result *result, void *ctx)
{
	struct waiting *w = ctx;

	w->left--;
	w->last = *result;
}

static void wait_for(struct store *store, struct waiting *w)
{
	while (w->left > 0) {
		struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 20000), 1);
		store_dispatch(store);
	}
}

static struct store_result put(struct store *store, const char *path, const char *value)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	struct waiting w = {.left = 1};
	struct err err = ERR_INIT;

	assert_int_equal(store_submit(store, &txn, done, &w, &err), 0);
	wait_for(store, &w);
	return w.last;
}

static void sql(const char *text)
{
	autofree char *path = xasprintf("%s/lodge.db", directory);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/lodge-store-XXXXXX");
	assert_non_null(mkdtemp(directory));
	setenv("LODGE_RUN_DIR", directory, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(directory, NULL);
}

static void values_survive_a_restart(void **state)
{
	struct store *store = must_open();
	struct store_value v;

	(void)state;
	assert_int_equal(put(store, "/a", "one").outcome, STORE_DONE);
	assert_int_equal(put(store, "/b/c", "two").outcome, STORE_DONE);
	store_close(store);
	store = must_open();
	assert_true(store_get(store, "/b/c", &v));
	assert_string_equal(v.data, "two");
	assert_int_equal(v.version, FOUNDED + 2);
	assert_int_equal(put(store, "/a", "three").version, FOUNDED + 4);
	store_close(store);
}

static void identity_stays_and_the_start_number_rises(void **state)
{
	struct store *store = must_open();
	struct store_identity first = *store_identity(store);

	(void)state;
	store_close(store);
	store = must_open();
	assert_string_equal(store_identity(store)->cluster_id, first.cluster_id);
	assert_string_equal(store_identity(store)->incarnation, first.incarnation);
	assert_int_equal(store_identity(store)->start, first.start + 1);
	store_close(store);
}

/* A child writes and reports each acknowledgement through a pipe until it is killed. */
static void write_until_killed(int report)
{
	struct store *store = must_open();

	for (unsigned i = 1;; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		if (put(store, "/counter", text).outcome != STORE_DONE ||
		    write(report, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void nothing_acknowledged_is_lost_by_sigkill(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= 5; round++) {
		unsigned acknowledged = 0, n;
		struct store_value v;
		struct store *store;
		int fds[2];
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			write_until_killed(fds[1]);
		close(fds[1]);
		while (acknowledged < 20 * round && read(fds[0], &n, sizeof(n)) == sizeof(n))
			acknowledged = n;
		kill(pid, SIGKILL);
		while (read(fds[0], &n, sizeof(n)) == sizeof(n))
			acknowledged = n;
		waitpid(pid, NULL, 0);
		close(fds[0]);
		assert_true(acknowledged >= 20 * round);
		store = must_open();
		assert_true(store_get(store, "/counter", &v));
		assert_true((unsigned)atoi(v.data) >= acknowledged);
		store_close(store);
	}
}

static void many_writers_share_syncs(void **state)
{
	struct store *store = must_open();
	struct waiting w = {.left = 3000};
	struct err err = ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		char path[32];
		struct store_op op = {.kind = STORE_PUT, .path = path, .value = "v", .size = 1};
		struct store_txn txn = {.ops = &op, .op_count = 1};

		snprintf(path, sizeof(path), "/n/%u", i);
		assert_int_equal(store_submit(store, &txn, done, &w, &err), 0);
	}
	wait_for(store, &w);
	store_close(store);
	store = must_open();
	assert_int_equal(store_applied(store), FOUNDED + 3000 + 1);
	store_close(store);
}

struct chain {
	struct store *store;
	unsigned left;
};

/* Submits the next one from inside the callback, as code that retries does. */
static void chained(const struct store_result *result, void *ctx)
{
	struct chain *c = ctx;
	struct store_op op = {.kind = STORE_PUT, .path = "/chain", .value = "v", .size = 1};
	struct store_txn txn = {.ops = &op, .op_count = 1};

	assert_int_equal(result->outcome, STORE_DONE);
	if (--c->left > 0)
		assert_int_equal(store_submit(c->store, &txn, chained, c, NULL), 0);
}

static void callbacks_may_submit(void **state)
{
	struct store *store = must_open();
	struct store_op op = {.kind = STORE_PUT, .path = "/chain", .value = "v", .size = 1};
	struct store_txn txn = {.ops = &op, .op_count = 1};
	struct chain chains[8];
	unsigned left = 8;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		chains[i] = (struct chain){.store = store, .left = 20};
		assert_int_equal(store_submit(store, &txn, chained, &chains[i], NULL), 0);
	}
	while (left > 0) {
		struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 20000), 1);
		store_dispatch(store);
		left = 0;
		for (unsigned i = 0; i < 8; i++)
			left += chains[i].left;
	}
	assert_int_equal(store_applied(store), FOUNDED + 160);
	store_close(store);
}

static int64_t one_number(const char *query)
{
	autofree char *path = xasprintf("%s/lodge.db", directory);
	sqlite3_stmt *statement;
	int64_t value;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

/* A large value that is written often fills neither log nor history without bound. */
static void sizes_are_bounded(void **state)
{
	struct store *store = must_open();
	autofree char *large = xmalloc(STORE_VALUE_MAX);
	struct store_value v;

	(void)state;
	memset(large, 'x', STORE_VALUE_MAX - 1);
	large[STORE_VALUE_MAX - 1] = '\0';
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(put(store, "/large", large).outcome, STORE_DONE);
	store_close(store);
	assert_in_range(one_number("SELECT sum(length(data)) FROM log"), 1,
			(64 + 64 + 1) * 1024 * 1024);
	assert_in_range(one_number("SELECT sum(length(old)) FROM history"), 1,
			(128 + 64 + 1) * 1024 * 1024);
	store = must_open();
	assert_true(store_get(store, "/large", &v));
	assert_int_equal(v.version, FOUNDED + 200);
	store_close(store);
}

static void on_change(const struct store_change *change, void *ctx)
{
	struct buf *log = ctx;

	buf_addf(log, "%s %s %s;", change->kind == STORE_CHANGE_PUT ? "put" : "delete",
		 change->value.path, change->who);
}

static void subscribers_see_their_prefix(void **state)
{
	struct store *store = must_open();
	autobuf log = BUF_INIT;
	struct store_subscription *s = store_subscribe(store, "/a/", on_change, &log);

	(void)state;
	put(store, "/a/x", "1");
	put(store, "/b", "1");
	put(store, "/a/x", "2");
	assert_string_equal(buf_str(&log), "put /a/x root@pam;put /a/x root@pam;");
	store_unsubscribe(s);
	put(store, "/a/x", "3");
	assert_string_equal(buf_str(&log), "put /a/x root@pam;put /a/x root@pam;");
	store_close(store);
}

struct ending {
	struct store_subscription *other;
	unsigned told;
};

static void ends_the_other(const struct store_change *change, void *ctx)
{
	struct ending *e = ctx;

	(void)change;
	e->told++;
	store_unsubscribe(TAKE(e->other));
}

/* Whichever is told first ends the other one: that is not told, and nothing is freed under the walk. */
static void a_callback_may_end_another(void **state)
{
	struct store *store = must_open();
	struct ending first = {0}, second = {0};
	struct store_subscription *a = store_subscribe(store, "/", ends_the_other, &first);

	(void)state;
	first.other = store_subscribe(store, "/", ends_the_other, &second);
	second.other = a;
	put(store, "/x", "1");
	assert_int_equal(first.told + second.told, 1);
	put(store, "/x", "2");
	assert_int_equal(first.told, 2);
	store_close(store);
}

static void refused_with_its_reason(const char *text)
{
	struct err err = ERR_INIT;
	struct store *store = open_store(&err);

	assert_null(store);
	if (!strstr(err.message, text))
		fail_msg("'%s' does not say '%s'", err.message, text);
}

static void a_second_process_is_kept_out(void **state)
{
	struct store *store = must_open();

	(void)state;
	refused_with_its_reason("in use by another process");
	store_close(store);
}

static void a_foreign_database_is_left_alone(void **state)
{
	(void)state;
	sql("CREATE TABLE other (x)");
	refused_with_its_reason("not made by Lodge");
}

static void a_newer_schema_is_left_alone(void **state)
{
	(void)state;
	store_close(must_open());
	sql("PRAGMA user_version=99");
	refused_with_its_reason("newer Lodge");
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	static const char text[] = "this is no database at all, only some text that is longer "
				   "than the header of a database, which has 100 bytes";
	autofree char *path = xasprintf("%s/lodge.db", directory);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, &err), 0);
	refused_with_its_reason("damaged");
}

static void a_changed_log_is_noticed(void **state)
{
	struct store *store = must_open();

	(void)state;
	put(store, "/a", "1");
	put(store, "/a", "2");
	store_close(store);
	sql("UPDATE log SET data = CAST(substr(data, 1, length(data) - 40) || x'7f'"
	    " || substr(data, length(data) - 38) AS BLOB) WHERE first = 3");
	refused_with_its_reason("does not follow");
}

static void a_failed_sync_is_remembered(void **state)
{
	autofree char *path = xasprintf("%s/store-failed", directory);
	struct err err = ERR_INIT;

	(void)state;
	file_write_atomic(path, "x", 1, 0600, &err);
	refused_with_its_reason("reboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_survive_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(identity_stays_and_the_start_number_rises, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_acknowledged_is_lost_by_sigkill, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_writers_share_syncs, setup, teardown),
		cmocka_unit_test_setup_teardown(callbacks_may_submit, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(subscribers_see_their_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(a_callback_may_end_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_process_is_kept_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_foreign_database_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_newer_schema_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_no_database_is_left_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_changed_log_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_sync_is_remembered, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
