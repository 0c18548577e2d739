/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One blocking call to the core. */
#include "agent/base/client.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/stream.h"

#define RETRY_MS 50

/* the core is (re)starting: worth another try */
static bool is_away(int errnum)
{
	return errnum == ENOENT || errnum == ECONNREFUSED || errnum == EAGAIN;
}

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
}

static int connect_until(const char *path, usec_t deadline, int *ret_fd, struct err *err)
{
	for (;;) {
		int r = conn_connect(path, ret_fd, err);

		if (r == 0)
			return 0;
		if (!is_away(err->errnum))
			return r;
		if (clock_left_ms(deadline) <= RETRY_MS)
			return err_set(err, ERR_UNAVAILABLE, "the core is not running (%s)", path);
		pause_briefly();
	}
}

static int wait_ready(int fd, short events, usec_t deadline, struct err *err)
{
	struct pollfd p = {.fd = fd, .events = events};
	int left = clock_left_ms(deadline), n;

	if (left == 0)
		return err_set(err, ERR_TIMEOUT, "the core did not answer in time");
	n = poll(&p, 1, left);
	if (n < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	return 0;
}

static int send_call(struct stream *s, const struct call *call, usec_t deadline, struct err *err)
{
	autobuf frame = BUF_INIT;
	int r;

	frame_encode_call(1, call, &frame);
	r = stream_queue(s, &frame, call->fds, call->fd_count, err);
	while (r == 0 && (r = stream_flush(s, err)) == 0)
		r = wait_ready(s->fd, POLLOUT, deadline, err);
	return r < 0 ? r : 0;
}

static int take_reply(struct stream_frame *f, struct reply *ret, struct err *err)
{
	int r = frame_decode_reply(f->payload, f->header.length, f->fds, f->header.fd_count, ret,
				   err);

	for (unsigned i = 0; i < FRAME_FDS_MAX; i++)
		closep(&f->fds[i]);
	return r;
}

static int receive_reply(struct stream *s, usec_t deadline, struct reply *ret, struct err *err)
{
	for (;;) {
		struct stream_frame f;
		size_t at = 0;
		int r = stream_next(s, &at, &f, err);

		if (r < 0)
			return r;
		if (r > 0 && f.header.type == FRAME_REPLY && f.header.id == 1)
			return take_reply(&f, ret, err);
		for (unsigned i = 0; r > 0 && i < FRAME_FDS_MAX; i++)
			closep(&f.fds[i]);
		stream_drop(s, at);
		if (r > 0)
			continue;
		if ((r = wait_ready(s->fd, POLLIN, deadline, err)) < 0 ||
		    (r = stream_read(s, err)) < 0)
			return r;
	}
}

/* *ret_sent: the whole call is on its way, so that it may have been done */
static int call_once(int fd, const struct call *call, usec_t deadline, bool *ret_sent,
		     struct reply *ret, struct err *err)
{
	struct stream s;
	int r;

	stream_init(&s, fd);
	r = send_call(&s, call, deadline, err);
	*ret_sent = r == 0;
	if (r == 0)
		r = receive_reply(&s, deadline, ret, err);
	stream_fini(&s);
	return r;
}

/* Connects, calls, waits; once. *ret_again: the connection broke, and the same call may be sent
 * again. */
static int try_call(const char *path, const struct call *call, usec_t deadline, bool again,
		    bool *ret_again, bool *was_sent, struct reply *ret, struct err *err)
{
	bool sent = false;
	int fd = -1, r;

	*ret_again = false;
	r = connect_until(path, deadline, &fd, err);
	if (r < 0)
		return r;
	r = call_once(fd, call, deadline, &sent, ret, err);
	*was_sent |= sent;
	if (r == 0 || err->code == ERR_TIMEOUT || err->code == ERR_CORRUPT)
		return r;
	if (sent && !again)
		return err_set(err, ERR_UNKNOWN,
			       "the connection to the core broke; whether it was done is unknown");
	*ret_again = true;
	return r;
}

int client_call_tracked(const char *socket_path, const struct call *call, usec_t deadline,
			bool again, bool *ret_sent, struct reply *ret, struct err *err)
{
	struct err unused;
	int r = frame_check_call(call, err);

	*ret_sent = false;
	if (r < 0)
		return r;
	if (!err)
		err = &unused;
	for (;;) {
		bool may_again;

		r = try_call(socket_path, call, deadline, again, &may_again, ret_sent, ret, err);
		if (!may_again || clock_left_ms(deadline) <= RETRY_MS)
			return r;
		pause_briefly();
	}
}

int client_call(const char *socket_path, const struct call *call, usec_t deadline, bool again,
		struct reply *ret, struct err *err)
{
	bool was_sent;

	return client_call_tracked(socket_path, call, deadline, again, &was_sent, ret, err);
}
