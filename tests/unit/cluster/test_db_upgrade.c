/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of a preview (schema 1) is taken over whole, or left alone. Its file is made here, by SQL. */
#include "ledger.h"

#include "cluster/store.h"

static const char schema_1[] =
	"PRAGMA journal_mode=WAL; PRAGMA application_id=1279543109; PRAGMA user_version=1;"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE log (idx INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, data BLOB NOT NULL)"
	" STRICT;"
	"CREATE TABLE kv (path TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE history (idx INTEGER NOT NULL, path TEXT NOT NULL, at INTEGER NOT NULL,"
	" who TEXT NOT NULL, old_version INTEGER NOT NULL, old BLOB, PRIMARY KEY (idx, path))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE requests (id BLOB PRIMARY KEY, idx INTEGER NOT NULL, payload_hash BLOB NOT "
	"NULL,"
	" outcome INTEGER NOT NULL, failed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX requests_by_idx ON requests (idx);"
	"CREATE INDEX history_by_path ON history (path, idx);"
	"INSERT INTO meta VALUES ('cluster_id', '000102030405060708090a0b0c0d0e0f'),"
	" ('incarnation', 'f00102030405060708090a0b0c0d0e0f'), ('start', 4), ('promised', 5),"
	" ('applied', 3);"
	/* as it stands after entry 3 */
	"INSERT INTO kv VALUES ('/a', 3, CAST('two' AS BLOB)), ('/empty', 2, x'');"
	"INSERT INTO history VALUES (1, '/a', 1000, 'root@pam', 0, NULL),"
	" (2, '/empty', 1000, 'root@pam', 0, NULL),"
	" (3, '/a', 1000, 'root@pam', 1, CAST('one' AS BLOB));";

static struct ledger l;
static sqlite3 *sql;

static void exec(const char *text)
{
	assert_int_equal(sqlite3_exec(sql, text, NULL, NULL, NULL), SQLITE_OK);
}

