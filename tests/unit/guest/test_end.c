/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a container ended. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/guest/end.h"

static void reasons(void **state)
{
	static const struct {
		int signal;
		bool has_oom;
		const char *expected;
	} cases[] = {
		{0, false, ""},
		{0, true, ""},
		{SIGINT, false, ""},
		{SIGHUP, true, ""},
		{SIGKILL, false, "killed"},
		{SIGKILL, true, "oom"},
		{SIGSEGV, true, "crashed"},
		{SIGABRT, false, "crashed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(guest_end_reason(cases[i].signal, cases[i].has_oom),
				    cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
