/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: encoding and decoding. Pure but for the memfd of large reply bodies. */
#include "agent/base/frame.h"

#include <string.h>

#include "agent/base/fd.h"

enum body_kind { BODY_INLINE, BODY_MEMFD };

static void fds_close(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		closep(&fds[i]);
		fds[i] = -1;
	}
}

void call_fini(struct call *call)
{
	fields_fini(&call->head);
	fields_fini(&call->params);
	fds_close(call->fds, FRAME_FDS_MAX);
	*call = CALL_INIT;
}

void reply_fini(struct reply *reply)
{
	fields_fini(&reply->head);
	buf_fini(&reply->body);
	closep(&reply->body_fd);
	closep(&reply->fd);
	*reply = REPLY_INIT;
}

/* Writes a header whose length is filled in by header_end(). Returns where it starts. */
static size_t header_begin(struct buf *out, enum frame_type type, unsigned fds, uint64_t id)
{
	size_t start = out->size;

	buf_add_u32(out, 0);
	buf_add_u8(out, (uint8_t)type);
	buf_add_u8(out, (uint8_t)fds);
	buf_add_u8(out, FRAME_VERSION);
	buf_add_u8(out, 0);
	buf_add_u64(out, id);
	return start;
}

static void header_end(struct buf *out, size_t start)
{
	size_t length = out->size - start - FRAME_HEADER_SIZE;

	for (unsigned i = 0; i < 4; i++)
		out->data[start + i] = (char)(length >> (8 * i));
}

static bool list_fits(const struct fields *f, size_t *ret_size)
{
	for (size_t i = 0; i < f->count; i++) {
		size_t n = strlen(f->items[i].name);

		if (n == 0 || n > FIELDS_NAME_MAX || f->items[i].size > FIELDS_VALUE_MAX)
			return false;
		*ret_size += n + f->items[i].size + 6;
	}
	return f->count <= FIELDS_COUNT_MAX;
}

int frame_check_call(const struct call *call, struct err *err)
{
	size_t size = 16;

	if (!list_fits(&call->head, &size) || !list_fits(&call->params, &size) ||
	    size > FRAME_PAYLOAD_MAX)
		return err_set(err, ERR_LIMIT, "too many or too long parameters");
	return 0;
}

void frame_encode_call(uint64_t id, const struct call *call, struct buf *out)
{
	size_t start = header_begin(out, FRAME_CALL, call->fd_count, id);

	buf_add_u32(out, call->deadline_ms);
	buf_add_u16(out, call->op);
	fields_encode(&call->head, out);
	fields_encode(&call->params, out);
	header_end(out, start);
}

void frame_encode_event(const struct call *event, struct buf *out)
{
	size_t start = header_begin(out, FRAME_EVENT, event->fd_count, 0);

	buf_add_u16(out, event->op);
	fields_encode(&event->head, out);
	fields_encode(&event->params, out);
	header_end(out, start);
}

void frame_encode_cancel(uint64_t id, struct buf *out)
{
	header_end(out, header_begin(out, FRAME_CANCEL, 0, id));
}

int frame_encode_reply(uint64_t id, struct reply *reply, struct buf *out,
		       int ret_fds[FRAME_FDS_MAX], unsigned *ret_count, struct err *err)
{
	unsigned count = 0;
	size_t start, size = FRAME_BODY_INLINE + 16;
	int r;

	if (!list_fits(&reply->head, &size) || size > FRAME_PAYLOAD_MAX)
		return err_set(err, ERR_LIMIT, "the head of a reply is too long");
	if (reply->body_fd < 0 && reply->body.size > FRAME_BODY_INLINE) {
		r = fd_memfd_sealed("reply", reply->body.data, reply->body.size, &reply->body_fd,
				    err);
		if (r < 0)
			return r;
	}
	if (reply->fd >= 0)
		ret_fds[count++] = reply->fd;
	if (reply->body_fd >= 0)
		ret_fds[count++] = reply->body_fd;
	start = header_begin(out, FRAME_REPLY, count, id);
	buf_add_u16(out, reply->status);
	buf_add_u8(out, reply->body_fd >= 0 ? BODY_MEMFD : BODY_INLINE);
	fields_encode(&reply->head, out);
	if (reply->body_fd < 0)
		buf_add(out, reply->body.data, reply->body.size);
	header_end(out, start);
	*ret_count = count;
	return 0;
}

