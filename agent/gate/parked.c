/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suspended requests. libmicrohttpd takes a suspended connection out of its own epoll set and
 * watches it for nothing, so they are looked at four times a second, all with one poll(2). (An
 * epoll registration of each would cost two system calls for every request, most of which end
 * within a millisecond.) */
#include "agent/gate/request.h"

#include <poll.h>

#include "agent/base/mem.h"

#define LOOK_EVERY (250 * USEC_PER_MSEC)

struct parked {
	struct list requests; /* CALLED or HELD */
	sd_event_source *timer;
};

static int socket_of(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

void parked_resume(struct request *r)
{
	list_remove(&r->node);
	r->state = REQUEST_ANSWERED;
	MHD_resume_connection(r->connection);
	server_wake(r->gate->server);
}

/* The answer finds nobody; writing it is how libmicrohttpd comes to know. A client that shut down its sending
 * half only is taken for gone as well: both look the same until something is written, and what most of them
 * asked for is better given up than done for nobody. */
static void abandon(struct request *r)
{
	request_uncall(r);
	if (r->state == REQUEST_CALLED)
		request_fail(r, 408, "the client went away");
	parked_resume(r);
}

static void look_at(struct parked *p, struct pollfd *sockets, usec_t now)
{
	struct pollfd *s = sockets;

	LIST_FOREACH (&p->requests, r, struct request, node) {
		if (s->revents & (POLLRDHUP | POLLHUP | POLLERR))
			abandon(r);
		else if (r->state == REQUEST_HELD && r->release_at <= now)
			parked_resume(r);
		s++;
	}
}

static void look(struct parked *p, unsigned count)
{
	autofree struct pollfd *sockets = xcalloc(count, sizeof(*sockets));
	struct pollfd *s = sockets;

	LIST_FOREACH (&p->requests, r, struct request, node)
		*s++ = (struct pollfd){.fd = socket_of(r), .events = POLLRDHUP};
	if (poll(sockets, count, 0) >= 0)
		look_at(p, sockets, clock_monotonic());
}

static unsigned count_of(const struct parked *p)
{
	unsigned n = 0;

	LIST_FOREACH (&p->requests, r, struct request, node)
		n++;
	return n;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct parked *p = userdata;
	unsigned count = count_of(p);

	(void)usec;
	if (count == 0)
		return 0;
	look(p, count);
	sd_event_source_set_time(source, clock_monotonic() + LOOK_EVERY);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void parked_add(struct parked *p, struct request *r)
{
	int enabled = SD_EVENT_OFF;

	MHD_suspend_connection(r->connection);
	list_append(&p->requests, &r->node);
	sd_event_source_get_enabled(p->timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	sd_event_source_set_time(p->timer, clock_monotonic() + LOOK_EVERY);
	sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

int parked_new(sd_event *event, struct parked **ret, struct err *err)
{
	struct parked *p = xcalloc(1, sizeof(*p));
	int r = sd_event_add_time(event, &p->timer, CLOCK_MONOTONIC, 0, 10 * USEC_PER_MSEC,
				  on_timer, p);

	if (r < 0) {
		free(p);
		return err_errno(err, -r, "timer");
	}
	sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
	list_init(&p->requests);
	*ret = p;
	return 0;
}

void parked_free(struct parked *p)
{
	if (!p)
		return;
	LIST_FOREACH (&p->requests, r, struct request, node) {
		request_uncall(r);
		request_fail(r, 503, "the node's HTTPS service is stopping");
		parked_resume(r);
	}
	sd_event_source_disable_unref(p->timer);
	free(p);
}
