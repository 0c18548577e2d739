/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three stores and their group: what one does all see, whoever dies, is cut off, comes back, or is not listened to. */
#include "trio.h"

#define SHORT (300 * USEC_PER_MSEC)

static void what_each_does_all_see(void **state)
{
	(void)state;
	trio_put(1, "/a", "1");
	trio_put(2, "/b", "2");
	trio_put(3, "/c", "3");
	TRIO_UNTIL(trio_all_have("/a", "1") && trio_all_have("/b", "2") &&
		   trio_all_have("/c", "3"));
	assert_int_equal(store_applied(trio_store(1)), store_applied(trio_store(3)));
}

static void one_dies_and_comes_back(uint32_t dying)
{
	uint32_t other = dying == 2 ? 3 : 2;

	trio_put(dying, "/before", "1");
	trio_kill(dying);
	trio_put(other, "/meanwhile", "2");
	trio_open(dying);
	TRIO_UNTIL(trio_all_have("/meanwhile", "2"));
	assert_true(trio_all_have("/before", "1"));
	trio_put(dying, "/after", "3");
	TRIO_UNTIL(trio_all_have("/after", "3"));
}

static void the_leader_dies(void **state)
{
	(void)state;
	one_dies_and_comes_back(trio_leader());
}

static void a_follower_dies(void **state)
{
	(void)state;
	one_dies_and_comes_back(trio_follower());
}

/* A change that is under way is known to be done, or is not there at all. */
static void the_leader_dies_in_the_middle(void **state)
{
	struct trio_change c;
	uint32_t leader = trio_leader(), other = trio_follower();

	(void)state;
	trio_submit(other, "/a", "1", 0, &c);
	store_dispatch(trio_store(other));
	store_dispatch(trio_store(leader));
	trio_kill(leader);
	TRIO_UNTIL(c.is_back);
	if (c.result.outcome == STORE_DONE)
		assert_true(trio_has(other, "/a", "1"));
	trio_put(other, "/b", "2");
	TRIO_UNTIL(trio_all_have("/b", "2"));
}

static void cut_off(uint32_t node, bool is_cut)
{
	for (uint32_t other = 1; other <= TRIO_NODES; other++)
		if (other != node)
			hub_cut(trio.hub, node, other, is_cut);
}

/* Messages do not arrive, and nobody says so. */
static void a_minority_learns_nothing_and_reads_on(uint32_t node)
{
	uint32_t other = node == 2 ? 3 : 2;
	struct trio_change c;

	trio_put(node, "/a", "1");
	cut_off(node, true);
	trio_submit(node, "/lost", "x", SHORT, &c);
	TRIO_UNTIL(c.is_back);
	assert_true(c.result.outcome == STORE_UNKNOWN || c.result.outcome == STORE_NOT_SENT);
	assert_true(trio_has(node, "/a", "1"));
	assert_false(trio_has(node, "/lost", "x"));
	trio_put(other, "/b", "2");
	assert_false(trio_has(node, "/b", "2"));
	cut_off(node, false);
	trio_put(other, "/c", "3");
	TRIO_UNTIL(trio_all_have("/c", "3"));
	assert_true(trio_all_have("/b", "2"));
}

static void a_leader_in_the_minority(void **state)
{
	(void)state;
	a_minority_learns_nothing_and_reads_on(trio_leader());
}

static void a_follower_in_the_minority(void **state)
{
	(void)state;
	a_minority_learns_nothing_and_reads_on(trio_follower());
}

/* The group says that all others are gone. */
static void without_a_majority_nothing_is_sent(void **state)
{
	struct trio_change c;
	uint64_t applied;

	(void)state;
	trio_put(1, "/a", "1");
	TRIO_UNTIL(trio_all_have("/a", "1"));
	trio_kill(2);
	trio_kill(3);
	TRIO_UNTIL(!store_leads(trio_store(1)));
	applied = store_applied(trio_store(1));
	trio_submit(1, "/b", "2", SHORT, &c);
	TRIO_UNTIL(c.is_back);
	assert_int_equal(c.result.outcome, STORE_NOT_SENT);
	assert_true(trio_has(1, "/a", "1"));
	trio_open(2);
	trio_put(1, "/c", "3");
	assert_false(trio_has(1, "/b", "2"));
	assert_true(store_applied(trio_store(1)) > applied);
}

static void a_lost_group_is_joined_again(void **state)
{
	(void)state;
	for (uint32_t node = 1; node <= TRIO_NODES; node++) {
		trio.nodes[node].line->is_lost = true;
		trio_put(node == 1 ? 2 : 1, "/a", node == 1 ? "1" : "2");
		TRIO_UNTIL(!trio.nodes[node].line->is_lost);
		trio_put(node, "/b", "3");
	}
	trio_put(1, "/c", "4");
	TRIO_UNTIL(trio_all_have("/c", "4"));
}

/* ---- many, and a group that does not keep up ---- */

