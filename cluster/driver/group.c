/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replica's messages and the group: cut into datagrams on the way out, put together on the way in. What the group
 * does not take at once waits in a bounded outbox; what does not fit there is lost, and the protocol asks again. */
#include "cluster/driver/driver.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"

#define OUTBOX_MAX   4096
#define RETRY_AFTER  (5 * USEC_PER_MSEC)
#define REJOIN_AFTER USEC_PER_SEC

static void outbox_drop(struct store *store)
{
	LIST_FOREACH (&store->outbox, p, struct parcel, node)
		free(p);
	list_init(&store->outbox);
	store->outbox_count = 0;
}

static void outbox_add(struct store *store, const void *data, size_t size)
{
	struct parcel *p;

	if (store->outbox_count >= OUTBOX_MAX)
		return;
	p = xmalloc(sizeof(*p) + size);
	p->size = size;
	memcpy(p->data, data, size);
	list_append(&store->outbox, &p->node);
	store->outbox_count++;
}

static void outbox_flush(struct store *store)
{
	LIST_FOREACH (&store->outbox, p, struct parcel, node) {
		if (store->transport->ops->send(store->transport, p->data, p->size) == -ERR_BUSY)
			return;
		list_remove(&p->node);
		store->outbox_count--;
		free(p);
	}
}

/* In order: nothing passes what waits. */
static void send_part(const void *part, size_t size, void *ctx)
{
	struct store *store = ctx;

	if (store->outbox_count > 0 ||
	    store->transport->ops->send(store->transport, part, size) == -ERR_BUSY)
		outbox_add(store, part, size);
}

void store_group_send(struct store *store, const struct buf *message)
{
	if (store->is_joined)
		parts_cut(++store->message_number, message->data, message->size,
			  store->transport->max_size, send_part, store);
}

/* ---- what comes ---- */

static void on_view(const struct event_view *view, void *ctx)
{
	struct event ev = {.type = EV_VIEW, .view = *view};

	store_step(ctx, &ev);
}

static void on_quorum(bool is_quorate, void *ctx)
{
	struct event ev = {.type = EV_QUORUM, .is_quorate = is_quorate};

	store_step(ctx, &ev);
}

static void on_message(uint32_t node, uint32_t pid, const void *data, size_t size, void *ctx)
{
	struct store *store = ctx;
	struct event ev = {.type = EV_MESSAGE, .message = {.from = node}};
	const struct buf *message;

	if (node == store->transport->node ||
	    parts_take(store->parts, node, pid, data, size, &message, NULL) <= 0)
		return;
	ev.message.data = message->data;
	ev.message.size = message->size;
	store_step(store, &ev);
}

void store_group_dispatch(struct store *store)
{
	const struct transport_sink sink = {
		.view = on_view, .quorum = on_quorum, .message = on_message, .ctx = store};
	struct err err = ERR_INIT;

	if (!store->transport)
		return;
	if (store->is_joined) {
		outbox_flush(store);
		if (store->transport->ops->dispatch(store->transport, &sink, &err) < 0) {
			log_warning("the store's group: %s", err.message);
			store_group_leave(store);
			store_step(store, &(struct event){.type = EV_QUORUM});
		}
	}
	if (!store->is_joined && !store->read_only && clock_monotonic() >= store->join_at &&
	    replica_role(store->replica) != ROLE_OPENING)
		store_group_join(store);
}

usec_t store_group_deadline(const struct store *store)
{
	if (!store->transport || store->read_only)
		return 0;
	if (!store->is_joined)
		return store->join_at;
	return store->outbox_count ? clock_monotonic() + RETRY_AFTER : 0;
}

/* ---- membership ---- */

int store_group_open(struct store *store, struct err *err)
{
	struct epoll_event on = {.events = EPOLLIN};

	list_init(&store->outbox);
	if (!store->transport)
		return 0;
	store->parts = parts_new();
	if (epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, store->transport->ops->fd(store->transport),
		      &on) < 0)
		return err_errno(err, errno, "watch the store's group");
	return 0;
}

void store_group_join(struct store *store)
{
	struct err err = ERR_INIT;

	if (!store->transport || store->is_joined)
		return;
	store->join_at = clock_monotonic() + REJOIN_AFTER;
	if (store->transport->ops->join(store->transport, &err) < 0)
		log_warning("join the store's group: %s", err.message);
	else
		store->is_joined = true;
}

void store_group_leave(struct store *store)
{
	if (!store->transport || !store->is_joined)
		return;
	store->transport->ops->leave(store->transport);
	store->is_joined = false;
	store->join_at = clock_monotonic() + REJOIN_AFTER;
	outbox_drop(store);
}

void store_group_free(struct store *store)
{
	if (store->outbox.next)
		outbox_drop(store);
	if (store->transport) {
		store_group_leave(store);
		store->transport->ops->free(store->transport);
	}
	parts_free(store->parts);
}
