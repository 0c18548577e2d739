/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One of three nodes has a disk that is full, or fails: the others go on, and it comes back by itself, or never while the
 * machine is up. */
#include "memory_disk.h"

#include "stores.h"

static int setup(void **state)
{
	disk_clear();
	return stores_setup(state);
}

static int teardown(void **state)
{
	the_disk.room = the_disk.fail_sync = 0;
	return stores_teardown(state);
}

static bool is_read_only(uint32_t node)
{
	return store_read_only_reason(stores_at(node)) != NULL;
}

static uint32_t another(uint32_t node)
{
	return node == 1 ? 2 : 1;
}

static void put_large(uint32_t node, struct stores_change *c)
{
	static char value[200001];
	struct store_op op = {
		.kind = STORE_PUT, .path = "/large", .value = value, .size = sizeof(value) - 1};
	struct err err = ERR_INIT;

	memset(value, 'x', sizeof(value) - 1);
	if (stores_try_op(node, &op, 0, c, &err) < 0)
		fail_msg("%s", err.message);
}

static void a_full_disk(uint32_t node)
{
	uint32_t other = another(node);
	struct stores_change c;

	stores_put(node, "/a", "1");
	the_disk.victim = stores.nodes[node].directory;
	the_disk.room = disk_used() + 8192;
	put_large(other, &c);
	STORES_UNTIL(is_read_only(node));
	STORES_UNTIL(c.is_back);
	assert_int_equal(c.result.outcome, STORE_DONE);
	stores_put(other, "/b", "2"); /* two of three */
	assert_true(stores_has(node, "/a", "1"));
	the_disk.room = 0;
	STORES_UNTIL(!is_read_only(node));
	stores_put(node, "/c", "3");
	STORES_UNTIL(stores_all_have("/c", "3") && stores_all_have("/b", "2"));
	stores_kill(node);
	stores_open(node);
	STORES_UNTIL(stores_all_have("/c", "3"));
}

static void a_full_disk_of_a_follower(void **state)
{
	(void)state;
	a_full_disk(stores_follower());
}

/* What was asked of it is done by another, or is not known to have been done. */
static void a_full_disk_of_the_leader(void **state)
{
	(void)state;
	a_full_disk(stores_leader());
}

static void a_failed_sync(uint32_t node)
{
	autofree char *marker = xasprintf("%s/" DB_FAILED_MARKER, stores.nodes[node].directory);
	uint32_t other = another(node);
	struct store_options options = {.directory = stores.nodes[node].directory,
					.run = stores.nodes[node].directory,
					.node = "n"};
	struct err err = ERR_INIT;
	struct stores_change c;
	struct store *store;

	stores_put(node, "/a", "1");
	the_disk.victim = stores.nodes[node].directory;
	the_disk.fail_sync = the_disk.syncs + 1;
	stores_submit(node, "/b", "2", 0, &c);
	STORES_UNTIL(c.is_back && is_read_only(node));
	assert_true(c.result.outcome == STORE_UNKNOWN || c.result.outcome == STORE_DONE);
	assert_int_equal(access(marker, F_OK), 0);
	assert_true(stores_has(node, "/a", "1"));
	assert_int_equal(stores_try_put(node, "/c", "3", 0, &c, &err), -ERR_UNAVAILABLE);
	stores_put(other, "/d", "4");
	assert_false(stores_has(node, "/d", "4"));
	stores_kill(node);
	options.transport = hub_transport(stores.hub, node);
	assert_int_equal(store_open(&options, &store, &err), -ERR_IO);
	assert_non_null(strstr(err.message, "reboot"));
	assert_int_equal(unlink(marker), 0); /* the reboot */
	stores_open(node);
	STORES_UNTIL(stores_all_have("/d", "4"));
}

static void a_failed_sync_of_a_follower(void **state)
{
	(void)state;
	a_failed_sync(stores_follower());
}

static void a_failed_sync_of_the_leader(void **state)
{
	(void)state;
	a_failed_sync(stores_leader());
}

static int use_memory(void **state)
{
	(void)state;
	disk_use();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_disk_of_a_follower),
		TEST(a_full_disk_of_the_leader),
		TEST(a_failed_sync_of_a_follower),
		TEST(a_failed_sync_of_the_leader),
	};

	return cmocka_run_group_tests(tests, use_memory, NULL);
}
