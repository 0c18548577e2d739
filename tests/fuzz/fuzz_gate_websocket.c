/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a viewer sends. "H" and lines: the headers of a handshake. "O" and lines: those that say whose page asks. Anything else: frames; the first bytes say
 * in what pieces they come, and what the guest does meanwhile. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/handshake.h"
#include "agent/gate/origin.h"
#include "agent/gate/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- handshake ---- */

/* "" is an empty header, "-" none at all. */
static const char *next_line(char **at)
{
	char *line = *at ? strsep(at, "\n") : NULL;

	return str_eq(line, "-") ? NULL : line;
}

static void run_handshake(char *text)
{
	struct handshake h = {.http = next_line(&text),
			      .upgrade = next_line(&text),
			      .connection = next_line(&text),
			      .version = next_line(&text),
			      .key = next_line(&text),
			      .protocols = next_line(&text),
			      .origin = next_line(&text),
			      .host = next_line(&text)};
	struct handshake_answer answer = {0};
	struct err err = ERR_INIT;
	int r = handshake_check(&h, &answer, &err);

	if (r < 0 && (answer.accept[0] || answer.is_binary || !err.message[0]))
		abort();
	if (r < 0)
		return;
	if (strlen(answer.accept) != HANDSHAKE_ACCEPT_SIZE - 1 || !handshake_is_wanted(h.upgrade))
		abort();
	if (h.origin && strlen(h.origin) <= strlen("https://"))
		abort();
}

static void run_origin(char *text)
{
	struct origin o = {.verb = next_line(&text) ?: "",
			   .origin = next_line(&text),
			   .fetch_site = next_line(&text),
			   .host = next_line(&text),
			   .has_cookie = true};
	struct err err = ERR_INIT;
	int r = origin_check(&o, &err);

	if ((r < 0) != (err.message[0] != '\0'))
		abort();
	/* what neither header clears never changes anything */
	if (r == 0 && o.origin && !str_eq(o.verb, "GET") && !str_eq(o.verb, "HEAD") &&
	    !str_eq(o.fetch_site, "same-origin") && strncasecmp(o.origin, "https://", 8) != 0)
		abort();
	o.has_cookie = false;
	if (origin_check(&o, &err) != 0)
		abort();
}

/* ---- frames ---- */

struct play {
	const uint8_t *script; /* one byte a step, again from its begin */
	size_t script_size, step;
	struct websocket *ws;
	bool is_closed; /* by us */
};

static uint8_t next_step(struct play *p)
{
	return p->script_size ? p->script[p->step++ % p->script_size] : 0;
}

static void check_bounds(const struct websocket *ws)
{
	if (ws->payload.size > WEBSOCKET_PAYLOAD_MAX || ws->wire.size > WEBSOCKET_WIRE_MAX)
		abort();
}

static void act_as_guest(struct play *p, uint8_t step)
{
	static const char chunk[WEBSOCKET_CHUNK];

	if ((step & 3) == 1 && websocket_has_message_room(p->ws))
		websocket_message(p->ws, chunk, step & 4 ? sizeof(chunk) : step);
	else if ((step & 3) == 2)
		websocket_ping(p->ws);
	else if (step == 255) {
		websocket_close(p->ws, WEBSOCKET_NORMAL);
		p->is_closed = true;
	}
	check_bounds(p->ws);
}

static void drain(struct websocket *ws, uint8_t step)
{
	if (step & 8)
		buf_clear(&ws->payload);
	if (step & 16)
		websocket_sent(ws, step & 32 ? ws->wire.size : ws->wire.size / 2);
}

/* With nothing in its way, input goes in. */
static void must_progress(struct play *p, const uint8_t *data, size_t *at, size_t size)
{
	struct websocket *ws = p->ws;

	for (int empty = 0; *at < size; empty++) {
		size_t n = websocket_input(ws, data + *at, size - *at);

		check_bounds(ws);
		*at += n;
		if (n > 0)
			empty = 0;
		if (empty > 2)
			abort();
		buf_clear(&ws->payload);
		websocket_sent(ws, ws->wire.size);
	}
}

static void run_frames(struct play *p, const uint8_t *data, size_t size)
{
	size_t at = 0;

	for (int i = 0; i < 64 && at < size; i++) {
		uint8_t step = next_step(p);
		size_t piece = (size_t)(step >> 2) * 97 + 1, left = size - at;

		at += websocket_input(p->ws, data + at, piece < left ? piece : left);
		check_bounds(p->ws);
		act_as_guest(p, next_step(p));
		drain(p->ws, step);
	}
	must_progress(p, data, &at, size);
	websocket_close(p->ws, WEBSOCKET_GOING_AWAY);
	websocket_input(p->ws, NULL, 0);
	check_bounds(p->ws);
	if (websocket_has_message_room(p->ws))
		abort();
	/* first what was in the way of the close, then the close */
	websocket_sent(p->ws, p->ws->wire.size);
	websocket_sent(p->ws, p->ws->wire.size);
	if (websocket_is_over(p->ws) != websocket_is_input_over(p->ws))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t script = size > 0 ? data[0] % 16 : 0;
	struct play p = {.script = data};

	if (size > 0 && data[0] == 'H') {
		autofree char *text = xstrndup((const char *)data + 1, size - 1);

		run_handshake(text);
		return 0;
	}
	if (size > 0 && data[0] == 'O') {
		autofree char *text = xstrndup((const char *)data + 1, size - 1);

		run_origin(text);
		return 0;
	}
	p.script_size = script < size ? script : size;
	p.ws = websocket_new();
	run_frames(&p, data + p.script_size, size - p.script_size);
	websocket_free(p.ws);
	return 0;
}
