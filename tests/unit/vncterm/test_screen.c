/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal: what programs print, what keys, pointer and clipboard become, history, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/vncterm/history.h"
#include "agent/task/vncterm/screen.h"

static struct screen *s;
static struct grid grid;

static int set_up(void **state)
{
	(void)state;
	s = screen_new(10, 4);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	screen_free(s);
	grid_fini(&grid);
	return 0;
}

static void feed(const char *text)
{
	screen_feed(s, text, strlen(text));
}

/* A row as text; '-' is the right half of what is wide, '?' beyond ASCII. */
static char *row(unsigned at)
{
	static char text[GRID_COLS_MAX + 1];
	unsigned end = 0;

	screen_take(s, &grid);
	for (unsigned i = 0; i < grid.cols; i++) {
		const struct cell *cell = grid_cell(&grid, i, at);
		uint32_t c = cell->chars[0];

		text[i] = (char)(cell->width == 0 ? '-' : c == 0 ? ' ' : c < 0x7f ? (char)c : '?');
		if (text[i] != ' ')
			end = i + 1;
	}
	text[end] = '\0';
	return text;
}

/* As it was typed, escapes as ^[. */
static char *typed(void)
{
	static char text[256];
	struct buf *buf = screen_typed(s);
	size_t n = 0;

	for (size_t i = 0; i < buf->size && n < sizeof(text) - 3; i++) {
		unsigned char c = (unsigned char)buf->data[i];

		if (c < 0x20) {
			text[n++] = '^';
			c = (unsigned char)(c + 0x40);
		}
		text[n++] = (char)c;
	}
	text[n] = '\0';
	buf_clear(buf);
	return text;
}

static void press(uint32_t keysym)
{
	screen_key(s, keysym, true);
	screen_key(s, keysym, false);
}

static void press_with(uint32_t modifier, uint32_t keysym)
{
	screen_key(s, modifier, true);
	press(keysym);
	screen_key(s, modifier, false);
}

static void test_text(void **state)
{
	(void)state;
	feed("one\r\ntwo\033[4;8Hend");
	assert_true(screen_take(s, &grid));
	assert_string_equal(row(0), "one");
	assert_string_equal(row(1), "two");
	assert_string_equal(row(3), "       end");
	assert_int_equal(grid.at.shape, CURSOR_BLOCK);
	assert_int_equal(grid.at.row, 3);
	assert_int_equal(grid.at.col, 9);
	assert_false(screen_take(s, &grid)); /* nothing new */
	feed("\033[?25l");
	assert_true(screen_take(s, &grid));
	assert_int_equal(grid.at.shape, CURSOR_HIDDEN);
}

static void test_styles(void **state)
{
	const struct cell *cell;

	(void)state;
	feed("\033[38;2;1;2;3;48;2;4;5;6mA\033[7mB\033[0;1;3;4;9mC\033[0;21mD\033[m"
	     "\033[38;5;196mE");
	screen_take(s, &grid);
	cell = grid_cell(&grid, 0, 0);
	assert_int_equal(cell->fg, 0x010203);
	assert_int_equal(cell->bg, 0x040506);
	assert_int_equal(cell[1].fg, 0x040506);
	assert_int_equal(cell[1].bg, 0x010203);
	assert_int_equal(cell[2].style, CELL_BOLD | CELL_ITALIC | CELL_UNDERLINE | CELL_STRIKE);
	assert_int_equal(cell[3].style, CELL_UNDERLINE_DOUBLE);
	assert_int_equal(cell[4].style, 0);
	assert_int_equal(cell[4].fg, 0xff0000);
}

static void test_characters(void **state)
{
	const struct cell *cell;

	(void)state;
	feed("a\u6f22b e\u0301\u0302\u0303\u0304\u2500");
	assert_string_equal(row(0), "a?-b e?");
	cell = grid_cell(&grid, 1, 0);
	assert_int_equal(cell->chars[0], 0x6f22);
	assert_int_equal(cell->width, 2);
	cell = grid_cell(&grid, 5, 0);
	assert_int_equal(cell->chars[0], 'e');
	assert_int_equal(cell->chars[1], 0x301);
	assert_int_equal(cell->chars[2], 0x302);
	feed("\r\033[3Cx\033[1G\033[2Cy"); /* half of a wide one is overwritten */
	screen_take(s, &grid);
	for (unsigned i = 0; i < grid.cols; i++)
		assert_true(grid_cell(&grid, i, 0)->width != 0 ||
			    (i > 0 && grid_cell(&grid, i - 1, 0)->width == 2));
}

