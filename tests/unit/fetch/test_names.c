/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File names as servers tell them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
