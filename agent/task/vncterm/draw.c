/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells to pixels. A cell that did not change is not touched. */
#include "agent/task/vncterm/draw.h"

#include <string.h>

#include "agent/base/mem.h"

#define UNDERLINE_ROW 14u
#define STRIKE_ROW    8u
#define ITALIC_ROWS   5u /* lean one pixel more */

void grid_resize(struct grid *grid, unsigned cols, unsigned rows)
{
	grid_fini(grid);
	grid->cols = cols;
	grid->rows = rows;
	grid->cells = xcalloc((size_t)cols * rows, sizeof(struct cell));
}

void grid_fini(struct grid *grid)
{
	free(grid->cells);
	*grid = GRID_INIT;
}

/* -- glyphs --------------------------------------------------------------------------------------- */

static void lean(struct glyph *glyph)
{
	for (unsigned y = 0; y < FONT_HEIGHT; y++) {
		if (y < ITALIC_ROWS)
			glyph->rows[y] = (uint16_t)(glyph->rows[y] >> 1);
		else if (y >= FONT_HEIGHT - ITALIC_ROWS)
			glyph->rows[y] = (uint16_t)(glyph->rows[y] << 1);
	}
}

static void compose(const struct font *font, const struct cell *cell, struct glyph *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < CELL_CHARS && cell->chars[i]; i++) {
		struct glyph one;

		if (!font_glyph(font, cell->chars[i], &one) && i > 0)
			continue; /* an unknown accent hides no letter */
		for (unsigned y = 0; y < FONT_HEIGHT; y++)
			ret->rows[y] |= one.rows[y];
	}
}

/* Before the styles: an underline does not lean. */
static void add_lines(const struct cell *cell, struct glyph *glyph)
{
	if (cell->style & (CELL_UNDERLINE | CELL_UNDERLINE_DOUBLE))
		glyph->rows[UNDERLINE_ROW] = 0xffff;
	if (cell->style & CELL_UNDERLINE_DOUBLE)
		glyph->rows[UNDERLINE_ROW - 2] = 0xffff;
	if (cell->style & CELL_STRIKE)
		glyph->rows[STRIKE_ROW] = 0xffff;
}

static void shape(const struct font *font, const struct cell *cell, struct glyph *ret)
{
	compose(font, cell, ret);
	if (cell->style & CELL_ITALIC)
		lean(ret);
	if (cell->style & CELL_BOLD)
		for (unsigned y = 0; y < FONT_HEIGHT; y++)
			ret->rows[y] |= (uint16_t)(ret->rows[y] >> 1);
	add_lines(cell, ret);
}

/* -- cells ---------------------------------------------------------------------------------------- */

static bool is_cursor(enum cursor_shape shape, unsigned x, unsigned y)
{
	switch (shape) {
	case CURSOR_BLOCK:
		return true;
	case CURSOR_UNDERLINE:
		return y >= FONT_HEIGHT - 2;
	case CURSOR_BAR:
		return x < 2;
	case CURSOR_HIDDEN:
		break;
	}
	return false;
}

static uint32_t pixel_of(const struct canvas *canvas, uint32_t rgb)
{
	return (rgb >> 16 & 0xff) << canvas->red | (rgb >> 8 & 0xff) << canvas->green |
	       (rgb & 0xff) << canvas->blue;
}

static void draw_cell(const struct canvas *canvas, const struct font *font, const struct grid *grid,
		      unsigned col, unsigned row)
{
	const struct cell *cell = grid_cell(grid, col, row);
	unsigned left = col * FONT_WIDTH, top = row * FONT_HEIGHT, width = cell->width * FONT_WIDTH;
	bool here = grid->at.col == col && grid->at.row == row;
	enum cursor_shape cursor = here ? grid->at.shape : CURSOR_HIDDEN;
	uint32_t fg = pixel_of(canvas, cell->fg), bg = pixel_of(canvas, cell->bg);
	struct glyph glyph;

	shape(font, cell, &glyph);
	for (unsigned y = 0; y < FONT_HEIGHT && top + y < canvas->height; y++) {
		uint32_t *line = canvas->pixels + (size_t)(top + y) * canvas->width;

		for (unsigned x = 0; x < width && left + x < canvas->width; x++) {
			bool is_set = glyph.rows[y] & 0x8000u >> x;

			line[left + x] = is_set != is_cursor(cursor, x, y) ? fg : bg;
		}
	}
}

/* -- changes -------------------------------------------------------------------------------------- */

static bool has_cursor(const struct grid *grid, unsigned col, unsigned row)
{
	return grid->at.shape != CURSOR_HIDDEN && grid->at.col == col && grid->at.row == row;
}

static bool is_same(const struct grid *before, const struct grid *now, unsigned col, unsigned row)
{
	bool had = has_cursor(before, col, row), has = has_cursor(now, col, row);

	if (had != has || (has && before->at.shape != now->at.shape))
		return false;
	return memcmp(grid_cell(before, col, row), grid_cell(now, col, row), sizeof(struct cell)) ==
	       0;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

void draw_changes(const struct canvas *canvas, const struct font *font, const struct grid *before,
		  const struct grid *now,
		  void (*drawn)(unsigned x, unsigned y, unsigned width, unsigned height, void *ctx),
		  void *ctx)
{
	bool all = before->cols != now->cols || before->rows != now->rows;

	for (unsigned row = 0; row < now->rows && row * FONT_HEIGHT < canvas->height; row++) {
		unsigned first = now->cols, end = 0, top = row * FONT_HEIGHT;

		for (unsigned col = 0; col < now->cols; col++) {
			if (!all && is_same(before, now, col, row))
				continue;
			draw_cell(canvas, font, now, col, row);
			first = least(first, col);
			end = col + (grid_cell(now, col, row)->width == 2 ? 2 : 1);
		}
		unsigned left = first * FONT_WIDTH, right = least(end * FONT_WIDTH, canvas->width);

		if (left < right)
			drawn(left, top, right - left, least(FONT_HEIGHT, canvas->height - top),
			      ctx);
	}
}
