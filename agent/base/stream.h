/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes and descriptors in and out of a Unix stream socket, cut into frames. Shared by conn (loops)
 * and client (blocking); not for others. */
#pragma once

#include "agent/base/frame.h"

#define STREAM_OUT_MAX (64u * 1024 * 1024) /* a peer that does not read is cut off beyond this */

struct stream {
	int fd;
	struct buf in;
	int in_fds[2 * FRAME_FDS_MAX]; /* received, not yet claimed by a frame; in order */
	unsigned in_fd_count;
	struct buf out;
	size_t out_sent;	/* of out */
	struct stream_fds *fds; /* descriptors waiting for their frame's first byte */
	struct stream_fds **fds_tail;
};

void stream_init(struct stream *s, int fd);
void stream_fini(struct stream *s); /* closes everything */
/* Queues bytes; fds are duplicated. */
int stream_queue(struct stream *s, const struct buf *frame, const int *fds, unsigned fd_count,
		 struct err *err);
/* The same, but fds are taken over on success: nothing is needed that this process may have run out of. */
int stream_queue_taking(struct stream *s, const struct buf *frame, const int *fds,
			unsigned fd_count, struct err *err);
/* 1: everything is out, 0: the socket is full, negative: broken. */
int stream_flush(struct stream *s, struct err *err);
/* Reads once. 1: got bytes, 0: would block, negative: broken; end of file is ERR_UNAVAILABLE. */
int stream_read(struct stream *s, struct err *err);

struct stream_frame {
	struct frame_header header;
	const void *payload;	/* borrowed until stream_drop() */
	int fds[FRAME_FDS_MAX]; /* the caller's now */
};
/* 1: a whole frame at offset *at of the input (*at moves behind it), 0: not yet, negative: bad. */
int stream_next(struct stream *s, size_t *at, struct stream_frame *ret, struct err *err);
void stream_drop(struct stream *s, size_t size); /* forgets consumed input */
