/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several stores in one process, on real databases, over one hub. Between each and the hub is a transport that can be made
 * busy, or lost. */
#pragma once

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
#include "cluster/driver/driver.h"
#include "cluster/transport/hub.h"

#define TRIO_NODES    3
#define TRIO_PATIENCE (60 * USEC_PER_SEC)

/* ---- the transport between ---- */

struct line {
	struct group_transport base;
	struct group_transport *real;
	bool is_busy, is_lost; /* the next dispatch says so */
	unsigned refused;
};

static inline struct line *line_of(struct group_transport *t)
{
	return CONTAINER_OF(t, struct line, base);
}

static inline int line_join(struct group_transport *t, struct err *err)
{
	struct line *l = line_of(t);

	return l->real->ops->join(l->real, err);
}

static inline void line_leave(struct group_transport *t)
{
	struct line *l = line_of(t);

	l->real->ops->leave(l->real);
}

static inline int line_send(struct group_transport *t, const void *data, size_t size)
{
	struct line *l = line_of(t);

	if (l->is_busy) {
		l->refused++;
		return -ERR_BUSY;
	}
	return l->real->ops->send(l->real, data, size);
}

static inline int line_dispatch(struct group_transport *t, const struct transport_sink *sink,
				struct err *err)
{
	struct line *l = line_of(t);

	if (l->is_lost) {
		l->is_lost = false;
		return err_set(err, ERR_UNAVAILABLE, "the group is lost");
	}
	return l->real->ops->dispatch(l->real, sink, err);
}

static inline int line_fd(const struct group_transport *t)
{
	const struct line *l = (const struct line *)t;

	return l->real->ops->fd(l->real);
}

static inline void line_free(struct group_transport *t)
{
	struct line *l = line_of(t);

	l->real->ops->free(l->real);
	free(l);
}

static const struct transport_ops line_ops = {.join = line_join,
					      .leave = line_leave,
					      .send = line_send,
					      .dispatch = line_dispatch,
					      .fd = line_fd,
					      .free = line_free};

/* ---- the nodes ---- */

struct trio_node {
	char directory[64];
	struct line *line;
	struct store *store; /* NULL: does not run */
};

static struct {
	struct hub *hub;
	struct trio_node nodes[TRIO_NODES + 1]; /* by node id */
} trio;

static inline struct store *trio_store(uint32_t node)
{
	return trio.nodes[node].store;
}

static inline void trio_open(uint32_t node)
{
	struct trio_node *n = &trio.nodes[node];
	struct store_options options = {
		.directory = n->directory, .run = n->directory, .node = "n"};
	struct err err = ERR_INIT;

	n->line = xcalloc(1, sizeof(*n->line));
	n->line->real = hub_transport(trio.hub, node);
	n->line->base = *n->line->real;
	n->line->base.ops = &line_ops;
	options.transport = &n->line->base;
	if (store_open(&options, &n->store, &err) < 0)
		fail_msg("open node %u: %s", node, err.message);
}

/* As a process that is killed. */
static inline void trio_kill(uint32_t node)
{
	store_free(TAKE(trio.nodes[node].store));
	trio.nodes[node].line = NULL;
}

static inline void trio_turn(void)
{
	struct pollfd fds[TRIO_NODES];
	uint32_t nodes[TRIO_NODES];
	nfds_t count = 0;

	for (uint32_t node = 1; node <= TRIO_NODES; node++)
		if (trio_store(node)) {
			nodes[count] = node;
			fds[count++] =
				(struct pollfd){.fd = store_fd(trio_store(node)), .events = POLLIN};
		}
	assert_true(poll(fds, count, 20000) > 0);
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents && trio_store(nodes[i]))
			store_dispatch(trio_store(nodes[i]));
}

