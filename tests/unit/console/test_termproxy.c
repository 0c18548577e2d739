/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a viewer of a terminal sends, whole and cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"
#include "agent/task/console/termproxy.h"

/* What the parser made of input given in pieces of `step` bytes: "L(line)D(bytes)S(cols,rows)P", with data that
 * came in pieces joined; "!" at a failure. */
static void describe(const char *input, size_t size, size_t step, struct buf *out)
{
	struct termproxy p;
	bool is_in_data = false;

	termproxy_init(&p);
	for (size_t at = 0; at < size;) {
		struct termproxy_event e;
		size_t used = 0, here = size - at < step ? size - at : step;
		int r = termproxy_next(&p, input + at, here, &used, &e, NULL);

		at += used;
		if (r < 0) {
			buf_add_str(out, "!");
			return;
		}
		if (r == 0)
			continue;
		if (e.kind == TERMPROXY_DATA) {
			if (!is_in_data)
				buf_add_char(out, 'D');
			buf_add(out, e.data, e.size);
			is_in_data = p.left > 0;
			continue;
		}
		if (e.kind == TERMPROXY_LOGIN)
			buf_addf(out, "L(%s)", e.data);
		else if (e.kind == TERMPROXY_SIZE)
			buf_addf(out, "S(%u,%u)", e.cols, e.rows);
		else
			buf_add_char(out, 'P');
	}
}

static const struct {
	const char *input, *expected;
} cases[] = {
	{"a@pve:PVEVNC:1::x\n", "L(a@pve:PVEVNC:1::x)"},
	{"\n", "L()"},
	{"no end", ""},
	{"u:t\n0:5:hello", "L(u:t)Dhello"},
	{"u:t\n0:5:hello0:1:x", "L(u:t)DhelloDx"},
	{"u:t\n0:0:0:1:x", "L(u:t)Dx"},
	{"u:t\n0:3:0:12", "L(u:t)D0:1P"},
	{"u:t\n1:80:24:", "L(u:t)S(80,24)"},
	{"u:t\n21:1:4096:2", "L(u:t)PS(1,4096)P"},
	{"u:t\n1:0:24:1:80:0:2", "L(u:t)P"},
	{"u:t\n1:4097:24:", "L(u:t)!"},
	{"u:t\n1:80:4097:", "L(u:t)!"},
	{"u:t\n1:80:", "L(u:t)"},
	{"u:t\n1::24:", "L(u:t)!"},
	{"u:t\n1:-1:24:", "L(u:t)!"},
	{"u:t\n1:8x:24:", "L(u:t)!"},
	{"u:t\n0:1048576:", "L(u:t)"},
	{"u:t\n0:1048577:", "L(u:t)!"},
	{"u:t\n0:000000005:hello", "L(u:t)!"},
	{"u:t\n0:99999999999999999999:", "L(u:t)!"},
	{"u:t\n0::", "L(u:t)!"},
	{"u:t\n0x", "L(u:t)!"},
	{"u:t\n3", "L(u:t)!"},
	{"u:t\nhello", "L(u:t)!"},
	{"u:t\n2\n", "L(u:t)P!"},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step <= strlen(cases[i].input); step++) {
			autobuf got = BUF_INIT;

			describe(cases[i].input, strlen(cases[i].input), step, &got);
			if (strcmp(buf_str(&got), cases[i].expected) != 0)
				fail_msg("'%s' in steps of %zu: got '%s'", cases[i].input, step,
					 buf_str(&got));
		}
	}
}

static void test_first_line_is_bounded(void **state)
{
	char line[TERMPROXY_LOGIN_MAX + 1];
	autobuf fits = BUF_INIT, too_long = BUF_INIT;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[TERMPROXY_LOGIN_MAX - 1] = '\n';
	describe(line, TERMPROXY_LOGIN_MAX, sizeof(line), &fits);
	assert_int_equal(fits.size, strlen("L()") + TERMPROXY_LOGIN_MAX - 1);
	line[TERMPROXY_LOGIN_MAX - 1] = 'x';
	line[TERMPROXY_LOGIN_MAX] = '\n';
	describe(line, sizeof(line), sizeof(line), &too_long);
	assert_string_equal(buf_str(&too_long), "!");
}

static void test_data_may_hold_anything(void **state)
{
	static const char input[] = "u:t\n0:4:\0\n\xff:2";
	autobuf got = BUF_INIT;

	(void)state;
	describe(input, sizeof(input) - 1, 3, &got);
	assert_int_equal(got.size, strlen("L(u:t)D") + 5);
	assert_memory_equal(got.data + strlen("L(u:t)D"), "\0\n\xff:P", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_first_line_is_bounded),
		cmocka_unit_test(test_data_may_hold_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
