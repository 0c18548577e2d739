/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells to pixels: goldens as text. Only what changed is drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/draw.h"
#include "tiny_font.h"

#define FG 0x112233u
#define BG 0x445566u

static struct font font;
static struct buf file;

static int set_up(void **state)
{
	(void)state;
	tiny_font_make(&file);
	return font_parse(file.data, file.size, &font, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	buf_fini(&file);
	return 0;
}

struct drawn {
	unsigned count, x, y, width, height;
};

static void on_drawn(unsigned x, unsigned y, unsigned width, unsigned height, void *ctx)
{
	struct drawn *drawn = ctx;

	*drawn = (struct drawn){drawn->count + 1, x, y, width, height};
}

static void fill(struct grid *grid)
{
	for (unsigned i = 0; i < grid->cols * grid->rows; i++)
		grid->cells[i] = (struct cell){.fg = FG, .bg = BG, .width = 1};
}

/* One cell on its own, drawn on 16x16 pixels, as sixteen lines. */
static char *picture(const struct cell *cell, enum cursor_shape cursor)
{
	uint32_t pixels[16 * 16];
	const struct canvas canvas = {pixels, 16, 16, 16, 8, 0};
	struct grid before = GRID_INIT, now = GRID_INIT;
	struct drawn drawn = {0};
	struct buf text = BUF_INIT;

	grid_resize(&now, 2, 1);
	fill(&now);
	now.cells[0] = *cell;
	now.cells[0].fg = FG;
	now.cells[0].bg = BG;
	if (cell->width == 2)
		now.cells[1].width = 0;
	now.at = (struct cursor_place){.shape = cursor};
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_int_equal(drawn.count, 1);
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < cell->width * 8u; x++)
			buf_add_char(&text, pixels[y * 16 + x] == FG   ? '#'
					    : pixels[y * 16 + x] == BG ? '.'
								       : '?');
		buf_add_char(&text, '\n');
	}
	grid_fini(&now);
	buf_str(&text);
	return buf_steal(&text);
}

#define EMPTY_1	 "........\n"
#define EMPTY_2	 EMPTY_1 EMPTY_1
#define EMPTY_9	 EMPTY_2 EMPTY_2 EMPTY_2 EMPTY_2 EMPTY_1
#define EMPTY_11 EMPTY_9 EMPTY_2
#define FULL	 "########\n"

static void test_goldens(void **state)
{
	static const struct {
		struct cell cell;
		enum cursor_shape cursor;
		const char *golden;
	} cases[] = {
		{{.chars = {'L'}, .width = 1},
		 CURSOR_HIDDEN,
		 EMPTY_11 ".#......\n.#......\n.####...\n" EMPTY_2},
		{{.chars = {'L'}, .style = CELL_BOLD, .width = 1},
		 CURSOR_HIDDEN,
		 EMPTY_11 ".##.....\n.##.....\n.#####..\n" EMPTY_2},
		{{.chars = {'L'}, .style = CELL_ITALIC, .width = 1},
		 CURSOR_HIDDEN,
		 EMPTY_11 "#.......\n#.......\n####....\n" EMPTY_2},
		{{.chars = {'L'}, .style = CELL_UNDERLINE, .width = 1},
		 CURSOR_HIDDEN,
		 EMPTY_11 ".#......\n.#......\n.####...\n" FULL EMPTY_1},
		{{.chars = {'L', 0x301}, .width = 1},
		 CURSOR_HIDDEN,
		 ".....#..\n....#...\n" EMPTY_9 ".#......\n.#......\n.####...\n" EMPTY_2},
		{{.chars = {'L', 0x999}, .width = 1}, /* an accent that the font has not */
		 CURSOR_HIDDEN,
		 EMPTY_11 ".#......\n.#......\n.####...\n" EMPTY_2},
		{{.style = CELL_STRIKE, .width = 1},
		 CURSOR_HIDDEN,
		 EMPTY_2 EMPTY_2 EMPTY_2 EMPTY_2 FULL EMPTY_2 EMPTY_2 EMPTY_2 EMPTY_1},
		{{.chars = {' '}, .width = 1},
		 CURSOR_UNDERLINE,
		 EMPTY_11 EMPTY_2 EMPTY_1 FULL FULL},
		{{.chars = {'L'}, .width = 1},
		 CURSOR_BAR,
		 "##......\n##......\n##......\n##......\n##......\n##......\n##......\n##......\n"
		 "##......\n##......\n##......\n#.......\n#.......\n#.###...\n##......\n##......"
		 "\n"},
		{{.chars = {0x2588}, .width = 1}, CURSOR_BLOCK, EMPTY_11 EMPTY_2 EMPTY_2 EMPTY_1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = picture(&cases[i].cell, cases[i].cursor);

		if (strcmp(got, cases[i].golden) != 0)
			fail_msg("case %zu:\n%s", i, got);
	}
}

static void test_wide(void **state)
{
	const struct cell cell = {.chars = {TINY_WIDE}, .width = 2};
	autofree char *got = picture(&cell, CURSOR_HIDDEN);

	(void)state;
	assert_memory_equal(got + 12 * 17, "################\n#..............#\n", 34);
}

static void test_places_of_colours(void **state)
{
	uint32_t pixels[16 * 16] = {0};
	const struct canvas canvas = {pixels, 16, 16, 0, 8, 16};
	struct grid before = GRID_INIT, now = GRID_INIT;
	struct drawn drawn = {0};

	(void)state;
	grid_resize(&now, 2, 1);
	fill(&now);
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_int_equal(pixels[0], 0x665544);
	grid_fini(&now);
}

static void test_only_changes(void **state)
{
	enum { COLS = 10, ROWS = 3, WIDTH = 75, HEIGHT = 40 }; /* the last column and row are cut */
	static uint32_t pixels[WIDTH * HEIGHT + 1];
	const struct canvas canvas = {pixels, WIDTH, HEIGHT, 16, 8, 0};
	struct grid before = GRID_INIT, now = GRID_INIT;
	struct drawn drawn = {0};

	(void)state;
	grid_resize(&before, COLS, ROWS);
	grid_resize(&now, COLS, ROWS);
	fill(&before);
	fill(&now);
	pixels[WIDTH * HEIGHT] = 0xabcdef;
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_int_equal(drawn.count, 0);
	grid_cell(&now, 2, 1)->chars[0] = 'L';
	grid_cell(&now, 4, 1)->bg = 7;
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_memory_equal((&(struct drawn){1, 16, 16, 24, 16}), &drawn, sizeof(drawn));
	fill(&now);
	now.at = (struct cursor_place){CURSOR_BLOCK, 9, 2};
	drawn = (struct drawn){0};
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_memory_equal((&(struct drawn){1, 72, 32, 3, 8}), &drawn, sizeof(drawn));
	before.at = (struct cursor_place){CURSOR_BLOCK, 8, 2}; /* where it was is drawn, too */
	drawn = (struct drawn){0};
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_memory_equal((&(struct drawn){1, 64, 32, 11, 8}), &drawn, sizeof(drawn));
	grid_resize(&before, COLS, ROWS + 1);
	drawn = (struct drawn){0};
	draw_changes(&canvas, &font, &before, &now, on_drawn, &drawn);
	assert_int_equal(drawn.count, ROWS); /* another size: all of it */
	assert_int_equal(pixels[WIDTH * HEIGHT], 0xabcdef);
	grid_fini(&before);
	grid_fini(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_places_of_colours),
		cmocka_unit_test(test_only_changes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
