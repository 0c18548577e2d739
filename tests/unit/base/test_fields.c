/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field lists and their wire form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/fields.h"
#include "agent/base/mem.h"

static void test_order_and_repeats(void **state)
{
	autofields f = FIELDS_INIT;

	(void)state;
	fields_add(&f, "command", "ls");
	fields_add(&f, "command", "-l");
	fields_add(&f, "skipped", NULL);
	fields_addf(&f, "vmid", "%d", 101);
	assert_int_equal(f.count, 3);
	assert_string_equal(fields_get(&f, "command"), "-l");
	assert_null(fields_get(&f, "skipped"));
	fields_set(&f, "command", fields_get(&f, "command"));
	assert_int_equal(f.count, 2);
	assert_string_equal(fields_get(&f, "command"), "-l");
	fields_remove(&f, "vmid");
	assert_null(fields_find(&f, "vmid"));
	assert_int_equal(f.count, 1);
}

static void test_wire(void **state)
{
	autofields f = FIELDS_INIT, back = FIELDS_INIT, twice = FIELDS_INIT;
	autobuf wire = BUF_INIT;
	struct cursor c;

	(void)state;
	fields_add_n(&f, "binary", "a\0b", 3);
	fields_add(&f, "empty", "");
	fields_encode(&f, &wire);
	buf_add_str(&wire, "rest");
	c = cursor_on(wire.data, wire.size);
	assert_int_equal(fields_decode(&c, &back, NULL), 0);
	assert_int_equal(cursor_left(&c), 4);
	assert_int_equal(back.count, 2);
	assert_int_equal(fields_find(&back, "binary")->size, 3);
	assert_memory_equal(fields_get(&back, "binary"), "a\0b", 4);
	assert_string_equal(fields_get(&back, "empty"), "");
	fields_copy(&twice, &back);
	fields_copy(&twice, &back);
	assert_int_equal(twice.count, 4);
}

#define BYTES(text) text, sizeof(text) - 1

static void test_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
		{BYTES("")},
		{BYTES("\x01")},
		{BYTES("\x01\0")},			  /* no field */
		{BYTES("\x01\0\0\0\0\0\0\0")},		  /* empty name */
		{BYTES("\x01\0\x02\0a\0\0\0\0\0")},	  /* NUL in the name */
		{BYTES("\x01\0\x01\0a\x02\0\0\0x")},	  /* value cut short */
		{BYTES("\x01\0\x01\0a\xff\xff\xff\xff")}, /* value beyond the bound */
		{BYTES("\x01\0\xff\xff\x61")},		  /* name beyond the bound */
		{BYTES("\x01\x04")},			  /* 1025 fields */
		{BYTES("\x02\0\x01\0a\0\0\0\0\x01\0b")},  /* the second is cut short */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cursor c = cursor_on(cases[i].bytes, cases[i].size);
		struct fields f;
		struct err err = ERR_INIT;

		assert_int_equal(fields_decode(&c, &f, &err), -ERR_CORRUPT);
		assert_int_equal(f.count, 0);
		assert_null(f.items);
	}
}

/* Who walks along them may set the value of the one that he is at. */
static void set_keeps_its_place(void **state)
{
	autofields f = FIELDS_INIT;

	(void)state;
	fields_add(&f, "a", "1");
	fields_add(&f, "b", "2");
	fields_add(&f, "c", "3");
	fields_add(&f, "c", "4");
	fields_set(&f, "a", "x");
	fields_set(&f, "c", "y");
	fields_set(&f, "d", "z");
	assert_int_equal(f.count, 4);
	assert_string_equal(f.items[0].value, "x");
	assert_string_equal(f.items[1].value, "2");
	assert_string_equal(f.items[2].value, "y");
	assert_int_equal(f.items[2].size, 1);
	assert_string_equal(f.items[3].name, "d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_keeps_its_place),
		cmocka_unit_test(test_order_and_repeats),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
