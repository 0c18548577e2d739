/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group inside one process. One lock holds all of it, so that all members see one order; callbacks run without. */
#include "cluster/transport/hub.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/list.h"

/* Something to deliver. */
struct parcel {
	struct list node;
	uint32_t from, pid; /* from 0: a view */
	uint64_t ring;
	struct view_member members[HUB_MEMBERS_MAX];
	size_t member_count;
	size_t size;
	char data[];
};

struct member_end {
	struct group_transport base;
	struct hub *hub;
	uint32_t pid; /* 0: not in the group; only its own thread changes it */
	int event_fd;
	struct list parcels;
	size_t count;
};

struct hub {
	pthread_mutex_t lock;
	struct member_end *ends[HUB_MEMBERS_MAX + 1]; /* by node */
	bool is_cut[HUB_MEMBERS_MAX + 1][HUB_MEMBERS_MAX + 1];
	unsigned expected;
	uint64_t ring;
	uint32_t next_pid;
};

static struct member_end *end_of(struct group_transport *t)
{
	return CONTAINER_OF(t, struct member_end, base);
}

static void put(struct member_end *end, struct parcel *parcel)
{
	list_append(&end->parcels, &parcel->node);
	if (end->count++ == 0)
		eventfd_write(end->event_fd, 1);
}

static void drop_all(struct member_end *end)
{
	LIST_FOREACH (&end->parcels, p, struct parcel, node)
		free(p);
	list_init(&end->parcels);
	end->count = 0;
}

static void new_view(struct hub *hub)
{
	struct parcel view = {.ring = ++hub->ring};

	for (uint32_t node = 1; node <= HUB_MEMBERS_MAX; node++)
		if (hub->ends[node] && hub->ends[node]->pid)
			view.members[view.member_count++] =
				(struct view_member){.node = node, .pid = hub->ends[node]->pid};
	for (uint32_t node = 1; node <= HUB_MEMBERS_MAX; node++)
		if (hub->ends[node] && hub->ends[node]->pid)
			put(hub->ends[node], xmemdup(&view, sizeof(view)));
}

static int hub_join(struct group_transport *t, struct err *err)
{
	struct member_end *end = end_of(t);

	(void)err;
	if (end->pid)
		return 0;
	pthread_mutex_lock(&end->hub->lock);
	end->pid = ++end->hub->next_pid;
	new_view(end->hub);
	pthread_mutex_unlock(&end->hub->lock);
	return 0;
}

static void hub_leave(struct group_transport *t)
{
	struct member_end *end = end_of(t);

	if (!end->pid)
		return;
	pthread_mutex_lock(&end->hub->lock);
	end->pid = 0;
	drop_all(end);
	new_view(end->hub);
	pthread_mutex_unlock(&end->hub->lock);
}

static bool is_crowded(const struct hub *hub)
{
	for (uint32_t node = 1; node <= HUB_MEMBERS_MAX; node++)
		if (hub->ends[node] && hub->ends[node]->count >= HUB_QUEUE_MAX)
			return true;
	return false;
}

static void put_copy(const struct member_end *from, struct member_end *to, const void *data,
		     size_t size)
{
	struct parcel *p = xcalloc(1, sizeof(*p) + size);

	p->from = from->base.node;
	p->pid = from->pid;
	p->size = size;
	memcpy(p->data, data, size);
	put(to, p);
}

static int hub_send(struct group_transport *t, const void *data, size_t size)
{
	struct member_end *from = end_of(t);
	struct hub *hub = from->hub;
	bool is_busy;

	if (!from->pid)
		return -ERR_UNAVAILABLE;
	pthread_mutex_lock(&hub->lock);
	is_busy = is_crowded(hub);
	for (uint32_t node = 1; node <= HUB_MEMBERS_MAX && !is_busy; node++)
		if (hub->ends[node] && hub->ends[node]->pid && !hub->is_cut[t->node][node])
			put_copy(from, hub->ends[node], data, size);
	pthread_mutex_unlock(&hub->lock);
	return is_busy ? -ERR_BUSY : 0;
}

static void deliver(const struct hub *hub, const struct parcel *p,
		    const struct transport_sink *sink)
{
	struct event_view view = {
		.ring = p->ring, .ring_node = 1, .members = p->members, .count = p->member_count};

	if (p->from) {
		sink->message(p->from, p->pid, p->data, p->size, sink->ctx);
		return;
	}
	sink->quorum(2 * p->member_count > hub->expected, sink->ctx);
	sink->view(&view, sink->ctx);
}

/* Moves what waits: what its delivery causes comes next time. */
static void take_all(struct member_end *end, struct list *ret)
{
	eventfd_t ignored;

	list_init(ret);
	pthread_mutex_lock(&end->hub->lock);
	eventfd_read(end->event_fd, &ignored);
	while (!list_is_empty(&end->parcels)) {
		struct list *first = end->parcels.next;

		list_remove(first);
		list_append(ret, first);
	}
	end->count = 0;
	pthread_mutex_unlock(&end->hub->lock);
}

static int hub_dispatch(struct group_transport *t, const struct transport_sink *sink,
			struct err *err)
{
	struct member_end *end = end_of(t);
	struct list now;

	(void)err;
	take_all(end, &now);
	LIST_FOREACH (&now, p, struct parcel, node) {
		if (end->pid)
			deliver(end->hub, p, sink);
		free(p);
	}
	return 0;
}

static int hub_fd(const struct group_transport *t)
{
	return ((const struct member_end *)t)->event_fd;
}

static void hub_end_free(struct group_transport *t)
{
	struct member_end *end = end_of(t);

	hub_leave(t);
	pthread_mutex_lock(&end->hub->lock);
	drop_all(end);
	end->hub->ends[t->node] = NULL;
	pthread_mutex_unlock(&end->hub->lock);
	closep(&end->event_fd);
	free(end);
}

static const struct transport_ops hub_ops = {.join = hub_join,
					     .leave = hub_leave,
					     .send = hub_send,
					     .dispatch = hub_dispatch,
					     .fd = hub_fd,
					     .free = hub_end_free};

struct hub *hub_new(unsigned expected)
{
	struct hub *hub = xcalloc(1, sizeof(*hub));

	pthread_mutex_init(&hub->lock, NULL);
	hub->expected = expected;
	return hub;
}

void hub_free(struct hub *hub)
{
	if (hub)
		pthread_mutex_destroy(&hub->lock);
	free(hub);
}

struct group_transport *hub_transport(struct hub *hub, uint32_t node)
{
	struct member_end *end = xcalloc(1, sizeof(*end));

	end->base = (struct group_transport){.ops = &hub_ops, .node = node, .max_size = 64 * 1024};
	end->hub = hub;
	end->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	list_init(&end->parcels);
	pthread_mutex_lock(&hub->lock);
	hub->ends[node] = end;
	pthread_mutex_unlock(&hub->lock);
	return &end->base;
}

void hub_cut(struct hub *hub, uint32_t a, uint32_t b, bool is_cut)
{
	pthread_mutex_lock(&hub->lock);
	hub->is_cut[a][b] = hub->is_cut[b][a] = is_cut;
	pthread_mutex_unlock(&hub->lock);
}
