/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's half of WebSocket, written out by hand so that it can also do what it must not. */
#pragma once

#include <errno.h>
#include <poll.h>

#include "tests/unit/gate/gate_fixture.h"

#define WS_KEY	  "dGhlIHNhbXBsZSBub25jZQ==" /* the example of RFC 6455 */
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define WS_HEADERS                                                                                 \
	"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"               \
	"\r\nSec-WebSocket-Key: " WS_KEY

enum {
	WS_CONTINUED = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
	WS_FIN = 0x80,
	WS_UNMASKED = 0x100, /* ours alone: not on the wire */
};

struct ws_frame {
	unsigned opcode;
	bool is_final;
	size_t size;
	unsigned char *data;
};

static inline void ws_frame_fini(struct ws_frame *f)
{
	free(f->data);
}
#define autoframe __attribute__((cleanup(ws_frame_fini))) struct ws_frame

static inline void ws_encode(struct buf *out, unsigned how, const void *data, size_t size)
{
	static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	bool is_masked = !(how & WS_UNMASKED);
	unsigned flag = is_masked ? 0x80 : 0;

	buf_add_u8(out, (uint8_t)(how & 0xff));
	if (size < 126) {
		buf_add_u8(out, (uint8_t)(size | flag));
	} else if (size < 65536) {
		buf_add_u8(out, (uint8_t)(126 | flag));
		buf_add_u8(out, (uint8_t)(size >> 8));
		buf_add_u8(out, (uint8_t)size);
	} else {
		buf_add_u8(out, (uint8_t)(127 | flag));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_add_u8(out, (uint8_t)((uint64_t)size >> shift));
	}
	if (is_masked)
		buf_add(out, mask, sizeof(mask));
	for (size_t i = 0; i < size; i++)
		buf_add_u8(out, (uint8_t)(((const unsigned char *)data)[i] ^
					  (is_masked ? mask[i % 4] : 0)));
}

static inline void ws_send(struct client *c, unsigned how, const void *data, size_t size)
{
	autobuf out = BUF_INIT;

	ws_encode(&out, how, data, size);
	client_send(c, out.data, out.size);
}

static inline void ws_send_close(struct client *c, unsigned code)
{
	const unsigned char body[2] = {(unsigned char)(code >> 8), (unsigned char)code};

	ws_send(c, WS_FIN | WS_CLOSE, body, sizeof(body));
}

static inline bool ws_want(struct client *c, size_t size)
{
	while (c->in.size < size)
		if (!client_more(c))
			return false;
	return true;
}

/* false: end of file. Frames of a server are never masked. */
static inline bool ws_recv(struct client *c, struct ws_frame *ret)
{
	const unsigned char *p;
	size_t head = 2, size;

	if (!ws_want(c, 2))
		return false;
	p = (const unsigned char *)c->in.data;
	assert_false(p[1] & 0x80);
	size = p[1];
	head += size == 126 ? 2 : size == 127 ? 8 : 0;
	if (!ws_want(c, head))
		return false;
	p = (const unsigned char *)c->in.data;
	if (head > 2)
		size = 0;
	for (size_t i = 2; i < head; i++)
		size = size << 8 | p[i];
	*ret = (struct ws_frame){.opcode = p[0] & 15, .is_final = p[0] & 0x80, .size = size};
	if (!ws_want(c, head + size))
		return false;
	ret->data = xmalloc(size + 1);
	memcpy(ret->data, c->in.data + head, size);
	ret->data[size] = '\0';
	buf_drop_front(&c->in, head + size);
	return true;
}

static inline void ws_handshake(struct client *c, const char *path, const char *headers)
{
	autoresponse r = {0};

	client_ask(c, "GET /api2/json%s" WS_HEADERS "%s", path, headers);
	assert_true(client_read(c, &r));
	assert_int_equal(r.status, 101);
	assert_string_equal(r.reason, "Switching Protocols");
	assert_non_null(strstr(r.head, "Sec-WebSocket-Accept: " WS_ACCEPT "\r\n"));
	assert_non_null(strcasestr(r.head, "Upgrade: websocket\r\n"));
	assert_non_null(strcasestr(r.head, "Connection: Upgrade\r\n"));
	assert_int_equal(strstr(headers, "binary") != NULL,
			 strstr(r.head, "Sec-WebSocket-Protocol: binary\r\n") != NULL);
}

static inline void ws_open(struct client *c, const struct fixture *f, const char *path)
{
	client_open(c, f);
	ws_handshake(c, path, "\r\nSec-WebSocket-Protocol: binary");
}

/* The next frame must be a close with this code; the connection ends after it. */
static inline void ws_expect_close(struct client *c, unsigned code)
{
	autoframe f = {0};

	assert_true(ws_recv(c, &f));
	assert_int_equal(f.opcode, WS_CLOSE);
	assert_true(f.size >= 2);
	assert_int_equal(f.data[0] << 8 | f.data[1], code);
}

static inline void ws_expect_end(struct client *c)
{
	assert_int_equal(c->in.size, 0);
	assert_false(client_more(c));
}

/* Messages together must be this text. */
static inline void ws_expect_data(struct client *c, const void *data, size_t size)
{
	autobuf got = BUF_INIT;

	while (got.size < size) {
		autoframe f = {0};

		assert_true(ws_recv(c, &f));
		assert_int_equal(f.opcode, WS_BINARY);
		assert_true(f.is_final);
		buf_add(&got, f.data, f.size);
	}
	assert_int_equal(got.size, size);
	assert_memory_equal(got.data, data, size);
}

/* Until the number has not changed over 30 answers, each of which had its turn in the same loop. */
static inline uint64_t wait_until_steady(const struct fixture *f, const char *path)
{
	uint64_t last = 0;

	for (int same = 0; same < 30;) {
		uint64_t now = ask_number(f, path);

		same = now == last && now > 0 ? same + 1 : 0;
		last = now;
	}
	return last;
}
