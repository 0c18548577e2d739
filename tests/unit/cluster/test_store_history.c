/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history on a real database: settled or not, before and after a restart, the same answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <poll.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "cluster/store.h"

static char directory[64];
static struct store *store;

static void reopen(void)
{
	struct store_options options = {.directory = directory, .node = "n1"};
	struct err err = ERR_INIT;

	store_close(store);
	store = NULL;
	if (store_open(&options, &store, &err) < 0)
		fail_msg("%s", err.message);
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/lodge-store-XXXXXX");
	assert_non_null(mkdtemp(directory));
	setenv("LODGE_RUN_DIR", directory, 1);
	store = NULL;
	reopen();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return dir_remove_tree(directory, NULL);
}

static void turn(void)
{
	struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

	assert_int_equal(poll(&p, 1, 20000), 1);
	store_dispatch(store);
}

static void stored(const struct store_result *result, void *ctx)
{
	assert_int_equal(result->outcome, STORE_DONE);
	*(bool *)ctx = true;
}

static void change(enum store_op_kind kind, const char *path, const char *text, const char *who)
{
	struct store_op op = {.kind = kind, .path = path};
	struct store_txn txn = {.who = who, .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;
	bool done = false;

	if (kind == STORE_RENAME) {
		op.to = text;
	} else if (kind == STORE_PUT) {
		op.value = text;
		op.size = strlen(text);
	}
	assert_int_equal(store_submit(store, &txn, stored, &done, &err), 0);
	while (!done)
		turn();
}

/* Entries that a new store begins with: its voters, a barrier. Here changes are counted from 1. */
#define FOUNDED 2

static struct store_history_query shifted(const struct store_history_query *query)
{
	struct store_history_query q = *query;

	if (q.version && q.version != UINT64_MAX)
		q.version += FOUNDED;
	if (q.before)
		q.before += FOUNDED;
	return q;
}

struct answer {
	unsigned times;
	int code;
	bool has_more;
	size_t count;
	struct store_history_entry entries[STORE_HISTORY_MAX];
	char value[64];
};

static void answered(const struct store_history *history, const struct err *err, void *ctx)
{
	struct answer *a = ctx;

	a->times++;
	a->code = err->code;
	assert_true((history == NULL) == (err->code != 0));
	if (!history)
		return;
	a->has_more = history->has_more;
	a->count = history->count;
	if (history->count)
		memcpy(a->entries, history->entries, history->count * sizeof(a->entries[0]));
	for (size_t i = 0; i < history->count; i++) {
		a->entries[i].version -= FOUNDED;
		a->entries[i].previous -= a->entries[i].previous ? FOUNDED : 0;
	}
	if (history->data)
		assert_true(str_copy(a->value, sizeof(a->value), history->data));
}

static struct answer answer;

static void list_query(const struct store_history_query *query)
{
	struct store_history_query q = shifted(query);
	struct err err = ERR_INIT;

	answer = (struct answer){0};
	assert_int_equal(store_history_list(store, &q, answered, &answer, &err), 0);
	while (!answer.times)
		turn();
	assert_int_equal(answer.times, 1);
}

/* The list as text: "3 changed 5 root@pam <2" a line: version, kind, size, who, version before. */
static void expect_entries(const struct store_history_query *query, const char *text)
{
	static const char *const kinds[] = {"", "created", "changed", "deleted"};
	autobuf out = BUF_INIT;

	list_query(query);
	assert_int_equal(answer.code, 0);
	for (size_t i = 0; i < answer.count; i++) {
		const struct store_history_entry *e = &answer.entries[i];

		assert_true(e->when > 0);
		buf_addf(&out, "%llu %s %zu %s <%llu\n", (unsigned long long)e->version,
			 kinds[e->kind], e->size, e->who, (unsigned long long)e->previous);
	}
	if (answer.has_more)
		buf_add_str(&out, "…\n");
	assert_string_equal(buf_str(&out), text);
}

/* text NULL: there is no such value */
static void expect_text(const struct store_history_query *query, const char *text)
{
	struct store_history_query q = shifted(query);
	struct err err = ERR_INIT;

	answer = (struct answer){0};
	assert_int_equal(store_history_value(store, &q, answered, &answer, &err), 0);
	while (!answer.times)
		turn();
	assert_int_equal(answer.code, text ? 0 : ERR_NOT_FOUND);
	if (text)
		assert_string_equal(answer.value, text);
}

/* The same answers after a restart. */
static void check_both(void (*check)(void))
{
	check();
	reopen();
	check();
}

static void fill(void)
{
	change(STORE_PUT, "/a", "one", "root@pam");    /* 1 */
	change(STORE_PUT, "/b", "other", "bob@pve");   /* 2 */
	change(STORE_PUT, "/a", "three", "bob@pve");   /* 3 */
	change(STORE_DELETE, "/a", NULL, "eve@pve");   /* 4 */
	change(STORE_PUT, "/a", "fifth", "root@pam");  /* 5 */
	change(STORE_PUT, "/a", "sixth!", "root@pam"); /* 6 */
}

static void check_lists(void)
{
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 50},
		       "6 changed 6 root@pam <5\n5 created 5 root@pam <0\n"
		       "4 deleted 0 eve@pve <3\n3 changed 5 bob@pve <1\n1 created 3 root@pam <0\n");
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 5},
		       "6 changed 6 root@pam <5\n5 created 5 root@pam <0\n"
		       "4 deleted 0 eve@pve <3\n3 changed 5 bob@pve <1\n1 created 3 root@pam <0\n");
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 2},
		       "6 changed 6 root@pam <5\n5 created 5 root@pam <0\n…\n");
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 2, .before = 5},
		       "4 deleted 0 eve@pve <3\n3 changed 5 bob@pve <1\n…\n");
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 2, .before = 3},
		       "1 created 3 root@pam <0\n");
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 2, .before = 1}, "");
	expect_entries(
		&(struct store_history_query){.path = "/a", .limit = 9, .since_created = true},
		"6 changed 6 root@pam <5\n5 created 5 root@pam <0\n");
	expect_entries(
		&(struct store_history_query){
			.path = "/a", .limit = 9, .before = 5, .since_created = true},
		"");
	expect_entries(&(struct store_history_query){.path = "/none", .limit = 9}, "");
}

