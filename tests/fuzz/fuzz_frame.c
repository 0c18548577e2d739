/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: the header, then the payload as whatever the header says. A decoded call encodes to the
 * same bytes again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_call(uint64_t id, const uint8_t *data, size_t size)
{
	struct call call;
	autobuf back = BUF_INIT;

	if (frame_decode_call(data, size, &call, NULL) < 0)
		return;
	frame_encode_call(id, &call, &back);
	if (back.size != size + FRAME_HEADER_SIZE ||
	    memcmp(back.data + FRAME_HEADER_SIZE, data, size) != 0)
		abort();
	if (frame_check_call(&call, NULL) < 0 && size <= FRAME_PAYLOAD_MAX / 2)
		abort();
	call_fini(&call);
}

static void try_event(const uint8_t *data, size_t size)
{
	struct call event;

	if (frame_decode_event(data, size, &event, NULL) == 0)
		call_fini(&event);
}

static void try_reply(const uint8_t *data, size_t size, unsigned fd_count)
{
	/* numbers that are nobody's descriptors: decoding only hands them on */
	int fds[FRAME_FDS_MAX] = {1000001, 1000002, 1000003, 1000004};
	struct reply reply;

	if (frame_decode_reply(data, size, fds, fd_count, &reply, NULL) == 0)
		reply_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_header h;

	if (size < FRAME_HEADER_SIZE || frame_decode_header(data, &h, NULL) < 0)
		return 0;
	data += FRAME_HEADER_SIZE;
	size -= FRAME_HEADER_SIZE;
	if (h.type == FRAME_CALL)
		try_call(h.id, data, size);
	else if (h.type == FRAME_EVENT)
		try_event(data, size);
	else if (h.type == FRAME_REPLY)
		try_reply(data, size, h.fd_count);
	return 0;
}
