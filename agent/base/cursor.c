/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded read cursor over untrusted bytes. */
#include "agent/base/cursor.h"

#include <string.h>

struct cursor cursor_on(const void *data, size_t size)
{
	static const uint8_t nothing[1];
	const uint8_t *at = data ? data : nothing;

	return (struct cursor){.at = at, .end = data ? at + size : at};
}

size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : (size_t)(c->end - c->at);
}

const void *cursor_bytes(struct cursor *c, size_t size)
{
	const uint8_t *at = c->at;

	if (c->failed || size > (size_t)(c->end - c->at)) {
		c->failed = true;
		return NULL;
	}
	c->at += size;
	return at;
}

static uint64_t read_le(struct cursor *c, unsigned bytes)
{
	const uint8_t *p = cursor_bytes(c, bytes);
	uint64_t v = 0;

	for (unsigned i = 0; p && i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)read_le(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)read_le(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)read_le(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return read_le(c, 8);
}

void cursor_text(struct cursor *c, char *ret, size_t size)
{
	size_t n = cursor_u16(c);
	const char *text = n < size ? cursor_bytes(c, n) : NULL;

	ret[0] = '\0';
	if (!text || memchr(text, '\0', n)) {
		c->failed = true;
		return;
	}
	memcpy(ret, text, n);
	ret[n] = '\0';
}
