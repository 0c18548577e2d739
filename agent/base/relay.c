/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A relay of bytes. */
#include "agent/base/relay.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define LAST_BYTES_WAIT (5 * USEC_PER_SEC)

/* One way. */
struct way {
	int from, to;
	size_t size, sent; /* of data */
	bool has_ended;	   /* nothing more comes from `from` */
	bool is_refused;   /* `to` takes nothing any more */
	char *data;
};

static bool is_transient(int errnum)
{
	return errnum == EAGAIN || errnum == EINTR;
}

static void way_send(struct way *w)
{
	while (w->sent < w->size) {
		ssize_t n = send(w->to, w->data + w->sent, w->size - w->sent, MSG_NOSIGNAL);

		if (n < 0 && is_transient(errno))
			return;
		if (n < 0) {
			w->has_ended = w->is_refused = true;
			break;
		}
		w->sent += (size_t)n;
	}
	w->size = w->sent = 0;
}

static void way_receive(struct way *w)
{
	ssize_t n = recv(w->from, w->data, RELAY_BUFFER, 0);

	if (n > 0)
		w->size = (size_t)n;
	else if (n == 0 || !is_transient(errno))
		w->has_ended = true;
}

static void way_poll(const struct way *w, struct pollfd *from, struct pollfd *to)
{
	if (w->size > 0)
		to->events |= POLLOUT;
	else if (!w->has_ended)
		from->events |= POLLIN;
}

/* A socket that neither is read nor written now must not be polled: its hang-up would be told for ever. */
static void hide_idle(struct pollfd *p)
{
	if (p->events == 0)
		p->fd = -1;
}

static void way_turn(struct way *w, short from_events, short to_events)
{
	if (w->size == 0 && !w->has_ended && from_events)
		way_receive(w);
	if (w->size > 0 && to_events)
		way_send(w);
}

/* Who takes nothing any more may have said something before it left: that, but nothing later. */
static void take_last_words(struct way *w, const struct way *back)
{
	if (!back->is_refused || w->has_ended || w->size > 0)
		return;
	way_receive(w);
	w->has_ended |= w->size == 0;
}

/* 1: go on */
static int turn(struct way ways[2], int cancel, usec_t deadline, struct err *err)
{
	struct pollfd fds[3] = {
		{.fd = ways[0].from}, {.fd = ways[1].from}, {.fd = cancel, .events = POLLIN}};
	int r;

	way_poll(&ways[0], &fds[0], &fds[1]);
	way_poll(&ways[1], &fds[1], &fds[0]);
	hide_idle(&fds[0]);
	hide_idle(&fds[1]);
	r = poll(fds, 3, deadline ? clock_left_ms(deadline) : -1);
	if (r < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	if (r > 0 && fds[2].revents)
		return err_set(err, ERR_CANCELLED, "interrupted by signal");
	if (r > 0) {
		way_turn(&ways[0], fds[0].revents, fds[1].revents);
		way_turn(&ways[1], fds[1].revents, fds[0].revents);
		take_last_words(&ways[0], &ways[1]);
		take_last_words(&ways[1], &ways[0]);
	}
	return 1;
}

static bool is_over(const struct way ways[2], usec_t deadline)
{
	if (!ways[0].has_ended && !ways[1].has_ended)
		return false;
	for (size_t i = 0; i < 2; i++) {
		const struct way *w = &ways[i], *back = &ways[1 - i];
		bool has_more = w->has_ended ? w->size > 0 : back->is_refused;

		if (has_more && clock_left_ms(deadline) > 0)
			return false;
	}
	return true;
}

int relay_run(int a, int b, int cancel, struct err *err)
{
	autofree char *there = xmalloc(RELAY_BUFFER), *back = xmalloc(RELAY_BUFFER);
	struct way ways[2] = {{.from = a, .to = b, .data = there},
			      {.from = b, .to = a, .data = back}};
	usec_t deadline = 0;
	int r = 1;

	fd_set_nonblock(a, true);
	fd_set_nonblock(b, true);
	while (r > 0) {
		r = turn(ways, cancel, deadline, err);
		if (!deadline && (ways[0].has_ended || ways[1].has_ended))
			deadline = clock_monotonic() + LAST_BYTES_WAIT;
		if (r > 0 && is_over(ways, deadline))
			r = 0;
	}
	return r;
}
