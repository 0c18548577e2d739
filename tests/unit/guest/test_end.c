/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a container ended. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/guest/end.h"

#define EXIT(code) ((code) << 8) /* as wait(2) has it */

static void reasons(void **state)
{
	static const struct {
		int status;
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
		{EXIT(3), false, "exited"},
		{EXIT(3), true, "exited"},
		{EXIT(128 + SIGKILL), true, "oom"}, /* a shell as init */
		{EXIT(128 + SIGKILL), false, "exited"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(guest_end_reason(cases[i].status, cases[i].has_oom),
				    cases[i].expected);
}

static void as_fields(void **state)
{
	autofields f = FIELDS_INIT, killed = FIELDS_INIT;

	(void)state;
	guest_end_fields("", 0, &f);
	assert_int_equal(f.count, 0);
	guest_end_fields("exited", EXIT(3), &f);
	assert_string_equal(fields_get(&f, "reason"), "exited");
	assert_string_equal(fields_get(&f, "exit_code"), "3");
	assert_null(fields_get(&f, "exit_signal"));
	guest_end_fields("killed", SIGKILL, &killed);
	assert_string_equal(fields_get(&killed, "exit_signal"), "9");
	assert_null(fields_get(&killed, "exit_code"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons),
		cmocka_unit_test(as_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