static void more_than_the_replica_takes_at_once(void **state)
{
	static struct trio_change changes[3000];
	uint32_t node = trio_follower();
	char path[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		snprintf(path, sizeof(path), "/n/%zu", i);
		trio_submit(node, path, "v", 0, &changes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		TRIO_UNTIL(changes[i].is_back);
		assert_int_equal(changes[i].result.outcome, STORE_DONE);
	}
	TRIO_UNTIL(trio_all_have("/n/2999", "v"));
}

static void a_busy_group_is_waited_for(void **state)
{
	static struct trio_change changes[1200];
	uint32_t node = trio_follower();
	struct line *line = trio.nodes[node].line;
	struct store *store = trio_store(node);
	struct err err = ERR_INIT;
	size_t count = 0;
	int r = 0;

	(void)state;
	line->is_busy = true;
	for (; count < ARRAY_SIZE(changes); count++) {
		r = trio_try_put(node, "/a", "v", 0, &changes[count], &err);
		if (r < 0)
			break;
		store_dispatch(store);
	}
	assert_int_equal(r, -ERR_BUSY); /* the caller hears of it */
	assert_true(store->outbox_count < 300);
	line->is_busy = false;
	for (size_t i = 0; i < count; i++) {
		TRIO_UNTIL(changes[i].is_back);
		assert_int_equal(changes[i].result.outcome, STORE_DONE);
	}
	assert_int_equal(store->outbox_count, 0);
	trio_put(node, "/b", "w");
	TRIO_UNTIL(trio_all_have("/b", "w"));
}

/* ---- callbacks ---- */

struct chain {
	uint32_t node;
	unsigned left;
};

static void chained(const struct store_result *result, void *ctx)
{
	struct chain *c = ctx;
	struct store_op op = {.kind = STORE_PUT, .path = "/chain", .value = "v", .size = 1};
	struct store_txn txn = {.ops = &op, .op_count = 1};

	assert_int_equal(result->outcome, STORE_DONE);
	if (--c->left > 0)
		assert_int_equal(store_submit(trio_store(c->node), &txn, chained, c, NULL), 0);
}

static void callbacks_submit(void **state)
{
	struct chain chains[TRIO_NODES];
	struct store_result first = {.outcome = STORE_DONE};

	(void)state;
	for (uint32_t i = 0; i < TRIO_NODES; i++) {
		chains[i] = (struct chain){.node = i + 1, .left = 20};
		chained(&first, &chains[i]);
	}
	TRIO_UNTIL(chains[0].left + chains[1].left + chains[2].left == 0);
}

struct closing {
	uint32_t node;
	unsigned done, unknown;
};

static void on_last(const struct store_result *result, void *ctx)
{
	struct closing *c = ctx;

	if (result->outcome == STORE_DONE)
		c->done++;
	else
		c->unknown++;
	store_close(trio_store(c->node));
}

/* Each callback does, also those that the closing itself causes. */
static void a_callback_closes(void **state)
{
	struct closing c = {.node = trio_follower()};
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "v", .size = 1};
	struct store_txn txn = {.ops = &op, .op_count = 1};
	struct store *store = trio_store(c.node);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(store_submit(store, &txn, on_last, &c, NULL), 0);
	while (c.done + c.unknown == 0)
		trio_turn(); /* the last turn closes it: it waits for answers that cannot come */
	trio.nodes[c.node].store = NULL;
	assert_int_equal(c.done + c.unknown, 5);
	trio_open(c.node);
	trio_put(c.node, "/b", "w");
	TRIO_UNTIL(trio_all_have("/b", "w"));
}

/* ---- coming back after a long time ---- */

static void on_change(const struct store_change *change, void *ctx)
{
	buf_addf(ctx, "%s %s;", change->kind == STORE_CHANGE_PUT ? "put" : "delete",
		 change->value.path);
}

static void delete_path(uint32_t node, const char *path)
{
	struct store_op op = {.kind = STORE_DELETE, .path = path};
	struct trio_change c;

	assert_int_equal(trio_try_op(node, &op, 0, &c, NULL), 0);
	TRIO_UNTIL(c.is_back);
	assert_int_equal(c.result.outcome, STORE_DONE);
}

/* More than the log keeps. */
static void write_much(uint32_t node)
{
	static struct trio_change changes[2500];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		trio_submit(node, "/much", i % 2 ? "odd" : "even", 0, &changes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		TRIO_UNTIL(changes[i].is_back);
		assert_int_equal(changes[i].result.outcome, STORE_DONE);
	}
}

static void a_snapshot_tells_what_is_different(void **state)
{
	struct store_subscription *s;
	autobuf said = BUF_INIT;

	(void)state;
	trio_put(1, "/gone", "x");
	trio_put(1, "/same", "y");
	trio_put(1, "/changed", "old");
	TRIO_UNTIL(trio_all_have("/changed", "old"));
	trio_kill(3);
	trio_put(1, "/changed", "new");
	delete_path(1, "/gone");
	trio_put(1, "/made", "z");
	write_much(1);
	trio_open(3);
	s = store_subscribe(trio_store(3), "/", on_change, &said);
	TRIO_UNTIL(trio_has(3, "/much", "odd") && trio_has(3, "/made", "z"));
	assert_string_equal(buf_str(&said), "put /changed;delete /gone;put /made;put /much;");
	store_unsubscribe(s);
	trio_put(3, "/after", "1");
	trio_kill(3);
	trio_open(3); /* what is on its disk is the same */
	assert_true(trio_has(3, "/same", "y"));
	assert_true(trio_has(3, "/changed", "new"));
	assert_false(trio_has(3, "/gone", "x"));
	trio_put(3, "/again", "2");
	TRIO_UNTIL(trio_all_have("/again", "2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trio_setup, trio_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_each_does_all_see),
		TEST(the_leader_dies),
		TEST(a_follower_dies),
		TEST(the_leader_dies_in_the_middle),
		TEST(a_leader_in_the_minority),
		TEST(a_follower_in_the_minority),
		TEST(without_a_majority_nothing_is_sent),
		TEST(a_lost_group_is_joined_again),
		TEST(more_than_the_replica_takes_at_once),
		TEST(a_busy_group_is_waited_for),
		TEST(callbacks_submit),
		TEST(a_callback_closes),
		TEST(a_snapshot_tells_what_is_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