static void add_log(uint64_t from, uint64_t to)
{
	sqlite3_stmt *s;

	assert_int_equal(
		sqlite3_prepare_v2(sql, "INSERT INTO log VALUES (?1, ?2, ?3)", -1, &s, NULL),
		SQLITE_OK);
	for (uint64_t i = from; i <= to; i++) {
		const struct log_entry *e = log_at(&l.log, i);

		sqlite3_bind_int64(s, 1, (int64_t)i);
		sqlite3_bind_int64(s, 2, (int64_t)e->at.epoch);
		sqlite3_bind_blob64(s, 3, e->data, e->size, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
}

static void add_requests(void)
{
	struct state *state = ledger_replay(&l, 3);
	const struct kv_request *request = NULL;
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(sql, "INSERT INTO requests VALUES (?1, ?2, ?3, 1, 0)",
					    -1, &s, NULL),
			 SQLITE_OK);
	while ((request = kv_request_next(state->kv, request ? request->index : 0))) {
		sqlite3_bind_blob(s, 1, request->id.bytes, 16, SQLITE_TRANSIENT);
		sqlite3_bind_int64(s, 2, (int64_t)request->index);
		sqlite3_bind_blob(s, 3, request->payload_hash, SHA256_SIZE, SQLITE_TRANSIENT);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
	state_free(state);
}

static int setup(void **state)
{
	autofree char *path = NULL;

	(void)state;
	ledger_init(&l);
	ledger_put(&l, 4, "/a", "one");
	ledger_put(&l, 4, "/empty", "");
	ledger_put(&l, 5, "/a", "two");
	ledger_put(&l, 5, "/a", "three"); /* in the log only */
	ledger_delete(&l, 5, "/empty");
	path = xasprintf("%s/lodge.db", l.directory);
	assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
	exec(schema_1);
	add_log(1, 5);
	add_requests();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (sql)
		sqlite3_close(TAKE(sql));
	ledger_fini(&l);
	return 0;
}

/* What is in a database of schema 1: of the log all entries, so that it can be compared. */
static void it_is_taken_over_whole(void **state)
{
	struct replica_disk found;

	(void)state;
	sqlite3_close(TAKE(sql));
	ledger_must_open(&l);
	found = ledger_load(&l);
	assert_int_equal(found.meta.cluster.bytes[15], 0x0f);
	assert_int_equal(found.meta.incarnation.bytes[0], 0xf0);
	assert_int_equal(found.meta.start, 4);
	assert_int_equal(found.meta.promised, 5);
	assert_int_equal(found.state->voters.count, 1);
	assert_true(uuid_equal(&found.state->voters.items[0].incarnation, &found.meta.incarnation));
	assert_int_equal(found.base.index, 3);
	assert_int_equal(found.entry_count, 2);
	assert_int_equal(found.meta.accepted.index, 5);
	assert_string_equal(kv_get(found.state->kv, "/a")->data, "two");
	assert_int_equal(kv_get(found.state->kv, "/empty")->size, 0);
	assert_int_equal(kv_request_next(found.state->kv, 0)->index, 1);
	db_disk_fini(&found);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM history"), 3);
	assert_int_equal(ledger_number(&l, "PRAGMA user_version"), DB_SCHEMA);
	assert_int_equal(ledger_number(&l, "SELECT count(*) FROM sqlite_schema WHERE name LIKE "
					   "'%log_1%'"),
			 0);
}

static struct store *open_store(struct err *err)
{
	struct store_options options = {.directory = l.directory, .node = "n1", .run = l.directory};
	struct store *store = NULL;

	store_open(&options, &store, err);
	return store;
}

/* With what was only in its log. */
static void the_node_runs_on_it(void **state)
{
	struct err err = ERR_INIT;
	struct store_value v;
	struct store *store;

	(void)state;
	sqlite3_close(TAKE(sql));
	for (int i = 0; i < 2; i++) {
		if (!(store = open_store(&err)))
			fail_msg("%s", err.message);
		assert_string_equal(store_identity(store)->cluster_id,
				    "000102030405060708090a0b0c0d0e0f");
		assert_int_equal(store_identity(store)->start, 5 + i);
		assert_true(store_get(store, "/a", &v));
		assert_string_equal(v.data, "three");
		assert_int_equal(v.version, 4);
		assert_false(store_get(store, "/empty", &v));
		assert_null(store_read_only_reason(store));
		store_close(store);
	}
}

static void an_empty_one(void **state)
{
	struct err err = ERR_INIT;
	struct store *store;

	(void)state;
	exec("DELETE FROM log; DELETE FROM kv; DELETE FROM history; DELETE FROM requests;"
	     "DELETE FROM meta WHERE key = 'applied'");
	sqlite3_close(TAKE(sql));
	if (!(store = open_store(&err)))
		fail_msg("%s", err.message);
	assert_null(store_read_only_reason(store));
	store_close(store);
}

static const struct {
	const char *sql, *expected;
} damages[] = {
	{"DELETE FROM meta WHERE key = 'incarnation'", "its incarnation"},
	{"UPDATE meta SET value = 'zz' WHERE key = 'cluster_id'", "its cluster_id"},
	{"DELETE FROM log WHERE idx <= 3", "does not reach back"},
	{"DELETE FROM log WHERE idx = 4", "does not follow"},
	{"UPDATE log SET data = x'00' WHERE idx = 5", "log entry"},
	{"UPDATE log SET data = CAST(substr(data, 1, 44) || x'41' || substr(data, 46) AS BLOB)"
	 " WHERE idx = 4",
	 "does not follow"},
	{"UPDATE kv SET path = 'x' WHERE path = '/a'", "impossible path"},
	{"UPDATE requests SET outcome = 7", "impossible request"},
	{"DROP TABLE requests", "no such table"},
};

static void a_damaged_one_is_left_alone(void **state)
{
	autofree char *path = xasprintf("%s/lodge.db", l.directory);
	autobuf whole = BUF_INIT;

	(void)state;
	sqlite3_close(TAKE(sql));
	assert_int_equal(file_read(path, 1 << 24, &whole, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		autobuf before = BUF_INIT, after = BUF_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(file_write_atomic(path, whole.data, whole.size, 0600, NULL), 0);
		assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
		exec(damages[i].sql);
		sqlite3_close(TAKE(sql));
		file_read(path, 1 << 24, &before, NULL);
		if (ledger_try_open(&l, false, &err) == 0)
			fail_msg("%s: was taken over", damages[i].sql);
		if (!strstr(err.message, damages[i].expected))
			fail_msg("%s: '%s'", damages[i].sql, err.message);
		file_read(path, 1 << 24, &after, NULL);
		assert_int_equal(before.size, after.size);
		assert_memory_equal(before.data, after.data, before.size);
		assert_false(ledger_has(&l, "lodge.db-wal"));
	}
}

static void a_reader_does_not_take_it_over(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	sqlite3_close(TAKE(sql));
	assert_int_equal(ledger_try_open(&l, true, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "preview"));
	assert_false(ledger_has(&l, "lodge.db-wal"));
}

static void not_after_a_failed_write(void **state)
{
	autofree char *marker = xasprintf("%s/" DB_FAILED_MARKER, l.directory);
	struct err err = ERR_INIT;

	(void)state;
	sqlite3_close(TAKE(sql));
	assert_int_equal(file_write_atomic(marker, "x", 1, 0600, NULL), 0);
	assert_int_equal(ledger_try_open(&l, false, &err), -ERR_IO);
	ledger_remove(&l, DB_FAILED_MARKER);
	it_is_taken_over_whole(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_taken_over_whole),
		TEST(the_node_runs_on_it),
		TEST(an_empty_one),
		TEST(a_damaged_one_is_left_alone),
		TEST(a_reader_does_not_take_it_over),
		TEST(not_after_a_failed_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
