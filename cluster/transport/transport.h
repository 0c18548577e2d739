/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A closed group of processes as the driver of a replica sees it: datagrams to all members, this one included, and
 * the membership. Nothing that the group promises is needed for safety; what it does not deliver costs time.
 * All functions run on the owner's loop thread, and none waits. */
#pragma once

#include "agent/base/err.h"
#include "cluster/core/replica.h"

struct group_transport;

struct transport_sink {
	void (*view)(const struct event_view *view, void *ctx);
	void (*quorum)(bool is_quorate, void *ctx);
	void (*message)(uint32_t node, uint32_t pid, const void *data, size_t size, void *ctx);
	void *ctx;
};

struct transport_ops {
	int (*join)(struct group_transport *t, struct err *err);
	void (*leave)(struct group_transport *t);
	/* 0. ERR_BUSY: not now, certainly not sent. ERR_UNAVAILABLE: not in the group. */
	int (*send)(struct group_transport *t, const void *data, size_t size);
	/* Delivers what has come; the callbacks may send. ERR_UNAVAILABLE: the group is lost, join again. */
	int (*dispatch)(struct group_transport *t, const struct transport_sink *sink,
			struct err *err);
	int (*fd)(const struct group_transport *t); /* readable when dispatch has something to do */
	void (*free)(struct group_transport *t);
};

/* Embedded as the first member. */
struct group_transport {
	const struct transport_ops *ops;
	uint32_t node;	 /* id in the group, never 0 */
	size_t max_size; /* of a datagram */
};
