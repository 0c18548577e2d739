/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of task logs: positions, growth, replacement, long lines, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/api/task_log.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static char directory[] = "/tmp/lodge-test-XXXXXX";
static char *path;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	path = xasprintf("%s/log", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	task_log_forget();
	free(TAKE(path));
	return dir_remove_tree(directory, NULL);
}

/* Logs only ever grow: one that is written anew is another log. */
static void add(const char *mode, const char *text)
{
	FILE *f = fopen(path, mode);
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void check(uint64_t start, uint64_t limit, const char *expected, uint64_t expected_total)
{
	autobuf out = BUF_INIT;
	struct json j;
	struct err err = ERR_INIT;
	uint64_t total = 12345;
	json_init(&j, &out);
	assert_int_equal(task_log_write(path, start, limit, &j, &total, &err), 0);
	assert_string_equal(buf_str(&out), expected);
	assert_int_equal(total, expected_total);
}

static void test_windows(void **state)
{
	(void)state;
	check(0, 50, "[]", 0); /* not there yet */
	add("w", "");
	check(0, 50, "[]", 0);
	add("w", "one\ntwo\nthree\n");
	check(0, 50, "[{\"n\":1,\"t\":\"one\"},{\"n\":2,\"t\":\"two\"},{\"n\":3,\"t\":\"three\"}]",
	      3);
	check(1, 1, "[{\"n\":2,\"t\":\"two\"}]", 3);
	check(3, 50, "[]", 3);
	check(UINT64_MAX, 50, "[]", 3);
	add("a", "\nfive");
	check(3, 50, "[{\"n\":4,\"t\":\"\"},{\"n\":5,\"t\":\"five\"}]", 5);
	add("a", " more\nTASK OK\n");
	check(4, 50, "[{\"n\":5,\"t\":\"five more\"},{\"n\":6,\"t\":\"TASK OK\"}]", 6);
	add("w", "new\n"); /* shorter than what was seen */
	check(0, 50, "[{\"n\":1,\"t\":\"new\"}]", 1);
}

static void test_many_lines(void **state)
{
	(void)state;
	autobuf text = BUF_INIT;
	for (int i = 1; i <= 100000; i++)
		buf_addf(&text, "line %d of many\n", i);
	task_log_forget();
	add("w", buf_str(&text));
	check(0, 1, "[{\"n\":1,\"t\":\"line 1 of many\"}]", 100000);
	check(255, 2,
	      "[{\"n\":256,\"t\":\"line 256 of many\"},{\"n\":257,\"t\":\"line 257 of many\"}]",
	      100000);
	check(99999, 50, "[{\"n\":100000,\"t\":\"line 100000 of many\"}]", 100000);
	check(65535, 1, "[{\"n\":65536,\"t\":\"line 65536 of many\"}]", 100000);
}

/* One line larger than any buffer is cut, and bytes that are no text cannot break the JSON. */
static void test_hostile_lines(void **state)
{
	(void)state;
	autobuf text = BUF_INIT, out = BUF_INIT;
	struct json j;
	uint64_t total;
	for (int i = 0; i < 300000; i++)
		buf_add_char(&text, 'x');
	buf_add_str(&text, "\n\x1b[31m\"\xff\n");
	task_log_forget();
	add("w", buf_str(&text));
	json_init(&j, &out);
	assert_int_equal(task_log_write(path, 0, 50, &j, &total, NULL), 0);
	assert_int_equal(total, 2);
	assert_true(out.size < TASK_LOG_LINE_MAX + 200);
	assert_true(str_is_utf8(out.data, out.size));
	assert_non_null(strstr(buf_str(&out), "\"n\":2,\"t\":\"\\u001b[31m\\\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_hostile_lines),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