static void test_keys(void **state)
{
	static const struct {
		uint32_t modifier, keysym;
		const char *typed;
	} cases[] = {
		{0, 'a', "a"},
		{0xffe1, 'A', "A"},
		{0, 0xff0d, "^M"},
		{0, 0xff08, "\177"},
		{0, 0xff1b, "^["},
		{0, 0xff09, "^I"},
		{0xffe1, 0xff09, "^[[Z"},
		{0, 0xff52, "^[[A"},
		{0xffe3, 0xff53, "^[[1;5C"},
		{0, 0xff55, "^[[5~"},
		{0, 0xffbe, "^[OP"},
		{0, 0xffc9, "^[[24~"},
		{0xffe3, 'c', "^C"},
		{0xffe3, 'm', "^M"}, /* as on any terminal, not by a sequence */
		{0xffe3, ' ', "^@"},
		{0xffe3, '1', "1"},
		{0xffe9, 'x', "^[x"},
		{0, 0xe4, "\xc3\xa4"},
		{0, 0x1000430, "\xd0\xb0"},
		{0, 0xffb7, "7"},
		{0, 0xff8d, "^M"},
		{0, 0xffe5, ""}, /* CapsLock */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].modifier)
			press_with(cases[i].modifier, cases[i].keysym);
		else
			press(cases[i].keysym);
		const char *got = typed();

		if (!str_eq(got, cases[i].typed))
			fail_msg("key %x with %x: '%s', not '%s'", cases[i].keysym,
				 cases[i].modifier, got, cases[i].typed);
	}
	feed("\033[?1h");
	press(0xff52);
	assert_string_equal(typed(), "^[OA");
	screen_key(s, 0xffe3, true);
	screen_release_keys(s); /* a viewer that went away with Ctrl down */
	press('c');
	assert_string_equal(typed(), "c");
}

static void test_history(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		autofree char *line = xasprintf("l%u\r\n", i);

		feed(line);
	}
	assert_string_equal(row(0), "l17");
	press_with(0xffe1, 0xff55);
	assert_string_equal(row(0), "l14");
	assert_string_equal(row(3), "l17");
	assert_int_equal(grid.at.shape, CURSOR_HIDDEN);
	feed("new\r\n"); /* the view stays */
	assert_string_equal(row(0), "l14");
	press_with(0xffe1, 0xff56);
	press_with(0xffe1, 0xff56);
	assert_string_equal(row(2), "new");
	for (unsigned i = 0; i < 100; i++)
		press_with(0xffe1, 0xff55);
	assert_string_equal(row(0), "l0");
	assert_string_equal(typed(), "");
	press('x');
	assert_string_equal(row(0), "l18");
	assert_string_equal(typed(), "x");
	screen_pointer(s, 0, 0, 8);
	screen_pointer(s, 0, 0, 0);
	assert_string_equal(row(0), "l15");
	screen_resize(s, 6, 2);
	row(0);
	assert_int_equal(grid.cols, 6);
	assert_int_equal(grid.rows, 2);
}

static void test_history_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HISTORY_LINES + 50; i++) {
		autofree char *line = xasprintf("l%u\r\n", i);

		feed(line);
	}
	for (unsigned i = 0; i < HISTORY_LINES; i++)
		press_with(0xffe1, 0xff55);
	assert_string_equal(row(0), "l47");
}

/* Lines come back with their colours to the right end, and with the whole of a wide character. */
static void test_history_keeps_all(void **state)
{
	(void)state;
	feed("\033[44m\033[K\033[m\r\n"
	     "x\033[44m\033[K\033[m\r\n"
	     "12345678\u6f22\r\n");
	screen_take(s, &grid);
	struct cell blue = *grid_cell(&grid, 9, 0);

	assert_int_not_equal(blue.bg, grid_cell(&grid, 9, 3)->bg);
	feed("\r\n\n\n\n");
	press_with(0xffe1, 0xff55);
	assert_string_equal(row(1), "12345678?-");
	assert_int_equal(grid_cell(&grid, 8, 1)->width, 2);
	press_with(0xffe1, 0xff55);
	row(0);
	assert_memory_equal(grid_cell(&grid, 0, 0), &blue, sizeof(blue));
	assert_memory_equal(grid_cell(&grid, 9, 0), &blue, sizeof(blue));
	assert_string_equal(row(1), "x");
	assert_memory_equal(grid_cell(&grid, 9, 1), &blue, sizeof(blue));
}

