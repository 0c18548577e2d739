/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text helpers and numbers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void test_compare(void **state)
{
	(void)state;
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
	assert_true(str_eq("a", "a"));
	assert_true(str_starts("net0", "net"));
	assert_false(str_starts("ne", "net"));
	assert_false(str_starts(NULL, "x"));
	assert_string_equal(str_after("net0", "net"), "0");
	assert_null(str_after("nat0", "net"));
	assert_true(str_ends("a.conf", ".conf"));
	assert_false(str_ends("conf", ".conf"));
	assert_true(str_is_empty(NULL) && str_is_empty("") && !str_is_empty(" "));
	assert_true(str_eq_constant_time("secret", "secret"));
	assert_false(str_eq_constant_time("secret", "secres"));
	assert_false(str_eq_constant_time("secret", "secretsecret"));
	assert_false(str_eq_constant_time("a", ""));
	assert_false(str_eq_constant_time("", "a"));
	assert_true(str_eq_constant_time("", ""));
}

static void test_unsigned(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} cases[] = {
		{"0", true, 0},	   {"18446744073709551615", true, UINT64_MAX},
		{"007", true, 7},  {"18446744073709551616", false, 0},
		{"", false, 0},	   {NULL, false, 0},
		{"+1", false, 0},  {"-1", false, 0},
		{" 1", false, 0},  {"1 ", false, 0},
		{"0x1", false, 0}, {"1.0", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t v = 12345;

		assert_int_equal(str_to_u64(cases[i].text, &v), cases[i].ok);
		assert_true(v == (cases[i].ok ? cases[i].value : 12345));
	}
}

static void test_signed(void **state)
{
	int64_t v = 5;

	(void)state;
	assert_true(str_to_i64("-9223372036854775808", &v) && v == INT64_MIN);
	assert_true(str_to_i64("9223372036854775807", &v) && v == INT64_MAX);
	assert_false(str_to_i64("9223372036854775808", &v));
	assert_false(str_to_i64("-9223372036854775809", &v));
	assert_false(str_to_i64("--1", &v));
	assert_false(str_to_i64("-", &v));
	assert_false(str_to_i64(NULL, &v));
	assert_true(v == INT64_MAX);
}

static void test_double(void **state)
{
	static const char *const good[] = {"0", "1.5", "-2", ".5", "1e3", "1E-3"};
	static const double values[] = {0, 1.5, -2, .5, 1000, .001};
	static const char *const bad[] = {"",	".",   "inf",	"nan",	  "0x10", "1e", "1.2.3",
					  " 1", "1,5", "1e999", "-1e999", "--1",  "1d"};
	double v = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_to_double(bad[i], &v));
	assert_true(v == 77);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_to_double(good[i], &v) && v == values[i]);
}

static void test_hex_bool_bytes(void **state)
{
	static const char *const yes[] = {"1", "on", "yes", "true", "TRUE", "Yes"};
	static const char *const no[] = {"0", "off", "no", "false", "OFF"};
	static const char *const neither[] = {"", "2", "y", "truee", "-1"};
	static const char *const no_bytes[] = {"",    "G",	   "1g", "1KB", "-1",
					       "1e3", "99999999P", ".",	 "1 G"};
	uint64_t u = 0;
	bool b;

	(void)state;
	assert_true(str_hex_to_u64("00ffZZ", 4, &u) && u == 255);
	assert_true(str_hex_to_u64("ffffffffffffffff", 16, &u) && u == UINT64_MAX);
	assert_false(str_hex_to_u64("ab", 3, &u));
	assert_false(str_hex_to_u64("ab", 0, &u));
	assert_false(str_hex_to_u64("ffffffffffffffff0", 17, &u));
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		assert_true(str_to_bool(yes[i], &b) && b);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_true(str_to_bool(no[i], &b) && !b);
	for (size_t i = 0; i < ARRAY_SIZE(neither); i++)
		assert_false(str_to_bool(neither[i], &b));
	assert_true(str_to_bytes("8", 1 << 20, &u) && u == 8u << 20);
	assert_true(str_to_bytes("32G", 1, &u) && u == 32ull << 30);
	assert_true(str_to_bytes("1.5T", 1, &u) && u == 3ull << 39);
	for (size_t i = 0; i < ARRAY_SIZE(no_bytes); i++)
		assert_false(str_to_bytes(no_bytes[i], 1, &u));
}

static void test_utf8(void **state)
{
	static const char *const good[] = {
		"", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80",	  "\xc0\x80",	      "\xc3",
					  "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
					  "\xff",	  "\xf0\x80\x80\x80", "a\xc3("};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_is_utf8(bad[i], strlen(bad[i])));
}

static void test_word(void **state)
{
	static const char *const good[] = {"",
					   "a-b@pve!",
					   "j\xc3\xb6rg",
					   "\xe5\xbc\xa0\xe4\xb8\x89",
					   "\xf0\x9f\x98\x80",
					   "\xc2\xa1"};
	static const char *const bad[] = {
		" ",
		"a b",
		"a\tb",
		"\x01",
		"\x7f",
		"\xc2\x80",
		"\xc2\x85",
		"\xc2\xa0",
		"\xe1\x9a\x80",
		"\xe2\x80\x83",
		"\xe2\x80\xa8",
		"a\xe3\x80\x80",
		"\xef\xbb\xbf",
		"\xc3",
		"a\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_is_word(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_is_word(bad[i], strlen(bad[i])));
	assert_false(str_is_word("a\0b", 3));
}

static void test_ident_and_copy(void **state)
{
	char small[4];

	(void)state;
	assert_true(str_is_ident("a") && str_is_ident("a-b_c9"));
	assert_false(str_is_ident("9a") || str_is_ident("a-") || str_is_ident("") ||
		     str_is_ident("a.b"));
	assert_false(str_is_ident(NULL));
	assert_true(str_copy(small, sizeof(small), "abc"));
	assert_false(str_copy(small, sizeof(small), "defg"));
	assert_string_equal(small, "def");
}

static void test_split(void **state)
{
	autostrv char **v = str_split(";a,,b c;", ",; "), **none = str_split(",,", ",");

	(void)state;
	assert_int_equal(strv_count(v), 3);
	assert_string_equal(v[0], "a");
	assert_string_equal(v[2], "c");
	assert_true(strv_has(v, "b"));
	assert_false(strv_has(v, "d"));
	assert_int_equal(strv_count(none), 0);
	assert_non_null(none);
	assert_int_equal(strv_count(NULL), 0);
	strv_free(none);
	none = str_split(NULL, ",");
	assert_int_equal(strv_count(none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),	       cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_signed),	       cmocka_unit_test(test_double),
		cmocka_unit_test(test_hex_bool_bytes), cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_word),	       cmocka_unit_test(test_ident_and_copy),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
