/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Store access of job processes. Runs on the core's loop. */
#include <string.h>

#include "agent/base/list.h"
#include "agent/base/mem.h"
#include "agent/core/remote_txn.h"
#include "agent/core/server_ops.h"

/* A transaction whose outcome a job awaits. */
struct waiting {
	struct list link;
	struct conn *conn; /* NULL: gone */
	uint64_t id;
};

static struct list all_waiting = {&all_waiting, &all_waiting};

void server_store_get(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	const char *path = fields_get(&call->head, "path");
	struct reply reply = REPLY_INIT;
	struct store_value value;

	if (!path || !store_path_is_valid(path)) {
		server_reply(conn, id, 400, "invalid path");
		return;
	}
	if (!store_get(core->store, path, &value)) {
		server_reply(conn, id, 404, "no such entry");
		return;
	}
	reply.status = 200;
	fields_addf(&reply.head, "version", "%llu", (unsigned long long)value.version);
	buf_add(&reply.body, value.data, value.size);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static const struct {
	enum store_outcome outcome;
	unsigned status;
} outcome_status[] = {
	{STORE_DONE, 200},
	{STORE_REFUSED, 409},
	{STORE_UNKNOWN, 202},
	{STORE_NOT_SENT, 503},
};

static void on_done(const struct store_result *result, void *ctx)
{
	struct waiting *w = ctx;
	struct reply reply = REPLY_INIT;

	reply.status = 500;
	for (size_t i = 0; i < ARRAY_SIZE(outcome_status); i++)
		if (outcome_status[i].outcome == result->outcome)
			reply.status = (uint16_t)outcome_status[i].status;
	if (result->outcome == STORE_DONE)
		fields_addf(&reply.head, "version", "%llu", (unsigned long long)result->version);
	else
		fields_add(&reply.head, "message", result->err.message);
	if (result->outcome == STORE_UNKNOWN && result->first)
		fields_addf(&reply.head, "first", "%llu", (unsigned long long)result->first);
	if (w->conn)
		conn_reply(w->conn, w->id, &reply);
	reply_fini(&reply);
	list_remove(&w->link);
	free(w);
}

void server_store_txn(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	struct remote_txn txn;
	struct err err = ERR_INIT;

	if (remote_txn_decode(call, &txn, &err) < 0) {
		server_reply(conn, id, 400, err.message);
		return;
	}
	struct waiting *w = xcalloc(1, sizeof(*w));
	w->conn = conn;
	w->id = id;
	list_append(&all_waiting, &w->link);
	if (call->deadline_ms)
		txn.txn.deadline = clock_monotonic() + call->deadline_ms * USEC_PER_MSEC;
	if (store_submit(core->store, &txn.txn, on_done, w, &err) < 0) {
		bool is_later = err.code == ERR_UNAVAILABLE || err.code == ERR_BUSY;

		server_reply(conn, id, is_later ? 503 : 400, err.message);
		list_remove(&w->link);
		free(w);
	}
	remote_txn_fini(&txn);
}

void server_store_forget(struct conn *conn)
{
	LIST_FOREACH (&all_waiting, w, struct waiting, link) {
		if (w->conn == conn)
			w->conn = NULL;
	}
}
