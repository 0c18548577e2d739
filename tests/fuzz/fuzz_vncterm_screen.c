/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A drawn terminal between a guest and a viewer that both do what they like: what comes out is always a whole grid
 * within its bounds, its pixels stay inside the canvas, and what waits for the guest stays bounded. The input is a
 * list of steps: a byte that says which, a byte for how much, and that much. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/draw.h"
#include "agent/task/vncterm/screen.h"
#include "tests/unit/vncterm/tiny_font.h"

#define WIDTH  640u
#define HEIGHT 200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzzed {
	struct screen *screen;
	struct grid drawn, next;
	uint32_t *pixels; /* with a guard behind them */
	struct font font;
};

static void on_drawn(unsigned x, unsigned y, unsigned width, unsigned height, void *ctx)
{
	(void)ctx;
	if (width == 0 || height == 0 || x + width > WIDTH || y + height > HEIGHT)
		abort();
}

static void check_grid(const struct grid *grid)
{
	if (grid->cols < GRID_COLS_MIN || grid->cols > GRID_COLS_MAX || grid->rows < 1 ||
	    grid->rows > GRID_ROWS_MAX)
		abort();
	if (grid->at.shape != CURSOR_HIDDEN &&
	    (grid->at.col >= grid->cols || grid->at.row >= grid->rows))
		abort();
	for (unsigned row = 0; row < grid->rows; row++)
		for (unsigned col = 0; col < grid->cols; col++) {
			const struct cell *cell = grid_cell(grid, col, row);
			bool is_wide = cell->width == 2;

			if (cell->width > 2 ||
			    (cell->width == 0 && (col == 0 || cell[-1].width != 2)) ||
			    (is_wide && (col + 1 == grid->cols || cell[1].width != 0)))
				abort();
		}
}

static void look(struct fuzzed *f)
{
	const struct canvas canvas = {f->pixels, WIDTH, HEIGHT, 16, 8, 0};
	struct grid drawn = f->drawn;

	screen_take_bell(f->screen);
	if (screen_typed(f->screen)->size > SCREEN_TYPED_MAX + SCREEN_CLIP_MAX + 64)
		abort();
	if (!screen_take(f->screen, &f->next))
		return;
	check_grid(&f->next);
	draw_changes(&canvas, &f->font, &f->drawn, &f->next, on_drawn, f);
	f->drawn = f->next;
	f->next = drawn;
	if (f->pixels[WIDTH * HEIGHT] != 0xfeedbeef)
		abort();
}

static uint32_t number(const uint8_t *data, size_t size, size_t at)
{
	return at < size ? data[at] : 0;
}

static void step(struct fuzzed *f, unsigned what, const uint8_t *data, size_t size)
{
	uint32_t a = number(data, size, 0), b = number(data, size, 1), c = number(data, size, 2);

	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		screen_feed(f->screen, data, size);
		break;
	case 3:
		screen_key(f->screen, c << 24 | b << 8 | a, true);
		screen_key(f->screen, c << 24 | b << 8 | a, number(data, size, 3) & 1);
		break;
	case 4:
		screen_pointer(f->screen, a, b, c);
		break;
	case 5:
		screen_resize(f->screen, a, b);
		break;
	case 6:
		screen_clip(f->screen, (const char *)data, size);
		break;
	case 7:
		buf_clear(screen_typed(f->screen));
		screen_release_keys(f->screen);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf file;
	struct fuzzed f = {.pixels = xcalloc(WIDTH * HEIGHT + 1, sizeof(uint32_t))};

	if (file.size == 0)
		tiny_font_make(&file);
	if (font_parse(file.data, file.size, &f.font, NULL) < 0)
		abort();
	f.pixels[WIDTH * HEIGHT] = 0xfeedbeef;
	f.screen = screen_new(80, 24);
	for (size_t at = 0; at + 2 <= size;) {
		unsigned what = data[at], length = data[at + 1];
		size_t left = size - at - 2, here = length < left ? length : left;

		step(&f, what, data + at + 2, here);
		at += 2 + here;
		look(&f);
	}
	screen_free(f.screen);
	grid_fini(&f.drawn);
	grid_fini(&f.next);
	free(f.pixels);
	return 0;
}
