/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries bytes between a terminal and its viewer. One poll loop, no more memory than two bounded buffers.
 * Runs in console jobs. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/task/console/terminal.h"
#include "agent/task/internal.h"

#define TYPED_MAX  65536 /* bytes that wait for the guest; then the viewer's are not read */
#define STALL_WAIT (1 * USEC_PER_SEC)
#define HANG_UP_LOOK                                                                               \
	(250 * USEC_PER_MSEC)	     /* how often a terminal that nobody has open is looked at */
#define LAST_WAIT (5 * USEC_PER_SEC) /* for a viewer to take the last output */
#define READ_SIZE 16384

struct relay {
	struct viewer *viewer;
	struct terminal *terminal;
	struct buf typed, output;
	usec_t full_since; /* output reached TERMINAL_BACKLOG; 0: it has not */
	bool is_stalled;   /* the viewer does not keep up: the guest does not wait for it */
	uint64_t dropped;  /* bytes, that the viewer was not told of yet */
	uint64_t skipped;  /* bytes, in all */
	usec_t look_at;	   /* the terminal is left alone until then; 0: it is not */
	usec_t end;	   /* the terminal has ended: the last output goes by then; 0: not yet */
	bool has_left;	   /* the viewer */
};

enum { FD_VIEWER, FD_TERMINAL, FD_GUEST, FD_CANCEL, FD_COUNT };

/* -- output: from the terminal to the viewer ------------------------------------------------------ */

static bool wants_output(const struct relay *r)
{
	return r->end == 0 && (r->is_stalled || r->output.size < TERMINAL_BACKLOG);
}

/* What is kept is between one and two backlogs long, so that bytes are moved once in a while only. */
static void drop_oldest(struct relay *r)
{
	if (r->output.size < 2 * TERMINAL_BACKLOG)
		return;
	size_t excess = r->output.size - TERMINAL_BACKLOG;

	r->dropped += excess;
	r->skipped += excess;
	buf_drop_front(&r->output, excess);
}

static void on_terminal_end(struct relay *r)
{
	if (r->end == 0)
		r->end = clock_monotonic() + LAST_WAIT;
}