static void test_clipboard(void **state)
{
	static const char text[] = "one\r\ntwo\n\033[201~\ttab\007";

	(void)state;
	screen_clip(s, text, strlen(text));
	assert_string_equal(typed(), ""); /* never by itself */
	press_with(0xffe1, 0xff63);
	assert_string_equal(typed(), "one^Mtwo^M[201~^Itab");
	feed("\033[?2004h");
	screen_pointer(s, 1, 1, 2); /* the middle button */
	screen_pointer(s, 1, 1, 0);
	assert_string_equal(typed(), "^[[200~one^Mtwo^M[201~^Itab^[[201~");
	screen_clip(s, NULL, 0);
	press_with(0xffe1, 0xff63);
	assert_string_equal(typed(), "");
}

static void test_pointer(void **state)
{
	(void)state;
	screen_pointer(s, 3, 2, 1);
	screen_pointer(s, 3, 2, 0);
	assert_string_equal(typed(), "");
	feed("\033[?1000h\033[?1006h");
	screen_pointer(s, 3, 2, 1);
	screen_pointer(s, 3, 2, 0);
	assert_string_equal(typed(), "^[[<0;4;3M^[[<0;4;3m");
	screen_pointer(s, 3, 2, 16);
	screen_pointer(s, 3, 2, 0);
	assert_string_equal(typed(), "^[[<65;4;3M");
	screen_pointer(s, 4000, 4000, 4);
	assert_string_equal(typed(), "^[[<2;10;4M");
	screen_pointer(s, 0, 0, 0);
	typed();
	feed("\033[?1000l\033[?1049h"); /* a pager without a mouse: the wheel is arrows */
	screen_pointer(s, 0, 0, 8);
	assert_string_equal(typed(), "^[[A^[[A^[[A");
}

static void test_answers_are_bounded(void **state)
{
	(void)state;
	feed("\033[c");
	assert_true(strlen(typed()) > 3);
	for (unsigned i = 0; i < 100000; i++)
		feed("\033[6n");
	assert_true(screen_typed(s)->size <= SCREEN_TYPED_MAX);
	screen_clip(s, "x", 1);
	press_with(0xffe1, 0xff63); /* nothing is pasted behind that */
	assert_true(screen_typed(s)->size <= SCREEN_TYPED_MAX);
}

/* Keys come whole or not at all; those that stop a program have room of their own, which has an end, too. */
static void test_typed_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SCREEN_TYPED_MAX; i++)
		press(0xff50); /* three bytes */
	size_t full = screen_typed(s)->size;

	assert_in_range(full, SCREEN_TYPED_MAX - 64, SCREEN_TYPED_MAX);
	assert_memory_equal(screen_typed(s)->data + full - 3, "\033[H", 3);
	press('x');
	assert_int_equal(screen_typed(s)->size, full);
	press_with(0xffe3, 'c');
	assert_int_equal(screen_typed(s)->size, full + 1);
	assert_int_equal(screen_typed(s)->data[full], 3);
	for (unsigned i = 0; i < 2 * SCREEN_TYPED_MAX; i++)
		press_with(0xffe3, 'c');
	assert_in_range(screen_typed(s)->size, full + 100, full + 1000);
}

static void test_bell(void **state)
{
	(void)state;
	assert_false(screen_take_bell(s));
	feed("\007\007");
	assert_true(screen_take_bell(s));
	assert_false(screen_take_bell(s));
}

static void test_sizes(void **state)
{
	static const struct {
		unsigned cols, rows, is_cols, is_rows;
	} cases[] = {
		{0, 0, 2, 1},		{2, 1, 2, 1},	  {512, 135, 512, 135},
		{9999, 9999, 512, 135}, {80, 25, 80, 25},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		feed("\033[?1049h\u6f22\u6f22\u6f22\r\n\033[?1049l\u6f22 text text text "
		     "text\r\n\r\n");
		screen_resize(s, cases[i].cols, cases[i].rows);
		assert_true(screen_take(s, &grid));
		assert_int_equal(grid.cols, cases[i].is_cols);
		assert_int_equal(grid.rows, cases[i].is_rows);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_text),
		TEST(test_styles),
		TEST(test_characters),
		TEST(test_keys),
		TEST(test_history),
		TEST(test_history_is_bounded),
		TEST(test_history_keeps_all),
		TEST(test_clipboard),
		TEST(test_pointer),
		TEST(test_answers_are_bounded),
		TEST(test_typed_is_bounded),
		TEST(test_bell),
		TEST(test_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
