/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three stores and their group: what one does all see, whoever dies, is cut off, comes back, or is not listened to. */
#include "stores.h"

#define SHORT (300 * USEC_PER_MSEC)

static void what_each_does_all_see(void **state)
{
	(void)state;
	stores_put(1, "/a", "1");
	stores_put(2, "/b", "2");
	stores_put(3, "/c", "3");
	STORES_UNTIL(stores_all_have("/a", "1") && stores_all_have("/b", "2") &&
		     stores_all_have("/c", "3"));
	assert_int_equal(store_applied(stores_at(1)), store_applied(stores_at(3)));
}

static void one_dies_and_comes_back(uint32_t dying)
{
	uint32_t other = dying == 2 ? 3 : 2;

	stores_put(dying, "/before", "1");
	stores_kill(dying);
	stores_put(other, "/meanwhile", "2");
	stores_open(dying);
	STORES_UNTIL(stores_all_have("/meanwhile", "2"));
	assert_true(stores_all_have("/before", "1"));
	stores_put(dying, "/after", "3");
	STORES_UNTIL(stores_all_have("/after", "3"));
}

static void the_leader_dies(void **state)
{
	(void)state;
	one_dies_and_comes_back(stores_leader());
}

static void a_follower_dies(void **state)
{
	(void)state;
	one_dies_and_comes_back(stores_follower());
}

/* A change that is under way is known to be done, or is not there at all. */
static void the_leader_dies_in_the_middle(void **state)
{
	struct stores_change c;
	uint32_t leader = stores_leader(), other = stores_follower();

	(void)state;
	stores_submit(other, "/a", "1", 0, &c);
	store_dispatch(stores_at(other));
	store_dispatch(stores_at(leader));
	stores_kill(leader);
	STORES_UNTIL(c.is_back);
	if (c.result.outcome == STORE_DONE)
		assert_true(stores_has(other, "/a", "1"));
	stores_put(other, "/b", "2");
	STORES_UNTIL(stores_all_have("/b", "2"));
}

static void cut_off(uint32_t node, bool is_cut)
{
	for (uint32_t other = 1; other <= STORES_NODES; other++)
		if (other != node)
			hub_cut(stores.hub, node, other, is_cut);
}

/* Messages do not arrive, and nobody says so. */
static void a_minority_learns_nothing_and_reads_on(uint32_t node)
{
	uint32_t other = node == 2 ? 3 : 2;
	struct stores_change c;

	stores_put(node, "/a", "1");
	cut_off(node, true);
	stores_submit(node, "/lost", "x", SHORT, &c);
	STORES_UNTIL(c.is_back);
	assert_true(c.result.outcome == STORE_UNKNOWN || c.result.outcome == STORE_NOT_SENT);
	assert_true(stores_has(node, "/a", "1"));
	assert_false(stores_has(node, "/lost", "x"));
	stores_put(other, "/b", "2");
	assert_false(stores_has(node, "/b", "2"));
	cut_off(node, false);
	stores_put(other, "/c", "3");
	STORES_UNTIL(stores_all_have("/c", "3"));
	assert_true(stores_all_have("/b", "2"));
}

static void a_leader_in_the_minority(void **state)
{
	(void)state;
	a_minority_learns_nothing_and_reads_on(stores_leader());
}

static void a_follower_in_the_minority(void **state)
{
	(void)state;
	a_minority_learns_nothing_and_reads_on(stores_follower());
}

/* The group says that all others are gone. */
static void without_a_majority_nothing_is_sent(void **state)
{
	struct stores_change c;
	uint64_t applied;

	(void)state;
	stores_put(1, "/a", "1");
	STORES_UNTIL(stores_all_have("/a", "1"));
	stores_kill(2);
	stores_kill(3);
	STORES_UNTIL(!store_leads(stores_at(1)));
	applied = store_applied(stores_at(1));
	stores_submit(1, "/b", "2", SHORT, &c);
	STORES_UNTIL(c.is_back);
	assert_int_equal(c.result.outcome, STORE_NOT_SENT);
	assert_true(stores_has(1, "/a", "1"));
	stores_open(2);
	stores_put(1, "/c", "3");
	assert_false(stores_has(1, "/b", "2"));
	assert_true(store_applied(stores_at(1)) > applied);
}

static void a_lost_group_is_joined_again(void **state)
{
	(void)state;
	for (uint32_t node = 1; node <= STORES_NODES; node++) {
		stores.nodes[node].line->is_lost = true;
		stores_put(node == 1 ? 2 : 1, "/a", node == 1 ? "1" : "2");
		STORES_UNTIL(!stores.nodes[node].line->is_lost);
		stores_put(node, "/b", "3");
	}
	stores_put(1, "/c", "4");
	STORES_UNTIL(stores_all_have("/c", "4"));
}

