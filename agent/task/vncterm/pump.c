/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's side: one poll loop that reads whatever the guest prints, at once, until it was BUSY_MAX of a
 * WINDOW busy with it: this is the node's time, not the guest's, and a guest may print without end. Runs in the
 * main thread. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/task/vncterm/session.h"

#define READ_SIZE 16384
#define HANG_UP_LOOK                                                                               \
	(250 * USEC_PER_MSEC) /* how often a terminal that nobody has open is looked at */

#define END_WAIT (1500 * USEC_PER_MSEC) /* from the end on, to read what was printed before it */

#define WINDOW	 (50 * USEC_PER_MSEC)
#define BUSY_MAX (15 * USEC_PER_MSEC)

enum { FD_TERMINAL, FD_TYPED, FD_LEFT, FD_ENDS, FD_COUNT };

struct pump {
	struct session *session;
	usec_t look_at;	   /* the terminal is left alone until then; 0: it is not */
	usec_t window_end; /* of the current window */
	usec_t busy;	   /* within it */
	bool is_resting;   /* until look_at: enough for this window */
	usec_t end_by;	   /* the end was told; 0: it was not */
	bool is_over;
};

static void count(struct pump *p, usec_t since)
{
	usec_t now = clock_monotonic();

	if (now >= p->window_end) {
		p->window_end = now + WINDOW;
		p->busy = 0;
	}
	p->busy += now - since;
	if (p->busy < BUSY_MAX)
		return;
	p->is_resting = true;
	p->look_at = p->window_end;
}

static void rest_is_over(struct pump *p)
{
	p->look_at = 0;
	p->is_resting = false;
}

static void read_terminal(struct pump *p)
{
	struct session *s = p->session;
	usec_t since = clock_monotonic();
	char data[READ_SIZE];
	ssize_t n = read(s->terminal, data, sizeof(data));

	if (n > 0) {
		session_lock(s);
		screen_feed(s->screen, data, (size_t)n);
		session_unlock(s);
		session_wake(s->for_viewer);
		count(p, since);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* a pty says EIO while nobody has its other end open */
	if (s->may_hang_up)
		p->look_at = clock_monotonic() + HANG_UP_LOOK;
	else
		p->is_over = true;
}

static void write_terminal(struct pump *p)
{
	struct session *s = p->session;

	session_lock(s);
	struct buf *typed = screen_typed(s->screen);
	ssize_t n = typed->size ? write(s->terminal, typed->data, typed->size) : 0;

	if (n > 0)
		buf_drop_front(typed, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_clear(typed); /* reading tells what became of it */
	if (typed->size == 0)
		buf_fini(typed);
	session_unlock(s);
}

static bool has_output(const struct session *s)
{
	struct pollfd fd = {.fd = s->terminal, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

static bool has_typed(struct session *s)
{
	session_lock(s);
	bool has = screen_typed(s->screen)->size > 0;

	session_unlock(s);
	return has;
}

static void fill(const struct pump *p, struct pollfd fds[FD_COUNT])
{
	struct session *s = p->session;
	short wanted = (short)(POLLIN | (has_typed(s) ? POLLOUT : 0));

	fds[FD_TERMINAL] = (struct pollfd){.fd = p->look_at ? -1 : s->terminal, .events = wanted};
	fds[FD_TYPED] = (struct pollfd){.fd = s->for_guest, .events = POLLIN};
	fds[FD_LEFT] = (struct pollfd){.fd = s->has_left, .events = POLLIN};
	fds[FD_ENDS] = (struct pollfd){.fd = p->end_by ? -1 : s->ends, .events = POLLIN};
}

static int wait_ms(const struct pump *p)
{
	usec_t until = p->look_at;

	if (p->end_by && (until == 0 || p->end_by < until))
		until = p->end_by;
	return until ? clock_left_ms(until) + 1 : -1;
}

/* Last words are read, but a guest that goes on printing does not put the end off. */
static void look_for_end(struct pump *p, bool was_told)
{
	if (was_told)
		p->end_by = clock_monotonic() + END_WAIT;
	if (p->end_by && !p->is_resting && (p->look_at || !has_output(p->session)))
		p->is_over = true;
	if (p->end_by && clock_left_ms(p->end_by) == 0)
		p->is_over = true;
}

static int turn(struct pump *p, struct err *err)
{
	struct pollfd fds[FD_COUNT];

	fill(p, fds);
	if (poll(fds, FD_COUNT, wait_ms(p)) < 0) {
		if (errno != EINTR)
			return err_errno(err, errno, "poll");
		memset(fds, 0, sizeof(fds));
	}
	if (fds[FD_TYPED].revents)
		session_drain(p->session->for_guest);
	if (fds[FD_TERMINAL].revents & POLLOUT)
		write_terminal(p);
	if (fds[FD_TERMINAL].revents & ~POLLOUT)
		read_terminal(p);
	if (fds[FD_LEFT].revents)
		p->is_over = true;
	look_for_end(p, fds[FD_ENDS].revents != 0);
	if (p->look_at && clock_left_ms(p->look_at) == 0)
		rest_is_over(p);
	return 0;
}

int session_pump(struct session *s, struct err *err)
{
	struct pump pump = {.session = s};
	int r = 0;

	fd_set_nonblock(s->terminal, true);
	while (r == 0 && !pump.is_over)
		r = turn(&pump, err);
	write_terminal(&pump); /* the last words of one who left at once */
	session_lock(s);
	s->is_over = true;
	session_unlock(s);
	session_wake(s->for_viewer);
	return r;
}
