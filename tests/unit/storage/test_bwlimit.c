/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option bwlimit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/volid/bwlimit.h"

static const struct {
	const char *option, *operation;
	uint64_t bytes;
} cases[] = {
	{NULL, "clone", BWLIMIT_UNSAID},
	{"", "clone", BWLIMIT_UNSAID},
	{"clone=10", "clone", 10240},
	{"clone=10", "move", BWLIMIT_UNSAID},
	{"default=20,clone=10", "clone", 10240},
	{"clone=10,default=20", "move", 20480},
	{"clone=0,default=20", "clone", 0}, /* says that there is none */
	{"clone=0.5", "clone", 1024},	    /* never 0, which is none */
	{"clone=1.5", "clone", 1536},
	{"clone=1e30", "clone", 0},
	{"clone=-1", "clone", BWLIMIT_UNSAID},
	{"clone=nan", "clone", BWLIMIT_UNSAID},
	{"clone=x,default=3", "clone", 3072},
	{"clones=10", "clone", BWLIMIT_UNSAID},
};

static void options_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(bwlimit_of(cases[i].option, cases[i].operation), cases[i].bytes);
}

static void the_smallest_wins(void **state)
{
	(void)state;
	assert_int_equal(bwlimit_smaller(0, 0), 0);
	assert_int_equal(bwlimit_smaller(0, 5), 5);
	assert_int_equal(bwlimit_smaller(5, 0), 5);
	assert_int_equal(bwlimit_smaller(5, 7), 5);
	assert_int_equal(bwlimit_smaller(7, 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(options_are_read),
					   cmocka_unit_test(the_smallest_wins)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
