/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node alone whose disk is full: what finds no room is certainly not done, reads go on, and the store comes back by
 * itself, also when the disk was full at its start. */
#include "memory_disk.h"

#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "cluster/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[64], reserve[128];
static struct store *store;

static void must_open(void)
{
	struct store_options options = {.directory = directory, .node = "n1", .run = directory};
	struct err err = ERR_INIT;

	if (store_open(&options, &store, &err) < 0)
		fail_msg("%s", err.message);
}

static int setup(void **state)
{
	(void)state;
	disk_clear();
	strcpy(directory, "/dev/shm/lodge-full-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(reserve, sizeof(reserve), "%s/lodge.reserve", directory);
	must_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	the_disk.room = 0;
	store_close(store);
	return dir_remove_tree(directory, NULL);
}

static void set_room(size_t room)
{
	the_disk.reserve = reserve;
	the_disk.reserved = 256 * 1024;
	the_disk.room = room;
}

struct answer {
	bool is_back;
	struct store_result result;
};

static void on_answer(const struct store_result *result, void *ctx)
{
	struct answer *a = ctx;

	assert_false(a->is_back);
	a->is_back = true;
	a->result = *result;
}

static void turn(void)
{
	struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

	assert_int_equal(poll(&p, 1, 20000), 1);
	store_dispatch(store);
}

static enum store_outcome put(const char *path, size_t size)
{
	autofree char *value = xcalloc(1, size + 1);
	struct store_op op = {.kind = STORE_PUT, .path = path, .value = value, .size = size};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	struct answer a = {0};
	struct err err = ERR_INIT;

	memset(value, 'x', size);
	if (store_submit(store, &txn, on_answer, &a, &err) < 0)
		fail_msg("%s", err.message);
	while (!a.is_back)
		turn();
	return a.result.outcome;
}

static bool has(const char *path)
{
	struct store_value v;

	return store_get(store, path, &v);
}

static void restart(void)
{
	store_close(store);
	must_open();
}

static void what_finds_no_room_is_not_done(void **state)
{
	(void)state;
	assert_int_equal(put("/a", 1), STORE_DONE);
	set_room(disk_used() + 10000);
	assert_int_equal(put("/large", 500000), STORE_NOT_SENT);
	assert_non_null(store_read_only_reason(store));
	assert_int_equal(put("/b", 500000), STORE_NOT_SENT);
	assert_true(has("/a"));
	assert_false(has("/large"));
	the_disk.room = 0;
	assert_int_equal(put("/c", 500000), STORE_DONE); /* the next attempt finds room */
	assert_null(store_read_only_reason(store));
	restart();
	assert_true(has("/a") && has("/c"));
	assert_false(has("/large") || has("/b"));
}

/* Nobody asks for anything. */
static void it_comes_back_by_itself(void **state)
{
	(void)state;
	set_room(disk_used() + 10000);
	assert_int_equal(put("/large", 500000), STORE_NOT_SENT);
	the_disk.room = 0;
	while (store_read_only_reason(store))
		turn();
	assert_int_equal(put("/a", 1), STORE_DONE);
}

/* Start and promise use what was kept for them; the first entry of this start finds no room. */
static void a_full_disk_at_the_start(void **state)
{
	(void)state;
	assert_int_equal(put("/a", 1), STORE_DONE);
	store_close(store);
	set_room(disk_used());
	must_open();
	assert_true(has("/a"));
	assert_int_equal(put("/b", 500000), STORE_NOT_SENT);
	the_disk.room = 0;
	assert_int_equal(put("/c", 1), STORE_DONE);
	restart();
	assert_true(has("/a") && has("/c"));
	assert_false(has("/b"));
}

/* Start and promise fit, but no entry: it opens, and is read until it comes back. */
static void a_very_full_disk_at_the_start(void **state)
{
	bool was_down = false;

	(void)state;
	assert_int_equal(put("/a", 1), STORE_DONE);
	for (size_t reserved = 4096; !was_down; reserved += 4096) {
		struct store_options options = {
			.directory = directory, .node = "n1", .run = directory};
		struct err err = ERR_INIT;

		assert_true(reserved < 256 * 1024);
		store_close(store);
		store = NULL;
		the_disk.room = 0; /* what closing and looking need */
		must_open();
		store_close(store);
		store = NULL;
		set_room(disk_used());
		the_disk.reserved = reserved;
		if (store_open(&options, &store, &err) == 0)
			was_down = store_read_only_reason(store) != NULL;
		else
			assert_int_equal(err.code, ERR_NO_SPACE);
	}
	assert_true(has("/a"));
	assert_int_equal(put("/b", 1), STORE_NOT_SENT);
	the_disk.room = 0;
	while (store_read_only_reason(store))
		turn();
	assert_int_equal(put("/c", 1), STORE_DONE);
	restart();
	assert_true(has("/a") && has("/c"));
	assert_false(has("/b"));
}

static void not_even_room_to_start(void **state)
{
	struct store_options options = {.directory = directory, .node = "n1", .run = directory};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(put("/a", 1), STORE_DONE);
	store_close(store);
	set_room(disk_used());
	the_disk.reserve = NULL; /* somebody took it */
	assert_int_equal(store_open(&options, &store, &err), -ERR_NO_SPACE);
	the_disk.room = 0;
	must_open();
	assert_true(has("/a"));
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
		TEST(what_finds_no_room_is_not_done), TEST(it_comes_back_by_itself),
		TEST(a_full_disk_at_the_start),	      TEST(a_very_full_disk_at_the_start),
		TEST(not_even_room_to_start),
	};

	return cmocka_run_group_tests(tests, use_memory, NULL);
}
