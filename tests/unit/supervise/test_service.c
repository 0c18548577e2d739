/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor's arithmetic and its reading of settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "systemd/supervise/service.h"
#include "systemd/supervise/settings.h"

static void test_next_delay(void **state)
{
	static const struct {
		usec_t delay, life, next;
	} cases[] = {
		{0, 0, SERVICE_DELAY_MIN},
		{SERVICE_DELAY_MIN, 0, 2 * SERVICE_DELAY_MIN},
		{2 * SERVICE_DELAY_MIN, SERVICE_LIFE_GOOD - 1, 4 * SERVICE_DELAY_MIN},
		{2 * SERVICE_DELAY_MIN, SERVICE_LIFE_GOOD, SERVICE_DELAY_MIN},
		{SERVICE_DELAY_MAX - 1, 0, SERVICE_DELAY_MAX},
		{SERVICE_DELAY_MAX, 0, SERVICE_DELAY_MAX},
		{SERVICE_DELAY_MAX, UINT64_MAX, SERVICE_DELAY_MIN},
	};

	(void)state;
	assert_true(SERVICE_DELAY_MAX < USEC_PER_SEC);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(service_next_delay(cases[i].delay, cases[i].life), cases[i].next);
}

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		bool is_setting;
	} cases[] = {
		{"LODGE_PORT=8006", true},
		{"LODGE_X_1=", true},
		{"LODGE_A==b c", true},
		{"LODGE_=x", false},
		{"LODGE_PORT", false},
		{"LODGE_port=1", false},
		{" LODGE_PORT=1", false},
		{"# LODGE_PORT=1", false},
		{"LD_PRELOAD=/tmp/x.so", false},
		{"PATH=/tmp", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(settings_is_line(cases[i].line), cases[i].is_setting);
}

static void write_conf(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_environment(void **state)
{
	char path[] = "/tmp/lodge-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_conf(path, "# a comment\nLODGE_PORT=1\r\nPATH=/tmp\nnonsense\nLODGE_PORT=9443\n");
	setenv("LODGE_CONF", path, 1);
	setenv("LODGE_PORT", "5", 1);
	setenv("LODGE_LOG", "debug", 1);
	setenv("OTHER", "x", 1);
	autostrv char **env = settings_environment();
	assert_true(strv_has(env, "LODGE_PORT=9443")); /* the file's last line wins */
	assert_false(strv_has(env, "LODGE_PORT=5"));
	assert_true(strv_has(env, "LODGE_LOG=debug"));
	assert_true(strv_has(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_false(strv_has(env, "OTHER=x"));
	unlink(path);

	autostrv char **without = settings_environment(); /* no file: the environment alone */
	assert_true(strv_has(without, "LODGE_PORT=5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_delay),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