int frame_decode_header(const void *data, struct frame_header *ret, struct err *err)
{
	struct cursor c = cursor_on(data, FRAME_HEADER_SIZE);
	uint32_t length = cursor_u32(&c);
	uint8_t type = cursor_u8(&c), fds = cursor_u8(&c), version = cursor_u8(&c),
		zero = cursor_u8(&c);
	uint64_t id = cursor_u64(&c);

	if (version != FRAME_VERSION || zero != 0)
		return err_set(err, ERR_CORRUPT, "frame of an unknown version");
	if (type < FRAME_CALL || type > FRAME_EVENT)
		return err_set(err, ERR_CORRUPT, "frame of an unknown type");
	if (length > FRAME_PAYLOAD_MAX || fds > FRAME_FDS_MAX)
		return err_set(err, ERR_CORRUPT, "frame is too large");
	*ret = (struct frame_header){.length = length, .type = type, .fd_count = fds, .id = id};
	return 0;
}

static int decode_lists(struct cursor *c, struct call *call, struct err *err)
{
	int r = fields_decode(c, &call->head, err);

	if (r == 0)
		r = fields_decode(c, &call->params, err);
	if (r == 0 && (c->failed || cursor_left(c) != 0))
		r = err_set(err, ERR_CORRUPT, "frame has bytes left over");
	return r;
}

static int decode_call(const void *payload, size_t size, bool has_deadline, struct call *ret,
		       struct err *err)
{
	struct cursor c = cursor_on(payload, size);
	struct call call = CALL_INIT;
	int r;

	if (has_deadline)
		call.deadline_ms = cursor_u32(&c);
	call.op = cursor_u16(&c);
	r = decode_lists(&c, &call, err);
	if (r < 0) {
		call_fini(&call);
		return r;
	}
	*ret = call;
	return 0;
}

int frame_decode_call(const void *payload, size_t size, struct call *ret, struct err *err)
{
	return decode_call(payload, size, true, ret, err);
}

int frame_decode_event(const void *payload, size_t size, struct call *ret, struct err *err)
{
	return decode_call(payload, size, false, ret, err);
}

int frame_decode_reply(const void *payload, size_t size, int *fds, unsigned fd_count,
		       struct reply *ret, struct err *err)
{
	struct cursor c = cursor_on(payload, size);
	struct reply reply = REPLY_INIT;
	uint8_t kind;
	int r;

	reply.status = cursor_u16(&c);
	kind = cursor_u8(&c);
	r = fields_decode(&c, &reply.head, err);
	if (r == 0 && kind == BODY_MEMFD && cursor_left(&c) != 0)
		r = err_set(err, ERR_CORRUPT, "frame has bytes left over");
	if (r == 0 && (kind > BODY_MEMFD || fd_count > 2 || (kind == BODY_MEMFD && fd_count == 0) ||
		       (kind == BODY_INLINE && fd_count > 1)))
		r = err_set(err, ERR_CORRUPT, "reply with impossible descriptors");
	if (r < 0) {
		reply_fini(&reply);
		return r;
	}
	if (kind == BODY_INLINE && cursor_left(&c) > 0)
		buf_add(&reply.body, c.at, cursor_left(&c));
	if (kind == BODY_MEMFD) {
		reply.body_fd = fds[fd_count - 1];
		fds[fd_count - 1] = -1;
		fd_count--;
	}
	if (fd_count > 0) {
		reply.fd = fds[0];
		fds[0] = -1;
	}
	*ret = reply;
	return 0;
}
