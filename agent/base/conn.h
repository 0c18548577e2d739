/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A framed connection on an sd-event loop: calls in both directions, events, cancel, descriptors.
 * Used by the core (its clients), the gate and the monitor (their link to the core). All
 * functions run on the loop's thread. Callbacks may close the connection they are called for. */
#pragma once

#include <systemd/sd-event.h>

#include "agent/base/clock.h"
#include "agent/base/frame.h"

struct conn;

struct conn_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

struct conn_ops {
	/* A call came in. The callee takes what it needs out of `call` (TAKE descriptors), and
	 * answers once with conn_reply(), now or later. NULL: calls are refused with 501. */
	void (*on_call)(struct conn *conn, uint64_t id, struct call *call, void *ctx);
	void (*on_cancel)(struct conn *conn, uint64_t id, void *ctx); /* may be NULL */
	void (*on_event)(struct conn *conn, struct call *event, void *ctx); /* may be NULL */
	/* The connection is gone (end of file, error, protocol violation: err says which). Open
	 * calls were answered with 596 before. The conn is freed after this returns. */
	void (*on_closed)(struct conn *conn, const struct err *err, void *ctx);
};

/* The reply of a call: exactly once. reply is borrowed; TAKE what is to be kept. On time-out status
 * 504, when the connection broke 596; both carry head "message". */
typedef void (*conn_reply_fn)(struct reply *reply, void *ctx);

/* Takes fd over. */
int conn_new(sd_event *event, int fd, const struct conn_ops *ops, void *ctx, struct conn **ret,
	     struct err *err);
void conn_close(struct conn *conn); /* no on_closed; open calls are dropped without a callback */
const struct conn_peer *conn_peer(const struct conn *conn); /* SO_PEERCRED */
void *conn_ctx(const struct conn *conn);

/* Sends a call; deadline_ms of 0 waits for ever. Returns 0 and its id, -ERR_LIMIT (too many calls,
 * or parameters beyond the bounds of fields.h), or -ERR_UNAVAILABLE (the connection just ended). */
int conn_call(struct conn *conn, struct call *call, conn_reply_fn done, void *ctx, uint64_t *ret_id,
	      struct err *err);
/* Tells the callee and forgets the callback. */
void conn_cancel(struct conn *conn, uint64_t id);
/* Answers a call; takes reply's content. A call that was cancelled or is unknown is ignored. */
void conn_reply(struct conn *conn, uint64_t id, struct reply *reply);
void conn_event(struct conn *conn, const struct call *event);

/* Small frames sent between the two leave together at conn_release(), which must follow in the same
 * callback; what needs a descriptor or piles up leaves at once. Not nested. Frames that come in are
 * handled this way by themselves. */
void conn_hold(struct conn *conn);
void conn_release(struct conn *conn);

/* Listening Unix socket at path (replaced when stale), owned by uid/gid with mode. */
int conn_listen(const char *path, mode_t mode, uid_t uid, gid_t gid, int *ret_fd, struct err *err);
/* Non-blocking connect to a Unix socket. */
int conn_connect(const char *path, int *ret_fd, struct err *err);