static void lists(void **state)
{
	(void)state;
	fill();
	check_both(check_lists);
}

static void check_values(void)
{
	static const struct {
		uint64_t version;
		const char *text;
	} cases[] = {{1, "one"},   {2, NULL},	  {3, "three"}, {4, NULL},
		     {5, "fifth"}, {6, "sixth!"}, {7, NULL},	{UINT64_MAX, NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_text(
			&(struct store_history_query){.path = "/a", .version = cases[i].version},
			cases[i].text);
	expect_text(
		&(struct store_history_query){.path = "/a", .version = 5, .since_created = true},
		"fifth");
	expect_text(
		&(struct store_history_query){.path = "/a", .version = 3, .since_created = true},
		NULL);
}

static void values(void **state)
{
	(void)state;
	fill();
	check_both(check_values);
}

/* ---- nothing of it settled: asked by the last callback of one batch ---- */

struct batch {
	unsigned left;
	struct answer list, older, value, current;
};

static void batch_stored(const struct store_result *result, void *ctx)
{
	struct store_history_query list = {.path = "/a", .limit = 3},
				   older = {.path = "/a", .limit = 9, .before = 4 + FOUNDED},
				   value = {.path = "/a", .version = 2 + FOUNDED},
				   current = {.path = "/a", .version = 6 + FOUNDED};
	struct batch *b = ctx;
	struct err err = ERR_INIT;

	assert_int_equal(result->outcome, STORE_DONE);
	if (--b->left > 0)
		return;
	assert_int_equal(store_history_list(store, &list, answered, &b->list, &err), 0);
	assert_int_equal(store_history_list(store, &older, answered, &b->older, &err), 0);
	assert_int_equal(store_history_value(store, &value, answered, &b->value, &err), 0);
	assert_int_equal(store_history_value(store, &current, answered, &b->current, &err), 0);
}

static void expect_entry(const struct store_history_entry *e, uint64_t version,
			 enum store_history_kind kind, size_t size)
{
	assert_int_equal(e->version, version);
	assert_int_equal(e->kind, kind);
	assert_int_equal(e->size, size);
}

static void unsettled(void **state)
{
	/* 2 … 6: the first is put alone, and settled or not when these come */
	static const char *const texts[] = {"b", "cc", NULL, "eeee", "fffff"};
	static struct batch b;
	struct err err = ERR_INIT;

	(void)state;
	b = (struct batch){.left = ARRAY_SIZE(texts)};
	change(STORE_PUT, "/a", "", "root@pam");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct store_op op = {.kind = texts[i] ? STORE_PUT : STORE_DELETE,
				      .path = "/a",
				      .value = texts[i],
				      .size = texts[i] ? strlen(texts[i]) : 0};
		struct store_txn txn = {.who = "bob@pve", .ops = &op, .op_count = 1};

		assert_int_equal(store_submit(store, &txn, batch_stored, &b, &err), 0);
	}
	while (!b.list.times || !b.older.times || !b.value.times || !b.current.times)
		turn();
	assert_int_equal(b.list.count, 3);
	assert_true(b.list.has_more);
	expect_entry(&b.list.entries[0], 6, STORE_HISTORY_CHANGED, 5);
	expect_entry(&b.list.entries[1], 5, STORE_HISTORY_CREATED, 4);
	expect_entry(&b.list.entries[2], 4, STORE_HISTORY_DELETED, 0);
	assert_int_equal(b.older.count, 3);
	assert_false(b.older.has_more);
	expect_entry(&b.older.entries[0], 3, STORE_HISTORY_CHANGED, 2);
	expect_entry(&b.older.entries[1], 2, STORE_HISTORY_CHANGED, 1);
	expect_entry(&b.older.entries[2], 1, STORE_HISTORY_CREATED, 0);
	assert_string_equal(b.value.value, "b");
	assert_string_equal(b.current.value, "fffff");
}

static void check_moved(void)
{
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 9},
		       "2 deleted 0 root@pam <1\n1 created 1 root@pam <0\n");
	expect_entries(&(struct store_history_query){.path = "/b", .limit = 9},
		       "2 created 1 root@pam <0\n");
	expect_text(&(struct store_history_query){.path = "/a", .version = 1}, "x");
	expect_text(&(struct store_history_query){.path = "/b", .version = 2}, "x");
}