static void read_terminal(struct relay *r)
{
	char data[READ_SIZE];
	ssize_t n = read(r->terminal->fd, data, sizeof(data));

	if (n > 0) {
		buf_add(&r->output, data, (size_t)n);
		if (r->is_stalled)
			drop_oldest(r);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* a pty says EIO while nobody has its other end open */
	if (r->terminal->may_hang_up && r->terminal->guest >= 0)
		r->look_at = clock_monotonic() + HANG_UP_LOOK;
	else
		on_terminal_end(r);
}

/* The viewer reads again: it learns first what it missed. */
static void tell_dropped(struct relay *r)
{
	autofree char *note = NULL;
	struct buf rest = r->output;

	if (r->dropped == 0)
		return;
	note = xasprintf("\r\n[lodge] %llu bytes of output were skipped\r\n",
			 (unsigned long long)r->dropped);
	r->dropped = 0;
	r->output = BUF_INIT;
	buf_add_str(&r->output, note);
	buf_add(&r->output, rest.data, rest.size);
	buf_fini(&rest);
}

static void write_viewer(struct relay *r)
{
	tell_dropped(r);
	ssize_t n = send(r->viewer->fd, r->output.data, r->output.size, MSG_NOSIGNAL);

	if (n > 0)
		buf_drop_front(&r->output, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->has_left = true;
	if (r->output.size == 0)
		buf_fini(&r->output); /* an idle console is small */
}

/* See terminal_relay(). */
static void judge_viewer(struct relay *r)
{
	usec_t now = clock_monotonic();

	if (r->output.size < TERMINAL_BACKLOG / 2) {
		r->full_since = 0;
		r->is_stalled = false;
	} else if (r->full_since == 0) {
		if (r->output.size >= TERMINAL_BACKLOG)
			r->full_since = now;
	} else if (now - r->full_since >= STALL_WAIT) {
		r->is_stalled = true;
	}
}

/* -- input: from the viewer to the terminal ------------------------------------------------------- */

static void set_size(const struct relay *r, const struct termproxy_event *event)
{
	struct winsize size = {.ws_col = (unsigned short)event->cols,
			       .ws_row = (unsigned short)event->rows};

	if (r->terminal->is_pty && ioctl(r->terminal->fd, TIOCSWINSZ, &size) < 0)
		task_log("window size: %s", strerror(errno));
}

/* At most VIEWER_INPUT_MAX bytes more are typed. */
static int parse_viewer(struct relay *r, struct err *err)
{
	struct viewer *v = r->viewer;
	size_t at = 0;
	int n = 1;

	while (n > 0 && at < v->input.size) {
		struct termproxy_event event;
		size_t used = 0;

		n = termproxy_next(&v->parser, v->input.data + at, v->input.size - at, &used,
				   &event, err);
		at += used;
		if (n > 0 && event.kind == TERMPROXY_DATA)
			buf_add(&r->typed, event.data, event.size);
		else if (n > 0 && event.kind == TERMPROXY_SIZE)
			set_size(r, &event);
	}
	buf_fini(&v->input);
	return n < 0 ? n : 0;
}

static int read_viewer(struct relay *r, struct err *err)
{
	int n = viewer_read(r->viewer, NULL);

	if (n < 0)
		r->has_left = true;
	return parse_viewer(r, err);
}

static void write_terminal(struct relay *r)
{
	ssize_t n = write(r->terminal->fd, r->typed.data, r->typed.size);

	if (n > 0)
		buf_drop_front(&r->typed, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_clear(&r->typed); /* reading tells what became of it */
	if (r->typed.size == 0)
		buf_fini(&r->typed);
}

/* -- the loop ------------------------------------------------------------------------------------- */

static void fill(const struct relay *r, struct pollfd fds[FD_COUNT])
{
	const struct terminal *t = r->terminal;
	bool is_open = r->end == 0 && r->look_at == 0;
	short of_terminal =
		(short)((wants_output(r) ? POLLIN : 0) | (r->typed.size > 0 ? POLLOUT : 0));

	/* a hang-up is told even if nothing is asked for: who is not wanted is not polled */
	fds[FD_TERMINAL] =
		(struct pollfd){.fd = is_open && of_terminal ? t->fd : -1, .events = of_terminal};
	fds[FD_VIEWER] =
		(struct pollfd){.fd = r->viewer->fd,
				.events = (short)((r->typed.size < TYPED_MAX ? POLLIN : 0) |
						  (r->output.size > 0 ? POLLOUT : 0))};
	/* while the viewer holds the output up there may be more of it */
	fds[FD_GUEST] = (struct pollfd){.fd = wants_output(r) ? t->guest : -1, .events = POLLIN};
	fds[FD_CANCEL] = (struct pollfd){.fd = task_cancel_fd(), .events = POLLIN};
}

static int time_left(const struct relay *r)
{
	usec_t next = 0;
	const usec_t times[] = {r->look_at, r->end,
				r->full_since && !r->is_stalled ? r->full_since + STALL_WAIT : 0};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		if (times[i] && (next == 0 || times[i] < next))
			next = times[i];
	}
	return next ? clock_left_ms(next) + 1 : -1;
}

static int turn(struct relay *r, struct err *err)
{
	struct pollfd fds[FD_COUNT];
	int n = 0;

	fill(r, fds);
	if (poll(fds, FD_COUNT, time_left(r)) < 0) {
		if (errno != EINTR)
			return err_errno(err, errno, "poll");
		memset(fds, 0, sizeof(fds));
	}
	if (fds[FD_VIEWER].revents & (POLLIN | POLLHUP | POLLERR))
		n = read_viewer(r, err);
	if (fds[FD_TERMINAL].revents & POLLOUT)
		write_terminal(r);
	if (fds[FD_TERMINAL].revents & ~POLLOUT)
		read_terminal(r);
	else if (fds[FD_GUEST].revents)
		on_terminal_end(r); /* only when there is nothing more to read */
	if (r->output.size > 0 && fds[FD_VIEWER].revents & POLLOUT)
		write_viewer(r);
	judge_viewer(r);
	if (r->look_at && clock_left_ms(r->look_at) == 0)
		r->look_at = 0;
	return n < 0 ? n : task_check_cancelled(err);
}

static bool is_over(const struct relay *r)
{
	return r->has_left || (r->end && (r->output.size == 0 || clock_left_ms(r->end) == 0));
}

int terminal_relay(struct viewer *v, struct terminal *t, struct err *err)
{
	struct relay relay = {.viewer = v, .terminal = t};
	int r;

	fd_set_nonblock(t->fd, true);
	r = parse_viewer(&relay, err);
	while (r == 0 && !is_over(&relay))
		r = turn(&relay, err);
	if (r == 0 && relay.typed.size > 0 && relay.end == 0)
		write_terminal(&relay); /* the last words of one who left at once */
	/* once: a viewer that reads on and on, but slowly, must not fill the log */
	if (relay.skipped > 0)
		task_log("%llu bytes of output were skipped: the viewer did not read",
			 (unsigned long long)relay.skipped);
	if (r == 0)
		task_log(relay.has_left ? "the viewer left" : "the terminal has ended");
	buf_fini(&relay.typed);
	buf_fini(&relay.output);
	return r;
}
