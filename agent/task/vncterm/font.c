/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The font's file. Every place that it names is checked against its size. */
#include "agent/task/vncterm/font.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "agent/base/fd.h"

#define FONT_SIZE_MAX (64u * 1024 * 1024)
#define HEAD_SIZE     8u
#define ENTRY_SIZE    9u
#define GLYPH_HEAD    10u
#define GLYPH_SIDE    32u

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static int be16_signed(const uint8_t *p)
{
	return (int16_t)be16(p);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* What is needed of the section; the others are passed over. */
static void take_section(struct font *font, const uint8_t *name, const uint8_t *body, size_t size,
			 int *descent)
{
	if (memcmp(name, "ASCE", 4) == 0 && size == 2)
		font->ascent = (int)be16(body);
	else if (memcmp(name, "DESC", 4) == 0 && size == 2)
		*descent = (int)be16(body);
	if (memcmp(name, "CHIX", 4) != 0)
		return;
	font->index = body;
	font->count = size / ENTRY_SIZE;
}

int font_parse(const void *data, size_t size, struct font *ret, struct err *err)
{
	struct font font = {.data = data, .size = size};
	int descent = 0;

	if (size < HEAD_SIZE + 4 || memcmp(data, "FILE\0\0\0\4PFF2", 12) != 0)
		return err_set(err, ERR_CORRUPT, "not a PFF2 font");
	for (size_t at = HEAD_SIZE + 4; size - at >= HEAD_SIZE;) {
		const uint8_t *head = font.data + at;
		size_t length = be32(head + 4);

		if (memcmp(head, "DATA", 4) == 0) /* to the end, whatever length it says */
			break;
		at += HEAD_SIZE;
		if (length > size - at)
			return err_set(err, ERR_CORRUPT, "a section is longer than the font");
		take_section(&font, head, font.data + at, length, &descent);
		at += length;
	}
	if (font.count == 0)
		return err_set(err, ERR_CORRUPT, "a font without characters");
	if (font.ascent + descent != (int)FONT_HEIGHT)
		return err_set(err, ERR_CORRUPT, "the font is %d pixels high, not %u",
			       font.ascent + descent, FONT_HEIGHT);
	*ret = font;
	return 0;
}

int font_open(const char *path, struct font *ret, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "font %s", path);
	if (st.st_size <= 0 || st.st_size > FONT_SIZE_MAX)
		return err_set(err, ERR_CORRUPT, "font %s: unlikely size", path);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return err_errno(err, errno, "font %s", path);
	if ((r = font_parse(data, (size_t)st.st_size, ret, err)) < 0) {
		munmap(data, (size_t)st.st_size);
		return err_prefix(err, "font %s", path);
	}
	return 0;
}

/* NULL: not there. */
static const uint8_t *find(const struct font *font, uint32_t c)
{
	size_t low = 0, high = font->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint8_t *entry = font->index + middle * ENTRY_SIZE;
		uint32_t here = be32(entry);

		if (here == c) {
			size_t place = be32(entry + 5);

			return entry[4] == 0 && place <= font->size - GLYPH_HEAD
				       ? font->data + place
				       : NULL; /* packed glyphs: never made by anybody */
		}
		if (here < c)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool bit(const uint8_t *bits, size_t at)
{
	return bits[at / 8] >> (7 - at % 8) & 1;
}

static void place_row(uint16_t *row, const uint8_t *bits, size_t first, int width, int x)
{
	for (int i = 0; i < width; i++) {
		int column = x + i;

		if (column >= 0 && column < 16 && bit(bits, first + (size_t)i))
			*row = (uint16_t)(*row | 0x8000u >> column);
	}
}

static void hollow_box(struct glyph *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->rows[3] = ret->rows[13] = 0x7e00;
	for (int y = 4; y < 13; y++)
		ret->rows[y] = 0x4200;
}

bool font_glyph(const struct font *font, uint32_t c, struct glyph *ret)
{
	const uint8_t *head = find(font, c);
	size_t width = head ? be16(head) : 0, height = head ? be16(head + 2) : 0;

	if (!head || width > GLYPH_SIDE || height > GLYPH_SIDE ||
	    (width * height + 7) / 8 > font->size - GLYPH_HEAD - (size_t)(head - font->data)) {
		hollow_box(ret);
		return false;
	}
	int top = font->ascent - be16_signed(head + 6) - (int)height;

	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < (int)height; i++)
		if (top + i >= 0 && top + i < (int)FONT_HEIGHT)
			place_row(&ret->rows[top + i], head + GLYPH_HEAD, (size_t)i * width,
				  (int)width, be16_signed(head + 4));
	return true;
}
