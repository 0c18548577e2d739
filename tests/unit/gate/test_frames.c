/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of a WebSocket on memory alone: what fits, and what has to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/gate/websocket.h"

static const char chunk[WEBSOCKET_CHUNK];
static const char own_close[] = {'\x88', 2, '\x03', '\xe8'};
static const char their_close[] = {'\x88', '\x82', 0, 0, 0, 0, '\x03', '\xe8'};

/* A guest's last words that leave `left` bytes of the wire to its close. */
static struct websocket *filled_but(size_t left)
{
	struct websocket *ws = websocket_new();

	websocket_message(ws, chunk, sizeof(chunk));
	websocket_message(ws, chunk, WEBSOCKET_WIRE_MAX - 2 * WEBSOCKET_RECORD - left - 4);
	assert_true(websocket_has_message_room(ws));
	websocket_message(ws, chunk, sizeof(chunk));
	assert_int_equal(ws->wire.size, WEBSOCKET_WIRE_MAX - left);
	return ws;
}

/* The close is behind all that fits, and reaches the viewer all the same. */
static void a_close_waits_for_room(void **state)
{
	(void)state;
	for (size_t left = 0; left <= sizeof(own_close); left++) {
		struct websocket *ws = filled_but(left);
		size_t whole = WEBSOCKET_WIRE_MAX - left;

		websocket_close(ws, WEBSOCKET_NORMAL);
		websocket_sent(ws, WEBSOCKET_RECORD);
		whole -= WEBSOCKET_RECORD;
		assert_int_equal(ws->wire.size, whole + sizeof(own_close));
		assert_memory_equal(ws->wire.data + whole, own_close, sizeof(own_close));
		websocket_sent(ws, ws->wire.size);
		assert_false(websocket_is_over(ws));
		assert_int_equal(websocket_input(ws, their_close, sizeof(their_close)),
				 sizeof(their_close));
		assert_true(websocket_is_over(ws));
		websocket_free(ws);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_close_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
