/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames over a Unix stream socket, with descriptors on their first byte. */
#include "agent/base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define READ_SIZE (64u * 1024)

struct stream_fds {
	struct stream_fds *next;
	size_t at; /* offset in out of the frame's first byte */
	int fds[FRAME_FDS_MAX];
	unsigned count;
};

void stream_init(struct stream *s, int fd)
{
	*s = (struct stream){.fd = fd};
	s->fds_tail = &s->fds;
}

static void close_all(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		closep(&fds[i]);
}

static void pop_fds(struct stream *s)
{
	struct stream_fds *first = s->fds;

	s->fds = first->next;
	if (!s->fds)
		s->fds_tail = &s->fds;
	close_all(first->fds, first->count);
	free(first);
}

void stream_fini(struct stream *s)
{
	while (s->fds)
		pop_fds(s);
	close_all(s->in_fds, s->in_fd_count);
	buf_fini(&s->in);
	buf_fini(&s->out);
	closep(&s->fd);
	s->fd = -1;
}

int stream_queue_taking(struct stream *s, const struct buf *frame, const int *fds,
			unsigned fd_count, struct err *err)
{
	struct stream_fds *f;

	if (s->out.size - s->out_sent + frame->size > STREAM_OUT_MAX)
		return err_set(err, ERR_LIMIT, "the peer does not read its replies");
	if (fd_count > 0) {
		f = xcalloc(1, sizeof(*f));
		f->at = s->out.size;
		f->count = fd_count;
		memcpy(f->fds, fds, fd_count * sizeof(*fds));
		*s->fds_tail = f;
		s->fds_tail = &f->next;
	}
	buf_add(&s->out, frame->data, frame->size);
	return 0;
}

int stream_queue(struct stream *s, const struct buf *frame, const int *fds, unsigned fd_count,
		 struct err *err)
{
	int copies[FRAME_FDS_MAX], r = 0;
	unsigned n = 0;

	for (; r == 0 && n < fd_count; n++) {
		copies[n] = fcntl(fds[n], F_DUPFD_CLOEXEC, 3);
		if (copies[n] < 0)
			r = err_errno(err, errno, "pass a descriptor");
	}
	if (r == 0)
		r = stream_queue_taking(s, frame, copies, n, err);
	if (r < 0)
		close_all(copies, n);
	return r;
}

static ssize_t send_some(struct stream *s, size_t size, const struct stream_fds *with)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FRAME_FDS_MAX)];
	} control = {0};
	struct iovec iov = {.iov_base = s->out.data + s->out_sent, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (with) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * with->count);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * with->count);
		memcpy(CMSG_DATA(c), with->fds, sizeof(int) * with->count);
	}
	return sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void forget_sent(struct stream *s)
{
	if (s->out_sent == s->out.size) {
		buf_clear(&s->out);
		if (s->out.capacity > 1024 * 1024)
			buf_fini(&s->out);
		s->out_sent = 0;
	} else if (s->out_sent > 1024 * 1024) {
		buf_drop_front(&s->out, s->out_sent);
		for (struct stream_fds *f = s->fds; f; f = f->next)
			f->at -= s->out_sent;
		s->out_sent = 0;
	}
}

int stream_flush(struct stream *s, struct err *err)
{
	while (s->out_sent < s->out.size) {
		struct stream_fds *with = s->fds && s->fds->at == s->out_sent ? s->fds : NULL;
		struct stream_fds *later = with ? with->next : s->fds;
		/* never past the next frame that carries descriptors of its own */
		size_t until = later ? later->at : s->out.size;
		ssize_t n = send_some(s, until - s->out_sent, with);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0)
			return err_errno(err, errno, "send");
		if (with)
			pop_fds(s);
		s->out_sent += (size_t)n;
	}
	forget_sent(s);
	return 1;
}

static int take_fds(struct stream *s, struct msghdr *msg, struct err *err)
{
	int r = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (s->in_fd_count < ARRAY_SIZE(s->in_fds))
				s->in_fds[s->in_fd_count++] = fd;
			else
				close(fd), r = -1;
		}
	}
	if (r < 0 || (msg->msg_flags & MSG_CTRUNC))
		return err_set(err, ERR_CORRUPT, "too many descriptors");
	return 0;
}

int stream_read(struct stream *s, struct err *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FRAME_FDS_MAX)];
	} control;
	struct iovec iov;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n;
	int r;

	buf_reserve(&s->in, READ_SIZE);
	iov = (struct iovec){.iov_base = s->in.data + s->in.size, .iov_len = READ_SIZE};
	do
		n = recvmsg(s->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return err_errno(err, errno, "receive");
	if ((r = take_fds(s, &msg, err)) < 0)
		return r;
	if (n == 0)
		return err_set(err, ERR_UNAVAILABLE, "the peer closed the connection");
	s->in.size += (size_t)n;
	return 1;
}

int stream_next(struct stream *s, size_t *at, struct stream_frame *ret, struct err *err)
{
	size_t left = s->in.size - *at;
	int r;

	if (left < FRAME_HEADER_SIZE)
		return 0;
	r = frame_decode_header(s->in.data + *at, &ret->header, err);
	if (r < 0)
		return r;
	if (left - FRAME_HEADER_SIZE < ret->header.length)
		return 0;
	if (ret->header.fd_count > s->in_fd_count)
		return err_set(err, ERR_CORRUPT, "descriptors of a frame are missing");
	for (unsigned i = 0; i < FRAME_FDS_MAX; i++)
		ret->fds[i] = i < ret->header.fd_count ? s->in_fds[i] : -1;
	s->in_fd_count -= ret->header.fd_count;
	memmove(s->in_fds, s->in_fds + ret->header.fd_count, s->in_fd_count * sizeof(int));
	ret->payload = s->in.data + *at + FRAME_HEADER_SIZE;
	*at += FRAME_HEADER_SIZE + ret->header.length;
	return 1;
}

void stream_drop(struct stream *s, size_t size)
{
	buf_drop_front(&s->in, size);
	if (s->in.size == 0 && s->in.capacity > 1024 * 1024)
		buf_fini(&s->in);
}