/* ---- many, and a group that does not keep up ---- */

static void more_than_the_replica_takes_at_once(void **state)
{
	static struct stores_change changes[3000];
	uint32_t node = stores_follower();
	char path[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		snprintf(path, sizeof(path), "/n/%zu", i);
		stores_submit(node, path, "v", 0, &changes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		STORES_UNTIL(changes[i].is_back);
		assert_int_equal(changes[i].result.outcome, STORE_DONE);
	}
	STORES_UNTIL(stores_all_have("/n/2999", "v"));
}

static void a_busy_group_is_waited_for(void **state)
{
	static struct stores_change changes[1200];
	uint32_t node = stores_follower();
	struct line *line = stores.nodes[node].line;
	struct store *store = stores_at(node);
	struct err err = ERR_INIT;
	size_t count = 0;
	int r = 0;

	(void)state;
	line->is_busy = true;
	for (; count < ARRAY_SIZE(changes); count++) {
		r = stores_try_put(node, "/a", "v", 0, &changes[count], &err);
		if (r < 0)
			break;
		store_dispatch(store);
	}
	assert_int_equal(r, -ERR_BUSY); /* the caller hears of it */
	assert_true(store->outbox_count < 300);
	line->is_busy = false;
	for (size_t i = 0; i < count; i++) {
		STORES_UNTIL(changes[i].is_back);
		assert_int_equal(changes[i].result.outcome, STORE_DONE);
	}
	assert_int_equal(store->outbox_count, 0);
	stores_put(node, "/b", "w");
	STORES_UNTIL(stores_all_have("/b", "w"));
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
		assert_int_equal(store_submit(stores_at(c->node), &txn, chained, c, NULL), 0);
}

static void callbacks_submit(void **state)
{
	struct chain chains[STORES_NODES];
	struct store_result first = {.outcome = STORE_DONE};

	(void)state;
	for (uint32_t i = 0; i < STORES_NODES; i++) {
		chains[i] = (struct chain){.node = i + 1, .left = 20};
		chained(&first, &chains[i]);
	}
	STORES_UNTIL(chains[0].left + chains[1].left + chains[2].left == 0);
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
	store_close(stores_at(c->node));
}

/* Each callback does, also those that the closing itself causes. */
static void a_callback_closes(void **state)
{
	struct closing c = {.node = stores_follower()};
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "v", .size = 1};
	struct store_txn txn = {.ops = &op, .op_count = 1};
	struct store *store = stores_at(c.node);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(store_submit(store, &txn, on_last, &c, NULL), 0);
	while (c.done + c.unknown == 0)
		stores_turn(); /* the last turn closes it: it waits for answers that cannot come */
	stores.nodes[c.node].store = NULL;
	assert_int_equal(c.done + c.unknown, 5);
	stores_open(c.node);
	stores_put(c.node, "/b", "w");
	STORES_UNTIL(stores_all_have("/b", "w"));
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
	struct stores_change c;

	assert_int_equal(stores_try_op(node, &op, 0, &c, NULL), 0);
	STORES_UNTIL(c.is_back);
	assert_int_equal(c.result.outcome, STORE_DONE);
}

/* More than the log keeps. */
static void write_much(uint32_t node)
{
	static struct stores_change changes[2500];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		stores_submit(node, "/much", i % 2 ? "odd" : "even", 0, &changes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		STORES_UNTIL(changes[i].is_back);
		assert_int_equal(changes[i].result.outcome, STORE_DONE);
	}
}

static void a_snapshot_tells_what_is_different(void **state)
{
	struct store_subscription *s;
	autobuf said = BUF_INIT;

	(void)state;
	stores_put(1, "/gone", "x");
	stores_put(1, "/same", "y");
	stores_put(1, "/changed", "old");
	STORES_UNTIL(stores_all_have("/changed", "old"));
	stores_close(3);
	stores_put(1, "/changed", "new");
	delete_path(1, "/gone");
	stores_put(1, "/made", "z");
	write_much(1);
	stores_open(3);
	s = store_subscribe(stores_at(3), "/", on_change, &said);
	STORES_UNTIL(stores_has(3, "/much", "odd") && stores_has(3, "/made", "z"));
	assert_string_equal(buf_str(&said), "put /changed;delete /gone;put /made;put /much;");
	store_unsubscribe(s);
	stores_put(3, "/after", "1");
	stores_kill(3);
	stores_open(3); /* what is on its disk is the same */
	assert_true(stores_has(3, "/same", "y"));
	assert_true(stores_has(3, "/changed", "new"));
	assert_false(stores_has(3, "/gone", "x"));
	stores_put(3, "/again", "2");
	STORES_UNTIL(stores_all_have("/again", "2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_setup, stores_teardown)

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