static void renames(void **state)
{
	(void)state;
	change(STORE_PUT, "/a", "x", "root@pam");
	change(STORE_RENAME, "/a", "/b", "root@pam");
	check_both(check_moved);
}

/* An empty value is a value. */
static void check_empty(void)
{
	expect_entries(&(struct store_history_query){.path = "/a", .limit = 9},
		       "2 changed 1 root@pam <1\n1 created 0 root@pam <0\n");
	expect_text(&(struct store_history_query){.path = "/a", .version = 1}, "");
}

static void empty_values(void **state)
{
	(void)state;
	change(STORE_PUT, "/a", "", "root@pam");
	change(STORE_PUT, "/a", "x", "root@pam");
	check_both(check_empty);
}

static void check_private(void)
{
	struct err err = ERR_INIT;

	expect_entries(&(struct store_history_query){.path = "/priv/shadow.cfg", .limit = 9},
		       "2 changed 0 bob@pve <1\n1 created 0 root@pam <0\n");
	for (uint64_t version = 1; version <= 2; version++)
		assert_int_equal(
			store_history_value(store,
					    &(struct store_history_query){
						    .path = "/priv/shadow.cfg", .version = version},
					    answered, NULL, &err),
			-ERR_DENIED);
}

static void private_values_are_never_given(void **state)
{
	(void)state;
	change(STORE_PUT, "/priv/shadow.cfg", "secret1", "root@pam");
	change(STORE_PUT, "/priv/shadow.cfg", "secret2", "bob@pve");
	check_both(check_private);
}

static void wrong_questions(void **state)
{
	static const struct {
		struct store_history_query query;
		bool wants_value;
		const char *field;
	} cases[] = {
		{{.path = "a", .limit = 1}, false, "path"},
		{{.path = "/../a", .limit = 1}, false, "path"},
		{{.path = NULL, .limit = 1}, false, "path"},
		{{.path = "/a", .limit = 0}, false, "limit"},
		{{.path = "/a", .limit = STORE_HISTORY_MAX + 1}, false, "limit"},
		{{.path = "/a"}, true, "version"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		int r = (cases[i].wants_value ? store_history_value : store_history_list)(
			store, &cases[i].query, answered, NULL, &err);

		assert_int_equal(r, -ERR_INVALID);
		assert_string_equal(err.field, cases[i].field);
	}
}

/* Writes go between reads, none is lost, and the bound holds. */
static void many_at_once(void **state)
{
	struct store_history_query query = {.path = "/a", .limit = 9};
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "y", .size = 1};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;
	bool is_stored = false;
	unsigned asked = 0;

	(void)state;
	change(STORE_PUT, "/a", "x", "root@pam");
	answer = (struct answer){0};
	while (store_history_list(store, &query, answered, &answer, &err) == 0)
		asked++;
	assert_int_equal(err.code, ERR_BUSY);
	assert_in_range(asked, STORE_READS_MAX, STORE_READS_MAX + 1);
	assert_int_equal(store_submit(store, &txn, stored, &is_stored, &err), 0);
	while (!is_stored)
		turn();
	assert_true(answer.times < asked); /* the write did not wait for all of them */
	while (answer.times < asked)
		turn();
	assert_int_equal(answer.count, 2);
}

static void deadlines_and_closing(void **state)
{
	struct store_history_query late = {.path = "/a", .limit = 9, .deadline = 1};
	struct store_history_query query = {.path = "/a", .limit = 9};
	struct answer closed = {0};
	struct err err = ERR_INIT;

	(void)state;
	list_query(&query); /* the writer is idle afterwards */
	answer = (struct answer){0};
	assert_int_equal(store_history_list(store, &query, answered, &closed, &err), 0);
	assert_int_equal(store_history_list(store, &late, answered, &answer, &err), 0);
	while (answer.times == 0)
		turn();
	assert_int_equal(answer.code, ERR_TIMEOUT);
	while (closed.times == 0)
		turn();
	closed = (struct answer){0};
	assert_int_equal(store_history_list(store, &query, answered, &closed, &err), 0);
	store_close(store);
	store = NULL;
	assert_int_equal(closed.times, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unsettled, setup, teardown),
		cmocka_unit_test_setup_teardown(lists, setup, teardown),
		cmocka_unit_test_setup_teardown(values, setup, teardown),
		cmocka_unit_test_setup_teardown(renames, setup, teardown),
		cmocka_unit_test_setup_teardown(empty_values, setup, teardown),
		cmocka_unit_test_setup_teardown(private_values_are_never_given, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(deadlines_and_closing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
