/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that are larger than what the transport takes at once, cut by the sender and put together again. A
 * message whose parts are not complete and in order is dropped whole: the protocol asks again. Pure.
 *
 * Encoding of a part, little-endian: u8 version (1), u32 number of the message (of its sender), u32 size of the
 * whole, u32 offset, then the bytes, up to the end of the datagram. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define PARTS_SENDERS_MAX 64
#define PARTS_MESSAGE_MAX (16u * 1024 * 1024)
#define PARTS_HEADER	  13u

/* Calls each(part) for the parts of one message, in order, none larger than max (more than PARTS_HEADER). */
typedef void (*parts_fn)(const void *part, size_t size, void *ctx);
void parts_cut(uint32_t number, const void *data, size_t size, size_t max, parts_fn each,
	       void *ctx);

struct parts; /* what has come in so far, of each sender */

struct parts *parts_new(void);
void parts_free(struct parts *parts);
/* 1: a message is complete; *ret is borrowed until the next call. 0: not yet. ERR_CORRUPT: no part of a message. */
int parts_take(struct parts *parts, uint32_t node, uint32_t pid, const void *data, size_t size,
	       const struct buf **ret, struct err *err);
/* Those who left say nothing any more. */
void parts_forget(struct parts *parts, uint32_t node, uint32_t pid);
