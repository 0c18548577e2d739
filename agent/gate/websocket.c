/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/websocket.h"

#include <string.h>
#include <wslay/wslay.h>

#include "agent/base/mem.h"

#define PIECE 4096u /* more than wslay asks for at once, and so the most that one turn adds */

/* ---- what wslay calls ---- */

static bool has_room(const struct websocket *ws)
{
	/* Each piece may hold hundreds of pings: their answers have to be on the wire before the next. */
	return ws->payload.size + PIECE <= WEBSOCKET_PAYLOAD_MAX &&
	       ws->wire.size + 2 * PIECE <= WEBSOCKET_WIRE_MAX &&
	       wslay_event_get_queued_msg_count(ws->frames) == 0;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t size, int flags, void *cls)
{
	struct websocket *ws = cls;
	size_t n = ws->input_size < size ? ws->input_size : size;

	(void)flags;
	if (n > PIECE)
		n = PIECE;
	if (n == 0 || !has_room(ws)) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, ws->input, n);
	ws->input += n;
	ws->input_size -= n;
	return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t size, int flags,
		       void *cls)
{
	struct websocket *ws = cls;
	size_t room = WEBSOCKET_WIRE_MAX - ws->wire.size;

	(void)flags;
	if (room == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (size > room)
		size = room;
	buf_add(&ws->wire, data, size);
	return (ssize_t)size;
}

/* From inside of a callback: sent when wslay_event_recv() is through. */
static void refuse(struct websocket *ws, enum websocket_code code)
{
	wslay_event_queue_close(ws->frames, code, NULL, 0);
	wslay_event_shutdown_read(ws->frames);
}

static void on_frame(wslay_event_context_ptr ctx,
		     const struct wslay_event_on_frame_recv_start_arg *frame, void *cls)
{
	struct websocket *ws = cls;

	(void)ctx;
	ws->is_data = !wslay_is_ctrl_frame(frame->opcode);
	/* half a code, to which wslay would answer without any */
	if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)
		refuse(ws, WEBSOCKET_PROTOCOL);
	if (!ws->is_data)
		return;
	if (frame->opcode != WSLAY_CONTINUATION_FRAME)
		ws->message_size = 0;
	/* wslay holds each frame to the bound, but not their sum */
	ws->message_size += frame->payload_length;
	if (ws->message_size > WEBSOCKET_MESSAGE_MAX)
		refuse(ws, WEBSOCKET_TOO_BIG);
}

static void on_chunk(wslay_event_context_ptr ctx,
		     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *cls)
{
	struct websocket *ws = cls;

	(void)ctx;
	if (ws->is_data && ws->message_size <= WEBSOCKET_MESSAGE_MAX)
		buf_add(&ws->payload, chunk->data, chunk->data_length);
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = on_recv,
	.send_callback = on_send,
	.on_frame_recv_start_callback = on_frame,
	.on_frame_recv_chunk_callback = on_chunk,
};

/* ---- outside ---- */

struct websocket *websocket_new(void)
{
	struct websocket *ws = xcalloc(1, sizeof(*ws));

	if (wslay_event_context_server_init(&ws->frames, &callbacks, ws) < 0)
		abort(); /* out of memory, as everywhere */
	wslay_event_config_set_no_buffering(ws->frames, 1);
	wslay_event_config_set_max_recv_msg_length(ws->frames, WEBSOCKET_MESSAGE_MAX);
	return ws;
}

void websocket_free(struct websocket *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->frames);
	buf_fini(&ws->payload);
	buf_fini(&ws->wire);
	free(ws);
}

/* A head of a frame that makes no sense: wslay (1.1.1) queued a close without a code for it. Nothing else
 * is queued while we read, so ours does not land inside of a message. */
static void fail(struct websocket *ws)
{
	static const char frame[] = {'\x88', 2, '\x03', '\xea'}; /* 1002 */

	wslay_event_shutdown_write(ws->frames);
	buf_add(&ws->wire, frame, sizeof(frame));
}

size_t websocket_input(struct websocket *ws, const void *data, size_t size)
{
	size_t before;

	ws->input = data;
	ws->input_size = size;
	do {
		before = ws->input_size;
		if (!websocket_is_input_over(ws) && wslay_event_recv(ws->frames) < 0)
			fail(ws);
		wslay_event_send(ws->frames);
	} while (ws->input_size < before);
	if (websocket_is_input_over(ws))
		ws->input_size = 0;
	ws->input = NULL;
	return size - ws->input_size;
}

bool websocket_has_input_room(const struct websocket *ws)
{
	return websocket_is_input_over(ws) || has_room(ws);
}

bool websocket_has_message_room(const struct websocket *ws)
{
	return wslay_event_get_queued_msg_count(ws->frames) == 0 &&
	       wslay_event_get_write_enabled(ws->frames) &&
	       ws->wire.size + WEBSOCKET_RECORD <= WEBSOCKET_WIRE_MAX;
}

static void queue(struct websocket *ws, uint8_t opcode, const void *data, size_t size)
{
	const struct wslay_event_msg msg = {.opcode = opcode, .msg = data, .msg_length = size};

	wslay_event_queue_msg(ws->frames, &msg);
	wslay_event_send(ws->frames);
}

void websocket_message(struct websocket *ws, const void *data, size_t size)
{
	queue(ws, WSLAY_BINARY_FRAME, data, size);
}

void websocket_sent(struct websocket *ws, size_t size)
{
	buf_drop_front(&ws->wire, size);
	wslay_event_send(ws->frames);
}

void websocket_ping(struct websocket *ws)
{
	if (ws->wire.size == 0 && wslay_event_get_queued_msg_count(ws->frames) == 0)
		queue(ws, WSLAY_PING, NULL, 0);
}

void websocket_close(struct websocket *ws, enum websocket_code code)
{
	wslay_event_queue_close(ws->frames, code, NULL, 0);
	wslay_event_send(ws->frames);
}

bool websocket_is_input_over(const struct websocket *ws)
{
	return !wslay_event_get_read_enabled(ws->frames);
}

bool websocket_is_over(const struct websocket *ws)
{
	return websocket_is_input_over(ws) && !wslay_event_want_write(ws->frames) &&
	       ws->wire.size == 0;
}
