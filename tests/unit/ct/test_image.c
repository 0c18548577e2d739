/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs in the place of an init: their words, and what asks them to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/image.h"

static void test_words(void **state)
{
	static const struct {
		const char *line, *words; /* joined by '|' */
	} cases[] = {
		{"", ""},
		{"   ", ""},
		{"/sbin/init", "/sbin/init|"},
		{" /a  -b\tc ", "/a|-b|c|"},
		{"/app \"two words\" -x", "/app|two words|-x|"},
		{"/app 'it is' \"it's\"", "/app|it is|it's|"},
		{"\"\" ''", "||"},
		{"a\"b c\"d", "a\"b|c\"d|"},
		{"\"not closed", "\"not|closed|"},
		{"\"x\"y z", "\"x\"y|z|"},
		{"\"", "\"|"},
		{"a b\\ c", "a|b\\|c|"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autostrv char **words = ct_command_words(cases[i].line);
		autobuf joined = BUF_INIT;
		for (char **word = words; *word; word++)
			buf_addf(&joined, "%s|", *word);
		if (!str_eq(buf_str(&joined), cases[i].words))
			fail_msg("'%s': '%s'", cases[i].line, buf_str(&joined));
	}
}

static void test_signal(void **state)
{
	static const struct {
		const char *config;
		int signal;
	} cases[] = {
		{"hostname: a\n", SIGPWR},
		{"entrypoint: /sbin/init\n", SIGPWR},
		{"entrypoint: /sbin/init --x\n", SIGPWR},
		{"entrypoint: /sbin/initial\n", SIGTERM},
		{"entrypoint: /app\n", SIGTERM},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_config config;
		assert_int_equal(
			guest_config_parse(cases[i].config, strlen(cases[i].config), &config, NULL),
			0);
		assert_int_equal(ct_halt_signal(&config, CT_INIT_OTHER), cases[i].signal);
		guest_config_fini(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),
					   cmocka_unit_test(test_signal)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
