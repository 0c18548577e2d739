/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bitmap font of cells of 8x16 pixels: GRUB's unicode.pf2, which is GNU Unifont with all of Unicode's first
 * plane, box drawing and blocks included. It is mapped as it lies in the file and never copied. The format: big
 * endian sections {name[4], size, bytes}; CHIX lists {character, flags, place in the file}, in order; a glyph is
 * {width, height, x, y, advance} and its rows of bits without padding. Parsing is pure; fuzzed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

#define FONT_PATH   "/usr/share/grub/unicode.pf2" /* of package grub-common */
#define FONT_WIDTH  8u
#define FONT_HEIGHT 16u

struct font {
	const uint8_t *data; /* mapped for the life of the process, or the caller's */
	size_t size;
	const uint8_t *index; /* inside data */
	size_t count;	      /* characters */
	int ascent;
};

/* Rows from the top; the leftmost pixel is bit 15. Wide characters use all sixteen. */
struct glyph {
	uint16_t rows[FONT_HEIGHT];
};

int font_open(const char *path, struct font *ret, struct err *err);
/* data is borrowed. ERR_CORRUPT: not such a font, or one of another size. */
int font_parse(const void *data, size_t size, struct font *ret, struct err *err);
/* False: the font has no such character, and the glyph is a hollow box. */
bool font_glyph(const struct font *font, uint32_t c, struct glyph *ret);
