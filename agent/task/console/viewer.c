/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The viewer's arrival and log-in. Runs in console jobs. */
#include "agent/task/console/viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/console_job.h"
#include "agent/task/internal.h"

#define TAKEN_WAIT     (60 * USEC_PER_SEC) /* the core closes the stream before */
#define LOGIN_WAIT     (10 * USEC_PER_SEC)
#define RFB_HELLO      "RFB 003.008\n"
#define RFB_HELLO_SIZE 12

void viewer_init(struct viewer *v)
{
	*v = (struct viewer){.fd = CONSOLE_FD};
	termproxy_init(&v->parser);
	/* what is started for the console must not keep the viewer's stream open */
	fcntl(v->fd, F_SETFD, FD_CLOEXEC);
	fd_set_nonblock(v->fd, true);
}

void viewer_fini(struct viewer *v)
{
	buf_fini(&v->input);
}

static int wait_input(const struct viewer *v, usec_t deadline, struct err *err)
{
	struct pollfd fds[2] = {{.fd = v->fd, .events = POLLIN},
				{.fd = task_cancel_fd(), .events = POLLIN}};

	for (;;) {
		int r = poll(fds, 2, clock_left_ms(deadline));

		if (task_check_cancelled(err) != 0)
			return -ERR_CANCELLED;
		if (r > 0 && fds[0].revents)
			return 0;
		if (r < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (r == 0 && clock_left_ms(deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "time-out");
	}
}

int viewer_read(struct viewer *v, struct err *err)
{
	buf_reserve(&v->input, VIEWER_INPUT_MAX);
	ssize_t n = recv(v->fd, v->input.data + v->input.size, VIEWER_INPUT_MAX - v->input.size, 0);

	if (n > 0)
		v->input.size += (size_t)n;
	if (n > 0)
		return 1;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return err_set(err, ERR_UNAVAILABLE, "the viewer left");
}

int viewer_await(struct viewer *v, struct err *err)
{
	char taken = 0;
	int r = wait_input(v, clock_monotonic() + TAKEN_WAIT, err);

	if (r == -ERR_CANCELLED)
		return r;
	if (r < 0 || recv(v->fd, &taken, 1, 0) != 1)
		return err_set(err, ERR_TIMEOUT, "no viewer came in time");
	if (taken != CONSOLE_TAKEN)
		return err_set(err, ERR_INTERNAL, "the console's stream does not begin as it must");
	return 0;
}

static int read_login(struct viewer *v, usec_t deadline, struct termproxy_event *ret,
		      struct err *err)
{
	for (;;) {
		size_t used = 0;
		int r = termproxy_next(&v->parser, v->input.data, v->input.size, &used, ret, err);

		buf_drop_front(&v->input, used);
		if (r != 0)
			return r;
		if ((r = wait_input(v, deadline, err)) < 0 || (r = viewer_read(v, err)) < 0)
			return r;
	}
}

int viewer_login(struct viewer *v, const char *secret, struct err *err)
{
	struct termproxy_event login;
	int r = read_login(v, clock_monotonic() + LOGIN_WAIT, &login, err);

	if (r == -ERR_TIMEOUT)
		return err_set(err, ERR_TIMEOUT, "the viewer did not log in within 10 s");
	if (r < 0)
		return r;
	if (!secret || !str_eq_constant_time(login.data, secret))
		return err_set(err, ERR_AUTH, "the viewer's log-in was refused");
	/* nothing was sent before: there is room */
	if (send(v->fd, "OK", 2, MSG_NOSIGNAL) != 2)
		return err_set(err, ERR_UNAVAILABLE, "the viewer left");
	return 0;
}

void viewer_tell(struct viewer *v, const char *text)
{
	autofree char *line = xasprintf("\r\n[lodge] %s\r\n", text);

	(void)!send(v->fd, line, strlen(line), MSG_NOSIGNAL);
}

static int read_hello(struct viewer *v, struct err *err)
{
	usec_t deadline = clock_monotonic() + LOGIN_WAIT;
	int r = 0;

	while (r >= 0 && v->input.size < RFB_HELLO_SIZE)
		if ((r = wait_input(v, deadline, err)) == 0)
			r = viewer_read(v, err);
	return r < 0 ? r : 0;
}

/* Since 3.7 the number of security types is a byte; before, the type itself is 32 bits. Nothing that was sent
 * before fills the socket: no part of it is left behind. */
void viewer_refuse(struct viewer *v, const char *text)
{
	static const char none[4];
	size_t length = strlen(text);
	const unsigned char size[4] = {0, 0, (unsigned char)(length >> 8), (unsigned char)length};
	autobuf answer = BUF_INIT;

	if (send(v->fd, RFB_HELLO, RFB_HELLO_SIZE, MSG_NOSIGNAL) != RFB_HELLO_SIZE ||
	    read_hello(v, NULL) < 0)
		return;
	buf_add(&answer, none, memcmp(v->input.data, "RFB 003.003", 11) == 0 ? 4 : 1);
	buf_add(&answer, size, sizeof(size));
	buf_add(&answer, text, length);
	(void)!send(v->fd, answer.data, answer.size, MSG_NOSIGNAL);
}
