/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations that the core serves itself; the table in server.c names who may call them. */
#pragma once

#include "agent/base/conn.h"
#include "agent/core/core.h"

/* Each answers exactly once, now or later. */
void server_store_get(struct core *core, struct conn *conn, uint64_t id, struct call *call);
void server_store_txn(struct core *core, struct conn *conn, uint64_t id, struct call *call);
void server_guest_state(struct core *core, struct conn *conn, uint64_t id, struct call *call);
void server_guest_job(struct core *core, struct conn *conn, uint64_t id, struct call *call);
void server_guest_end(struct core *core, struct conn *conn, uint64_t id, struct call *call);
/* The connection is gone: what it still waits for has no reader. */
void server_store_forget(struct conn *conn);

/* Events of the monitor; bad ones are logged. */
void server_event_guest(struct core *core, struct call *event);
void server_event_node(struct core *core, struct call *event);
void server_event_listing(struct core *core, struct call *event);
void server_event_listed(struct core *core, struct call *event);
void server_event_unlisted(struct core *core, struct call *event);
void server_event_hello(struct core *core, struct call *event);
void server_event_net(struct core *core, struct call *event);

void server_reply(struct conn *conn, uint64_t id, unsigned status, const char *message);
