/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's two sockets and the table of what each serves. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/conn.h"
#include "agent/core/core.h"

struct server;

/* What main connects: this library knows nothing of the API's. */
struct server_ops {
	void (*api_call)(struct core *core, struct conn *conn, uint64_t id, struct call *call,
			 bool is_local);
	void (*api_cancel)(struct core *core, struct conn *conn, uint64_t id); /* 0: all of conn */
};

/* Listens; stale sockets are replaced. */
int server_new(struct core *core, const struct server_ops *ops, struct server **ret,
	       struct err *err);
void server_free(struct server *server);
