/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PFF2 fonts: glyphs in their cells, and files that are cut or lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "agent/base/mem.h"
#include "tiny_font.h"

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

static void test_glyphs(void **state)
{
	struct glyph glyph;

	(void)state;
	assert_true(font_glyph(&font, 'L', &glyph));
	assert_int_equal(glyph.rows[10], 0);
	assert_int_equal(glyph.rows[11], 0x4000);
	assert_int_equal(glyph.rows[13], 0x7800);
	assert_int_equal(glyph.rows[14], 0);
	assert_true(font_glyph(&font, 0x301, &glyph));
	assert_int_equal(glyph.rows[0], 0x0400);
	assert_int_equal(glyph.rows[1], 0x0800);
	assert_true(font_glyph(&font, 0x2588, &glyph));
	for (unsigned y = 0; y < FONT_HEIGHT; y++)
		assert_int_equal(glyph.rows[y], 0xff00);
	assert_true(font_glyph(&font, TINY_WIDE, &glyph));
	assert_int_equal(glyph.rows[12], 0xffff);
	assert_int_equal(glyph.rows[13], 0x8001);
	assert_true(font_glyph(&font, ' ', &glyph));
	for (unsigned y = 0; y < FONT_HEIGHT; y++)
		assert_int_equal(glyph.rows[y], 0);
}

static void test_missing_is_a_box(void **state)
{
	struct glyph glyph;

	(void)state;
	assert_false(font_glyph(&font, 'M', &glyph));
	assert_int_equal(glyph.rows[3], 0x7e00);
	assert_int_equal(glyph.rows[4], 0x4200);
	assert_false(font_glyph(&font, 0xffffffff, &glyph));
	assert_false(font_glyph(&font, 0, &glyph));
}

/* However short: an error, or a font whose glyphs lie inside. */
static void test_cut_files(void **state)
{
	(void)state;
	for (size_t size = 0; size < file.size; size++) {
		autofree uint8_t *part = xmemdup(file.data, size + 1); /* not past its end */
		struct font cut;
		struct glyph glyph;

		if (font_parse(part, size, &cut, NULL) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(tiny_glyphs); i++)
			font_glyph(&cut, tiny_glyphs[i].c, &glyph);
	}
}

static void test_wrong_files(void **state)
{
	struct err err = ERR_INIT;
	struct font wrong;
	autobuf high = BUF_INIT;

	(void)state;
	assert_int_equal(font_parse("FILE", 4, &wrong, &err), -ERR_CORRUPT);
	assert_int_equal(font_parse("FILE\0\0\0\4PFF3\0\0\0\0", 16, &wrong, NULL), -ERR_CORRUPT);
	buf_add(&high, file.data, file.size);
	char *ascent = memmem(high.data, high.size, "ASCE", 4);

	ascent[9] = 20;
	err = ERR_INIT;
	assert_int_equal(font_parse(high.data, high.size, &wrong, &err), -ERR_CORRUPT);
	assert_string_equal(err.message, "the font is 22 pixels high, not 16");
	err = ERR_INIT;
	assert_true(font_open("/nonexistent/font", &wrong, &err) < 0);
	assert_non_null(strstr(err.message, "/nonexistent/font"));
}

/* Where it is installed: everything that terminals draw with. */
static void test_installed_font(void **state)
{
	struct font real;
	struct glyph glyph;

	(void)state;
	if (access(FONT_PATH, R_OK) != 0)
		skip();
	assert_int_equal(font_open(FONT_PATH, &real, NULL), 0);
	for (uint32_t c = 0x20; c < 0x17f; c++)
		assert_true((c >= 0x7f && c < 0xa0) || font_glyph(&real, c, &glyph));
	for (uint32_t c = 0x2500; c < 0x25a0; c++)
		assert_true(font_glyph(&real, c, &glyph));
	assert_true(font_glyph(&real, 0x2502, &glyph)); /* lines reach from edge to edge */
	for (unsigned y = 0; y < FONT_HEIGHT; y++)
		assert_int_equal(glyph.rows[y], 0x0800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glyphs),	       cmocka_unit_test(test_missing_is_a_box),
		cmocka_unit_test(test_cut_files),      cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_installed_font),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
