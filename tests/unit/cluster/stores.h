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

#define STORES_NODES	3
#define STORES_PATIENCE (60 * USEC_PER_SEC)

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

struct stores_node {
	char directory[64];
	struct line *line;
	struct store *store; /* NULL: does not run */
};

static struct {
	struct hub *hub;
	struct stores_node nodes[STORES_NODES + 1]; /* by node id */
} stores;

static inline struct store *stores_at(uint32_t node)
{
	return stores.nodes[node].store;
}

static inline void stores_open(uint32_t node)
{
	struct stores_node *n = &stores.nodes[node];
	struct store_options options = {
		.directory = n->directory, .run = n->directory, .node = "n"};
	struct err err = ERR_INIT;

	n->line = xcalloc(1, sizeof(*n->line));
	n->line->real = hub_transport(stores.hub, node);
	n->line->base = *n->line->real;
	n->line->base.ops = &line_ops;
	options.transport = &n->line->base;
	if (store_open(&options, &n->store, &err) < 0)
		fail_msg("open node %u: %s", node, err.message);
}

/* As a process that is killed. */
static inline void stores_kill(uint32_t node)
{
	store_free(TAKE(stores.nodes[node].store));
	stores.nodes[node].line = NULL;
}

/* As a process that stops: what it applied is settled. */
static inline void stores_close(uint32_t node)
{
	store_close(TAKE(stores.nodes[node].store));
	stores.nodes[node].line = NULL;
}

static inline void stores_turn(void)
{
	struct pollfd fds[STORES_NODES];
	uint32_t nodes[STORES_NODES];
	nfds_t count = 0;

	for (uint32_t node = 1; node <= STORES_NODES; node++)
		if (stores_at(node)) {
			nodes[count] = node;
			fds[count++] =
				(struct pollfd){.fd = store_fd(stores_at(node)), .events = POLLIN};
		}
	assert_true(poll(fds, count, 20000) > 0);
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents && stores_at(nodes[i]))
			store_dispatch(stores_at(nodes[i]));
}

/* Turns until the condition holds. */
#define STORES_UNTIL(condition)                                                                    \
	do {                                                                                       \
		usec_t until = clock_monotonic() + STORES_PATIENCE;                                \
		while (!(condition)) {                                                             \
			if (clock_monotonic() > until)                                             \
				fail_msg("never: %s", #condition);                                 \
			stores_turn();                                                             \
		}                                                                                  \
	} while (0)

/* ---- changes ---- */

struct stores_change {
	bool is_back;
	struct store_result result;
};

static inline void stores_back(const struct store_result *result, void *ctx)
{
	struct stores_change *c = ctx;

	assert_false(c->is_back);
	c->is_back = true;
	c->result = *result;
}

static inline int stores_try_op(uint32_t node, const struct store_op *op, usec_t timeout,
				struct stores_change *c, struct err *err)
{
	struct store_txn txn = {.who = "root@pam",
				.ops = op,
				.op_count = 1,
				.deadline = timeout ? clock_monotonic() + timeout : 0};

	*c = (struct stores_change){0};
	return store_submit(stores_at(node), &txn, stores_back, c, err);
}

static inline int stores_try_put(uint32_t node, const char *path, const char *value, usec_t timeout,
				 struct stores_change *c, struct err *err)
{
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = strlen(value)};

	return stores_try_op(node, &op, timeout, c, err);
}

static inline void stores_submit(uint32_t node, const char *path, const char *value, usec_t timeout,
				 struct stores_change *c)
{
	struct err err = ERR_INIT;

	if (stores_try_put(node, path, value, timeout, c, &err) < 0)
		fail_msg("%s", err.message);
}

/* Asks again as long as nobody leads yet. */
static inline void stores_put(uint32_t node, const char *path, const char *value)
{
	struct stores_change c;

	do {
		stores_submit(node, path, value, 0, &c);
		STORES_UNTIL(c.is_back);
	} while (c.result.outcome == STORE_NOT_SENT);
	if (c.result.outcome != STORE_DONE)
		fail_msg("put %s on %u: %d %s", path, node, c.result.outcome, c.result.err.message);
}

static inline bool stores_has(uint32_t node, const char *path, const char *value)
{
	struct store_value v;

	return store_get(stores_at(node), path, &v) && str_eq(v.data, value);
}

static inline bool stores_all_have(const char *path, const char *value)
{
	for (uint32_t node = 1; node <= STORES_NODES; node++)
		if (stores_at(node) && !stores_has(node, path, value))
			return false;
	return true;
}

/* The node that leads; 0: none does. */
static inline uint32_t stores_leader(void)
{
	for (uint32_t node = 1; node <= STORES_NODES; node++)
		if (stores_at(node) && store_leads(stores_at(node)))
			return node;
	return 0;
}

static inline uint32_t stores_follower(void)
{
	return stores_leader() == 1 ? 2 : 1;
}

/* ---- the cluster ---- */

static inline void stores_admit(uint32_t node)
{
	struct stores_change c;
	struct err err = ERR_INIT;

	do {
		c = (struct stores_change){0};
		assert_int_equal(store_admit(stores_at(1), node,
					     store_identity(stores_at(node))->incarnation,
					     stores_back, &c, &err),
				 0);
		STORES_UNTIL(c.is_back);
	} while (c.result.outcome == STORE_NOT_SENT);
	assert_int_equal(c.result.outcome, STORE_DONE);
}

static inline int stores_setup(void **state)
{
	const struct store_identity *id;

	(void)state;
	stores.hub = hub_new(STORES_NODES);
	for (uint32_t node = 1; node <= STORES_NODES; node++) {
		strcpy(stores.nodes[node].directory, "/dev/shm/lodge-stores-XXXXXX");
		assert_non_null(mkdtemp(stores.nodes[node].directory));
		stores_open(node);
	}
	assert_int_equal(store_found(stores_at(1), NULL), 0);
	id = store_identity(stores_at(1));
	for (uint32_t node = 2; node <= STORES_NODES; node++)
		assert_int_equal(store_join(stores_at(node), id->cluster_id, id->fork_id, NULL), 0);
	STORES_UNTIL(stores_leader() == 1);
	stores_admit(2);
	stores_admit(3);
	return 0;
}

static inline int stores_teardown(void **state)
{
	(void)state;
	for (uint32_t node = 1; node <= STORES_NODES; node++) {
		if (stores_at(node))
			stores_kill(node);
		dir_remove_tree(stores.nodes[node].directory, NULL);
	}
	hub_free(TAKE(stores.hub));
	return 0;
}
