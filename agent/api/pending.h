/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request in flight: the handler's view plus what the dispatcher needs to answer it. Private to
 * call.c and request.c. */
#pragma once

#include "agent/api/api.h"
#include "agent/base/conn.h"
#include "agent/base/list.h"

struct helper;

struct pending {
	struct api_request req;
	struct conn *conn; /* NULL: nobody waits any more (client gone, or deadline answered) */
	uint64_t id;	   /* of the call */
	struct list link;
	uint32_t deadline_ms;
	sd_event_source *timer; /* armed when the handler does not finish at once */

	bool is_in_step; /* a handler's function is on the stack: settle after it returned */
	bool is_settled; /* api_finish() or api_fail() was called inside it */
	struct err failure;

	/* api_store(): what comes after, and the paths whose preconditions may fail */
	int (*after_store)(struct api_request *req, struct err *err);
	struct fields preconditions; /* path -> version */

	/* api_run_helper() */
	struct helper *helper;
	int (*after_helper)(struct api_request *req, struct buf *output, struct err *err);
};

static inline struct pending *pending_of(const struct api_request *req)
{
	return CONTAINER_OF(req, struct pending, req);
}

typedef int (*pending_step)(struct pending *p, void *arg, struct err *err);

/* Runs a step of a handler and does what its result says: finish, fail, or wait. p may be gone
 * afterwards. */
void pending_run(struct pending *p, pending_step step, void *arg);
