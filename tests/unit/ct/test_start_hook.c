/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hook before init runs: a container has all that was planned for it, or does not start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/record.h"
#include "agent/task/guest/record.h"

static char folder[64];
static pid_t init;

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/start-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	init = fork();
	if (init == 0)
		for (;;)
			pause();
	autofree char *pid = xasprintf("%d", (int)init);

	setenv("LXC_PID", pid, 1);
	return setenv("LODGE_RUN_DIR", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	kill(init, SIGKILL);
	waitpid(init, NULL, 0);
	return dir_remove_tree(folder, NULL);
}

static void plan(const char *start, const char *mount)
{
	autofields f = FIELDS_INIT;

	fields_add(&f, "mount", mount);
	fields_add(&f, "start", start);
	fields_add(&f, "rules", "0");
	fields_add(&f, "script", "/x/script");
	assert_int_equal(task_record_write_beside(101, CT_PLAN_SUFFIX, &f, NULL), 0);
}

/* As the start of that name calls it; liblxc adds arguments of its own. */
static int start_host(const char *start)
{
	char hook[] = "start-host", vmid[] = "101", halt[] = "15", veths[] = "veth101i0";
	char own[] = "lxc";
	autofree char *name = xstrdup(start);
	char *argv[] = {hook, vmid, halt, veths, name, vmid, own, hook, NULL};

	return hook_main(8, argv);
}

static void takes_what_was_planned(void **state)
{
	struct ct_record record;

	(void)state;
	plan("one", NULL);
	assert_int_equal(start_host("one"), 0);
	assert_true(ct_find_running(101, &record));
	assert_int_equal(record.pid, init);
	assert_string_equal(record.script, "/x/script");
	assert_false(record.has_rules);
}

static void expect_refused(const char *start)
{
	struct ct_record record;

	assert_int_not_equal(start_host(start), 0);
	assert_false(ct_find_running(101, &record));
}

/* Its job was killed, and the next one cleaned up. */
static void does_not_start_without_its_plan(void **state)
{
	(void)state;
	expect_refused("one");
}

static void does_not_start_with_the_next_ones(void **state)
{
	(void)state;
	plan("two", NULL);
	expect_refused("one");
}

static void does_not_start_without_a_mount(void **state)
{
	(void)state;
	plan("one", "what is this");
	expect_refused("one");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_what_was_planned),
		TEST(does_not_start_without_its_plan),
		TEST(does_not_start_with_the_next_ones),
		TEST(does_not_start_without_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
