/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON writer, and the bounded parser. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"

static void test_document(void **state)
{
	autobuf out = BUF_INIT;
	struct json j;

	(void)state;
	json_init(&j, &out);
	json_object_begin(&j);
	json_kv_int(&j, "i", -5);
	json_kv_uint(&j, "u", UINT64_MAX);
	json_kv_bool(&j, "b", true);
	json_kv_null(&j, "n");
	json_key(&j, "a");
	json_array_begin(&j);
	json_string(&j, NULL);
	json_true_false(&j, false);
	json_object_begin(&j);
	json_object_end(&j);
	json_array_begin(&j);
	json_array_end(&j);
	json_raw(&j, "[1]", 3);
	json_array_end(&j);
	json_kv_string(&j, "s", "x");
	json_object_end(&j);
	assert_string_equal(buf_str(&out),
			    "{\"i\":-5,\"u\":18446744073709551615,\"b\":1,\"n\":null,"
			    "\"a\":[null,false,{},[],[1]],\"s\":\"x\"}");
}

static void test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", "\"\""},
		{"a\"b\\c/", "\"a\\\"b\\\\c/\""},
		{"\n\r\t\b\f\x01\x1f\x7f", "\"\\n\\r\\t\\b\\f\\u0001\\u001f\\u007f\""},
		{"\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\""},
		{"a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;
		struct json j;

		json_init(&j, &out);
		json_string(&j, cases[i].in);
		assert_string_equal(buf_str(&out), cases[i].out);
	}
}

static void test_double(void **state)
{
	static const struct {
		double in;
		const char *out;
	} cases[] = {{0, "0"},	      {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"},
		     {2.5, "2.5"},    {NAN, "0"},   {INFINITY, "0"},
		     {1e20, "1e+20"}, {-3, "-3"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;
		struct json j;

		json_init(&j, &out);
		json_double(&j, cases[i].in);
		assert_string_equal(buf_str(&out), cases[i].out);
	}
}

static void test_parse_good(void **state)
{
	static const char *const good[] = {"{}",
					   " {\"a\":[1,2.5,\"x\",true,null]} \n",
					   "12345",
					   "\"text\"",
					   "[]",
					   "true",
					   " 7 ",
					   "-1.5e3",
					   "{\"it's\": \"\\\"N/A\\\"\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct json_object *o = NULL;
		struct err err = ERR_INIT;

		if (json_parse(good[i], strlen(good[i]), 1000, &o, &err) < 0)
			fail_msg("%s: %s", good[i], err.message);
		assert_non_null(o);
		json_object_put(o);
	}
}

/* json-c 0.18 refuses them when strict */
static void test_parse_beyond_ascii(void **state)
{
	static const char text[] =
		"\xc3\xa4\xe2\x82\xac\xef\xbf\xbd\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf";
	autofree char *document = xasprintf("{\"%s\":\"a\\n%s\\u00e4z\"}", text, text);
	autofree char *expected = xasprintf("a\n%s\xc3\xa4z", text);
	struct json_object *o = NULL, *member = NULL;

	(void)state;
	assert_int_equal(json_parse(document, strlen(document), 1000, &o, NULL), 0);
	assert_true(json_object_object_get_ex(o, text, &member));
	assert_string_equal(json_object_get_string(member), expected);
	json_object_put(o);
}

static void test_parse_bad(void **state)
{
	static const char *const bad[] = {
		"",	      " ",   "{",	 "{} x", "{}{}",	   "[1,]",    "{'a':1}",
		"{\"a\":1,}", "nul", "tru",	 "01",	 "\"\xff\"",	   "[1] [2]", "\"a",
		"// x\n1",    "NaN", "Infinity", "12 3", "\"\\\xc3\xa4\"", "\xc3\xa4"};
	char deep[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *o = NULL;
		struct err err = ERR_INIT;

		if (json_parse(bad[i], strlen(bad[i]), 1000, &o, &err) != -ERR_INVALID)
			fail_msg("accepted: %s", bad[i]);
		assert_null(o);
	}
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_int_equal(json_parse(deep, 200, 1000, NULL, NULL), -ERR_INVALID);
	assert_int_equal(json_parse("[1, 2]", 6, 5, NULL, NULL), -ERR_LIMIT);
	assert_int_equal(json_parse("{}\0", 3, 5, NULL, NULL), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_parse_good),
		cmocka_unit_test(test_parse_beyond_ascii),
		cmocka_unit_test(test_parse_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
