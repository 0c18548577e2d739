/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PFF2 font of a few characters, made here: an L, a full block, an accent, a wide one. */
#pragma once

#include <assert.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/task/vncterm/font.h"

#define TINY_WIDE 0x6f22u

struct tiny_glyph {
	uint32_t c;
	int width, height, x, y;
	const char *bits; /* '#' and '.', row by row */
};

static const struct tiny_glyph tiny_glyphs[] = {
	{' ', 0, 0, 8, -2, ""},
	{'L', 4, 3, 1, 0,
	 "#..."
	 "#..."
	 "####"},
	{0x301, 2, 2, 4, 12, ".##."},
	{0x2588, 8, 16, 0, -2,
	 "################################################################"
	 "################################################################"},
	{TINY_WIDE, 16, 2, 0, 0,
	 "################"
	 "#..............#"},
};

static inline void tiny_be(struct buf *buf, uint32_t value, unsigned bytes)
{
	while (bytes-- > 0)
		buf_add_char(buf, (char)(value >> 8 * bytes));
}

static inline void tiny_section(struct buf *buf, const char *name, uint32_t size)
{
	buf_add(buf, name, 4);
	tiny_be(buf, size, 4);
}

static inline void tiny_add_glyph(struct buf *data, const struct tiny_glyph *g)
{
	size_t bits = strlen(g->bits);

	tiny_be(data, (uint32_t)g->width, 2);
	tiny_be(data, (uint32_t)g->height, 2);
	tiny_be(data, (uint32_t)(uint16_t)g->x, 2);
	tiny_be(data, (uint32_t)(uint16_t)g->y, 2);
	tiny_be(data, 8, 2);
	for (size_t at = 0; at < bits; at += 8) {
		unsigned byte = 0;

		for (size_t i = 0; i < 8 && at + i < bits; i++)
			byte |= g->bits[at + i] == '#' ? 0x80u >> i : 0;
		buf_add_char(data, (char)byte);
	}
}

/* The whole file. */
static inline void tiny_font_make(struct buf *ret)
{
	enum { COUNT = sizeof(tiny_glyphs) / sizeof(tiny_glyphs[0]) };
	size_t index;

	tiny_section(ret, "FILE", 4);
	buf_add(ret, "PFF2", 4);
	tiny_section(ret, "NAME", 5);
	buf_add(ret, "Tiny", 5);
	tiny_section(ret, "ASCE", 2);
	tiny_be(ret, 14, 2);
	tiny_section(ret, "DESC", 2);
	tiny_be(ret, 2, 2);
	tiny_section(ret, "CHIX", COUNT * 9);
	index = ret->size;
	for (size_t i = 0; i < COUNT; i++) {
		tiny_be(ret, tiny_glyphs[i].c, 4);
		buf_add_char(ret, 0); /* no flags */
		tiny_be(ret, 0, 4);   /* the place follows below */
	}
	tiny_section(ret, "DATA", 0xffffffff);
	for (size_t i = 0; i < COUNT; i++) {
		uint32_t place = (uint32_t)ret->size;
		char *entry = ret->data + index + i * 9 + 5;

		for (unsigned k = 0; k < 4; k++)
			entry[k] = (char)(place >> (24 - 8 * k));
		tiny_add_glyph(ret, &tiny_glyphs[i]);
	}
}
