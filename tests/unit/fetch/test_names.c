/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File names as servers tell them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/base/mem.h"
#include "agent/task/fetch/http.h"

static void test_disposition(void **state)
{
	static const char *const cases[][2] = {
		{" attachment; filename=\"a b.iso\"\r\n", "a b.iso"},
		{"attachment; filename=a.iso; size=3", "a.iso"},
		{"attachment;filename=a.iso\r\n", "a.iso"},
		{"attachment; FileName=\"../../etc/a.iso\"", "a.iso"},
		{"attachment; xfilename=a.iso", ""},
		{"attachment", ""},
		{"filename=", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[32];
		http_disposition_name(cases[i][0], name, sizeof(name));
		assert_string_equal(name, cases[i][1]);
	}
}

static void test_shown(void **state)
{
	static const char *const cases[][2] = {
		{"https://user:secret@host/x", "https://host/x"},
		{"https://user:sec@ret@host:8/x?a@b", "https://host:8/x?a@b"},
		{"http://user@host", "http://host"},
		{"http://host/a@b", "http://host/a@b"},
		{"http://host?u:p@x", "http://host?u:p@x"},
		{"user:secret@host/x", "host/x"},
		{"", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *shown = http_url_shown(cases[i][0]);
		assert_string_equal(shown, cases[i][1]);
	}
}

/* Nobody answers there: what is told of that has no password. */
static void test_failure(void **state)
{
	const struct http_request request = {.url = "http://user:secret@127.0.0.1:1/x",
					     .timeout_s = 10};
	struct http_answer answer;
	struct err err = ERR_INIT;
	(void)state;
	assert_true(http_fetch(&request, &answer, &err) < 0);
	assert_null(strstr(err.message, "secret"));
	assert_non_null(strstr(err.message, "http://127.0.0.1:1/x"));
}

static void test_url(void **state)
{
	static const char *const cases[][2] = {
		{"https://h/a/b.iso", "b.iso"},
		{"https://h/b%20c.iso?x=/y#/z", "b c.iso"},
		{"https://h/a/..%2fb.iso", ""},
		{"https://h/a/", ""},
		{"https://h", ""},
		{"b.iso", ""},
		{"https://h/a/b%zz.iso", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[32];
		http_url_name(cases[i][0], name, sizeof(name));
		assert_string_equal(name, cases[i][1]);
	}
	char small[4];
	http_url_name("https://h/long.iso", small, sizeof(small));
	assert_string_equal(small, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disposition),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
