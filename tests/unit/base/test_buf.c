/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The byte buffer, the cursor that reads it back, and the allocation helpers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/cursor.h"
#include "agent/base/mem.h"

static void test_grows(void **state)
{
	autobuf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 10000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.size, 10000);
	assert_int_equal(strlen(buf_str(&b)), 10000);
	buf_drop_front(&b, 9998);
	assert_string_equal(buf_str(&b), "op");
	buf_drop_front(&b, 100);
	assert_string_equal(buf_str(&b), "");
	buf_addf(&b, "%d-%s", 42, "x");
	assert_string_equal(buf_str(&b), "42-x");
	buf_clear(&b);
	assert_string_equal(buf_str(&b), "");
}

static void test_steal(void **state)
{
	struct buf b = BUF_INIT;
	autofree char *empty = buf_steal(&b), *text = NULL;

	(void)state;
	assert_string_equal(empty, "");
	buf_add(&b, "ab\0c", 4);
	text = buf_steal(&b);
	assert_memory_equal(text, "ab\0c", 5);
	assert_null(b.data);
	assert_int_equal(b.size, 0);
}

static void test_integers(void **state)
{
	static const uint8_t wire[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
				       0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08};
	autobuf b = BUF_INIT;
	struct cursor c;

	(void)state;
	buf_add_u8(&b, 0x01);
	buf_add_u16(&b, 0x0203);
	buf_add_u32(&b, 0x04050607);
	buf_add_u64(&b, 0x08090a0b0c0d0e0f);
	assert_int_equal(b.size, sizeof(wire));
	assert_memory_equal(b.data, wire, sizeof(wire));
	c = cursor_on(b.data, b.size);
	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_u16(&c), 0x0203);
	assert_int_equal(cursor_u32(&c), 0x04050607);
	assert_int_equal(cursor_u64(&c), 0x08090a0b0c0d0e0f);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(c.failed);
}

static void test_cursor_past_end(void **state)
{
	struct cursor c = cursor_on("abc", 3);

	(void)state;
	assert_int_equal(cursor_u16(&c), 'a' | 'b' << 8);
	assert_int_equal(cursor_u16(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_u8(&c), 0); /* although one byte was left */
	assert_null(cursor_bytes(&c, 0));
	assert_int_equal(cursor_left(&c), 0);
	c = cursor_on(NULL, 0);
	assert_non_null(cursor_bytes(&c, 0));
	assert_null(cursor_bytes(&c, SIZE_MAX));
}

static void test_ownership(void **state)
{
	char *slot = xstrdup("one"), *taken;
	int fd = 7;

	(void)state;
	xreplace(&slot, slot + 1);
	assert_string_equal(slot, "ne");
	taken = TAKE(slot);
	assert_null(slot);
	free(taken);
	assert_int_equal(TAKE_FD(fd), 7);
	assert_int_equal(fd, -1);
	xreplace(&slot, NULL);
	assert_null(slot);
	assert_null(xstrdup(NULL));
}

static void test_texts(void **state)
{
	autobuf b = BUF_INIT;
	char text[5];

	(void)state;
	buf_add_text(&b, "four");
	buf_add_text(&b, "");
	buf_add_text(&b, "fives");
	buf_add_u16(&b, 2);
	buf_add(&b, "a\0", 2);
	struct cursor c = cursor_on(b.data, b.size);

	cursor_text(&c, text, sizeof(text));
	assert_string_equal(text, "four");
	cursor_text(&c, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(c.failed);
	cursor_text(&c, text, sizeof(text)); /* does not fit */
	assert_true(c.failed);
	assert_string_equal(text, "");
	c = cursor_on(b.data + b.size - 4, 4); /* holds a NUL */
	cursor_text(&c, text, sizeof(text));
	assert_true(c.failed);
	c = cursor_on(b.data, 5); /* cut */
	cursor_text(&c, text, sizeof(text));
	assert_true(c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),	  cmocka_unit_test(test_steal),
		cmocka_unit_test(test_integers),  cmocka_unit_test(test_cursor_past_end),
		cmocka_unit_test(test_ownership), cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
