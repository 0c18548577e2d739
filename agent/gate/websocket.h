/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebSocket frames of one connection, by wslay, on memory alone: bytes of the wire go in and come out
 * here, whoever has the sockets moves them. Nothing in here grows beyond its bound: input is taken
 * only while there is room for what it may become. Pure, fuzzed.
 *
 *   viewer -> websocket_input()  -> payload ->  guest
 *   guest  -> websocket_message() -> wire   ->  viewer */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"

#define WEBSOCKET_PAYLOAD_MAX (16u * 1024)
#define WEBSOCKET_WIRE_MAX    (36u * 1024)
#define WEBSOCKET_RECORD      (16u * 1024)	     /* one TLS record */
#define WEBSOCKET_CHUNK	      (WEBSOCKET_RECORD - 4) /* with its header it fills a record */
#define WEBSOCKET_MESSAGE_MAX (1024u * 1024)	     /* that a viewer may send */

/* close codes that we begin with; wslay adds those of its own */
enum websocket_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL = 1002,
	WEBSOCKET_TOO_BIG = 1009,
};

struct websocket {
	struct wslay_event_context *frames;
	struct buf payload; /* of binary and text messages, for the guest; drop what was taken */
	struct buf wire;    /* for the viewer; websocket_sent() drops what was sent */
	const char *input;  /* inside websocket_input() */
	size_t input_size;
	size_t message_size; /* of the message that comes in, so far */
	bool is_data;	     /* the frame that comes in is not a control frame */
};

struct websocket *websocket_new(void);
void websocket_free(struct websocket *ws);

/* Takes bytes of the wire, and returns how many: fewer than given when payload or wire have to be
 * emptied first. After a close or an error of the protocol the rest is taken and dropped. */
size_t websocket_input(struct websocket *ws, const void *data, size_t size);
bool websocket_has_input_room(const struct websocket *ws);
/* Is there room for one message of up to WEBSOCKET_CHUNK bytes? Not after a close. */
bool websocket_has_message_room(const struct websocket *ws);
void websocket_message(struct websocket *ws, const void *data, size_t size);
/* The viewer took so many bytes of wire: what had no room comes after them. */
void websocket_sent(struct websocket *ws, size_t size);
/* Only while nothing else waits to be sent: what waits is a sign of life asked for as well. */
void websocket_ping(struct websocket *ws);
void websocket_close(struct websocket *ws, enum websocket_code code);

/* The viewer closed, or broke the protocol: no more payload will come. */
bool websocket_is_input_over(const struct websocket *ws);
/* Both closed, or we after an error, and the wire has it all. */
bool websocket_is_over(const struct websocket *ws);
