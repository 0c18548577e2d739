/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences as `lodge diff` shows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/cli/cli.h"

#define HEAD "--- a\n+++ b\n"

static const struct {
	const char *name, *old, *new, *diff;
} cases[] = {
	{"nothing", "", "", ""},
	{"the same", "x\ny\n", "x\ny\n", ""},
	{"created", "", "x\ny\n", HEAD "@@ -0,0 +1,2 @@\n+x\n+y\n"},
	{"removed", "x\n", "", HEAD "@@ -1 +0,0 @@\n-x\n"},
	{"one line changed", "a\nb\nc\n", "a\nB\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
	{"inserted", "a\nb\n", "a\nx\nb\n", HEAD "@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
	{"context of three", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
	 HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
	{"near changes are one hunk", "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
	 HEAD "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
	{"far changes are two", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
	 HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
	{"moved line", "a\nb\nc\n", "b\nc\na\n", HEAD "@@ -1,3 +1,3 @@\n-a\n b\n c\n+a\n"},
	{"newline at the end", "a\nb", "a\nb\n",
	 HEAD "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"},
	{"control characters", "", "x\x1b[31m\ty\r\n", HEAD "@@ -0,0 +1 @@\n+x?[31m\ty?\n"},
};

static void differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;

		cli_diff(&out, &(struct cli_text){"a", cases[i].old},
			 &(struct cli_text){"b", cases[i].new});
		if (strcmp(buf_str(&out), cases[i].diff) != 0)
			fail_msg("%s: got\n%s\nexpected\n%s", cases[i].name, buf_str(&out),
				 cases[i].diff);
	}
}

/* 3000 × 3000 lines are more than the table may have: replaced whole, and still right. */
static void long_texts_are_bounded(void **state)
{
	autobuf old = BUF_INIT, new = BUF_INIT, out = BUF_INIT;
	const char *hunk = "@@ -1,3000 +1,3000 @@\n-o0\n-same\n";

	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		buf_addf(&old, "o%u\nsame\n", i);
		buf_addf(&new, "n%u\nsame%s\n", i, i == 1499 ? "!" : "");
	}
	cli_diff(&out, &(struct cli_text){"a", buf_str(&old)},
		 &(struct cli_text){"b", buf_str(&new)});
	assert_non_null(strstr(buf_str(&out), hunk));
	assert_null(strstr(buf_str(&out), "\n same\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(long_texts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
