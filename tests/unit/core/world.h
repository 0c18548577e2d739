/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's parts around a real store, both sockets of its server with a fake API behind them, and
 * one client. Included by one test file each. */
#pragma once

#include "fixture.h"

#include <sys/epoll.h>

#include "agent/base/conn.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/core.h"
#include "agent/core/guests.h"
#include "agent/core/nextid.h"
#include "agent/core/onboot.h"
#include "agent/core/server.h"
#include "agent/core/storages.h"

struct world {
	struct core core;
	struct server *server;
	struct conn *conn; /* client */
	struct reply reply;
	bool has_reply;
	bool was_local;
	unsigned cancelled;
	unsigned stored;
};

static struct world *world; /* for the fake API, whose functions have no context */

static inline void fake_api_call(struct core *core, struct conn *conn, uint64_t id,
				 struct call *call, bool is_local)
{
	struct reply reply = REPLY_INIT;

	(void)core;
	world->was_local = is_local;
	if (str_eq(fields_get(&call->head, "path"), "/never"))
		return;
	reply.status = 200;
	buf_add_str(&reply.body, "{\"data\":1}");
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static inline void fake_api_cancel(struct core *core, struct conn *conn, uint64_t id)
{
	(void)core;
	(void)conn;
	(void)id;
	world->cancelled++;
}

static inline int on_store(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	store_dispatch(((struct core *)ctx)->store);
	return 0;
}

static inline void open_core(struct core *core)
{
	autofree char *db = path_join(path_state(), "db");
	const struct store_options options = {.directory = db, .node = "alpha"};
	struct err err = ERR_INIT;

	str_copy(core->node, sizeof(core->node), "alpha");
	assert_true(sd_event_new(&core->event) >= 0);
	if (store_open(&options, &core->store, &err) < 0)
		fail_msg("%s", err.message);
	sd_event_add_io(core->event, &core->store_source, store_fd(core->store), EPOLLIN, on_store,
			core);
	assert_int_equal(access_new(core->store, &core->access, NULL), 0);
	assert_int_equal(jobs_new(core->event, core->node, &core->jobs, NULL), 0);
	core->facts = facts_new();
	core->helpers = helpers_new(core->event);
	core->guests = guests_new(core);
	core->nextid = nextid_new();
	core->storages = storages_new(core);
	core->onboot = onboot_new(core);
}

static inline int set_up(void **state)
{
	static const struct server_ops ops = {fake_api_call, fake_api_cancel};
	struct err err = ERR_INIT;

	fixture_make();
	world = xcalloc(1, sizeof(*world));
	open_core(&world->core);
	if (server_new(&world->core, &ops, &world->server, &err) < 0)
		fail_msg("%s", err.message);
	*state = world;
	return 0;
}

static inline int tear_down(void **state)
{
	struct core *core = &world->core;

	(void)state;
	if (world->conn)
		conn_close(world->conn);
	server_free(world->server);
	onboot_free(core->onboot);
	storages_free(core->storages);
	nextid_free(core->nextid);
	guests_free(core->guests);
	helpers_free(core->helpers);
	facts_free(core->facts);
	jobs_free(core->jobs);
	access_free(core->access);
	if (core->tls_timer)
		sd_event_source_disable_unref(core->tls_timer);
	sd_event_source_disable_unref(core->store_source);
	store_close(core->store);
	sd_event_unref(core->event);
	reply_fini(&world->reply);
	free(world);
	fixture_remove();
	return 0;
}

/* Client side */

static inline void on_reply(struct reply *reply, void *ctx)
{
	struct world *w = ctx;

	reply_fini(&w->reply);
	w->reply = *reply;
	*reply = REPLY_INIT;
	w->has_reply = true;
}

static inline void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)err;
	((struct world *)ctx)->conn = NULL;
}

static inline bool has_reply(void *ctx)
{
	return ((struct world *)ctx)->has_reply;
}

static inline void connect_to(const char *name)
{
	static const struct conn_ops ops = {.on_closed = on_closed};
	autofree char *path = path_join(path_run(), "%s", name);
	int fd = -1;

	if (world->conn)
		conn_close(world->conn);
	assert_int_equal(conn_connect(path, &fd, NULL), 0);
	assert_int_equal(conn_new(world->core.event, fd, &ops, world, &world->conn, NULL), 0);
}

static inline unsigned ask(struct call *call)
{
	world->has_reply = false;
	assert_int_equal(conn_call(world->conn, call, on_reply, world, NULL, NULL), 0);
	fixture_run_until(world->core.event, has_reply, world);
	call_fini(call);
	return world->reply.status;
}

static inline unsigned ask_op(unsigned op, const char *head, const char *value)
{
	struct call call = CALL_INIT;

	call.op = (uint16_t)op;
	fields_add(&call.head, head, value);
	return ask(&call);
}

/* Store */

static inline void on_stored(const struct store_result *result, void *ctx)
{
	(void)ctx;
	assert_int_equal(result->outcome, STORE_DONE);
	world->stored++;
}

static inline bool has_stored(void *ctx)
{
	(void)ctx;
	return world->stored > 0;
}

static inline void put(const char *path, const char *text)
{
	const struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = text, .size = strlen(text)};
	const struct store_txn txn = {.who = "test", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;

	world->stored = 0;
	if (store_submit(world->core.store, &txn, on_stored, NULL, &err) < 0)
		fail_msg("%s", err.message);
	fixture_run_until(world->core.event, has_stored, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
