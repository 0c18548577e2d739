/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three stores on real databases in one group, driven from one loop. Two of them belong to no cluster when the first one
 * founds it, and have heard nothing of what it said until then. */
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
#include "cluster/store.h"
#include "cluster/transport/hub.h"

#define NODES	3
#define TIMEOUT (60 * USEC_PER_SEC)

struct three {
	char directory[64];
	struct hub *hub;
	struct store *stores[NODES];
};

static void turn(struct three *t)
{
	struct pollfd p[NODES];

	for (int i = 0; i < NODES; i++)
		p[i] = (struct pollfd){.fd = store_fd(t->stores[i]), .events = POLLIN};
	assert_true(poll(p, NODES, clock_left_ms(clock_monotonic() + TIMEOUT)) > 0);
	for (int i = 0; i < NODES; i++)
		if (p[i].revents)
			store_dispatch(t->stores[i]);
}

static int setup(void **state)
{
	struct three *t = xcalloc(1, sizeof(*t));

	strcpy(t->directory, "/tmp/lodge-three-XXXXXX");
	assert_non_null(mkdtemp(t->directory));
	t->hub = hub_new(NODES);
	for (int i = 0; i < NODES; i++) {
		autofree char *directory = xasprintf("%s/n%d", t->directory, i + 1);
		struct store_options options = {.directory = directory,
						.run = directory,
						.node = "n",
						.transport =
							hub_transport(t->hub, (uint32_t)i + 1)};
		struct err err = ERR_INIT;

		if (store_open(&options, &t->stores[i], &err) < 0)
			fail_msg("%s", err.message);
	}
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct three *t = *state;

	for (int i = 0; i < NODES; i++)
		store_close(t->stores[i]);
	hub_free(t->hub);
	dir_remove_tree(t->directory, NULL);
	free(t);
	return 0;
}

static void note(const struct store_result *result, void *ctx)
{
	*(struct store_result *)ctx = *result;
}

static void found(struct three *t)
{
	const struct store_identity *first = store_identity(t->stores[0]);
	struct err err = ERR_INIT;

	assert_int_equal(store_found(t->stores[0], &err), 0);
	while (!store_leads(t->stores[0]))
		turn(t);
	for (uint32_t i = 1; i < NODES; i++) {
		struct store_result result = {0};

		assert_int_equal(store_join(t->stores[i], first->cluster_id, first->fork_id, &err),
				 0);
		assert_int_equal(store_admit(t->stores[0], i + 1,
					     store_identity(t->stores[i])->incarnation, note,
					     &result, &err),
				 0);
		while (!result.outcome)
			turn(t);
		assert_int_equal(result.outcome, STORE_DONE);
	}
}

static struct store_result put(struct three *t, int node, const char *path, const char *value)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	struct store_result result = {0};
	struct err err = ERR_INIT;

	assert_int_equal(store_submit(t->stores[node], &txn, note, &result, &err), 0);
	while (!result.outcome)
		turn(t);
	return result;
}

/* Each becomes a voter, however late it heard of the cluster; each writes, and sees what the others wrote. */
static void those_who_join_become_voters(void **state)
{
	struct three *t = *state;
	const char *const paths[NODES] = {"/a", "/b", "/c"};
	struct store_value v;

	found(t);
	for (int i = 0; i < NODES; i++) {
		struct store_result result = put(t, i, paths[i], "value");

		assert_int_equal(result.outcome, STORE_DONE);
		assert_true(store_get(t->stores[i], paths[i], &v));
		assert_int_equal(v.version, result.version);
	}
	for (int i = 0; i < NODES; i++)
		while (!store_get(t->stores[i], paths[NODES - 1], &v))
			turn(t);
}

/* Two of three go on without the third. */
static void a_majority_is_enough(void **state)
{
	struct three *t = *state;

	found(t);
	hub_cut(t->hub, 1, 3, true);
	hub_cut(t->hub, 2, 3, true);
	assert_int_equal(put(t, 1, "/a", "value").outcome, STORE_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(those_who_join_become_voters, setup, teardown),
		cmocka_unit_test_setup_teardown(a_majority_is_enough, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