/* Turns until the condition holds. */
#define TRIO_UNTIL(condition)                                                                      \
	do {                                                                                       \
		usec_t until = clock_monotonic() + TRIO_PATIENCE;                                  \
		while (!(condition)) {                                                             \
			if (clock_monotonic() > until)                                             \
				fail_msg("never: %s", #condition);                                 \
			trio_turn();                                                               \
		}                                                                                  \
	} while (0)

/* ---- changes ---- */

struct trio_change {
	bool is_back;
	struct store_result result;
};

static inline void trio_back(const struct store_result *result, void *ctx)
{
	struct trio_change *c = ctx;

	assert_false(c->is_back);
	c->is_back = true;
	c->result = *result;
}

static inline int trio_try_op(uint32_t node, const struct store_op *op, usec_t timeout,
			      struct trio_change *c, struct err *err)
{
	struct store_txn txn = {.who = "root@pam",
				.ops = op,
				.op_count = 1,
				.deadline = timeout ? clock_monotonic() + timeout : 0};

	*c = (struct trio_change){0};
	return store_submit(trio_store(node), &txn, trio_back, c, err);
}

static inline int trio_try_put(uint32_t node, const char *path, const char *value, usec_t timeout,
			       struct trio_change *c, struct err *err)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};

	return trio_try_op(node, &op, timeout, c, err);
}

static inline void trio_submit(uint32_t node, const char *path, const char *value, usec_t timeout,
			       struct trio_change *c)
{
	struct err err = ERR_INIT;

	if (trio_try_put(node, path, value, timeout, c, &err) < 0)
		fail_msg("%s", err.message);
}

/* Asks again as long as nobody leads yet. */
static inline void trio_put(uint32_t node, const char *path, const char *value)
{
	struct trio_change c;

	do {
		trio_submit(node, path, value, 0, &c);
		TRIO_UNTIL(c.is_back);
	} while (c.result.outcome == STORE_NOT_SENT);
	if (c.result.outcome != STORE_DONE)
		fail_msg("put %s on %u: %d %s", path, node, c.result.outcome, c.result.err.message);
}

static inline bool trio_has(uint32_t node, const char *path, const char *value)
{
	struct store_value v;

	return store_get(trio_store(node), path, &v) && str_eq(v.data, value);
}

static inline bool trio_all_have(const char *path, const char *value)
{
	for (uint32_t node = 1; node <= TRIO_NODES; node++)
		if (trio_store(node) && !trio_has(node, path, value))
			return false;
	return true;
}

/* The node that leads; 0: none does. */
static inline uint32_t trio_leader(void)
{
	for (uint32_t node = 1; node <= TRIO_NODES; node++)
		if (trio_store(node) && store_leads(trio_store(node)))
			return node;
	return 0;
}

static inline uint32_t trio_follower(void)
{
	return trio_leader() == 1 ? 2 : 1;
}

/* ---- the cluster ---- */

static inline void trio_admit(uint32_t node)
{
	struct trio_change c;
	struct err err = ERR_INIT;

	do {
		c = (struct trio_change){0};
		assert_int_equal(store_admit(trio_store(1), node,
					     store_identity(trio_store(node))->incarnation,
					     trio_back, &c, &err),
				 0);
		TRIO_UNTIL(c.is_back);
	} while (c.result.outcome == STORE_NOT_SENT);
	assert_int_equal(c.result.outcome, STORE_DONE);
}

static inline int trio_setup(void **state)
{
	const struct store_identity *id;

	(void)state;
	trio.hub = hub_new(TRIO_NODES);
	for (uint32_t node = 1; node <= TRIO_NODES; node++) {
		strcpy(trio.nodes[node].directory, "/dev/shm/lodge-trio-XXXXXX");
		assert_non_null(mkdtemp(trio.nodes[node].directory));
		trio_open(node);
	}
	assert_int_equal(store_found(trio_store(1), NULL), 0);
	id = store_identity(trio_store(1));
	for (uint32_t node = 2; node <= TRIO_NODES; node++)
		assert_int_equal(store_join(trio_store(node), id->cluster_id, id->fork_id, NULL),
				 0);
	TRIO_UNTIL(trio_leader() == 1);
	trio_admit(2);
	trio_admit(3);
	return 0;
}

static inline int trio_teardown(void **state)
{
	(void)state;
	for (uint32_t node = 1; node <= TRIO_NODES; node++) {
		if (trio_store(node))
			trio_kill(node);
		dir_remove_tree(trio.nodes[node].directory, NULL);
	}
	hub_free(TAKE(trio.hub));
	return 0;
}
