/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records: who counts as running. */
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

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/init_proc.h"

#define NOBODY 0x7ffffff0 /* beyond any process number */

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/record-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return setenv("LODGE_RUN_DIR", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

static int is_running(pid_t pid, uint64_t start)
{
	const struct ct_record record = {.pid = pid, .pid_start = start};
	struct ct_record found;

	assert_int_equal(ct_record_write(101, &record, NULL), 0);
	return ct_find_running(101, &found);
}

static void only_the_very_process_counts(void **state)
{
	uint64_t start = exec_pid_start(getpid());

	(void)state;
	assert_true(is_running(getpid(), start));
	assert_false(is_running(getpid(), start + 1));
	assert_false(is_running(NOBODY, start));
}

/* Its number may be another one's by now, which this process is. */
static void nobody_else_is_entered(void **state)
{
	uint64_t start = exec_pid_start(getpid());
	const struct ct_record other = {.pid = getpid(), .pid_start = start + 1};
	const struct ct_record gone = {.pid = NOBODY, .pid_start = 1};
	const struct ct_record self = {.pid = getpid(), .pid_start = start};
	struct err err = ERR_INIT;
	autobuf groups = BUF_INIT;
	autofd int init = ct_init_open(&self, &err);

	(void)state;
	assert_true(init >= 0);
	assert_int_equal(ct_init_open(&other, &err), -ERR_UNAVAILABLE);
	assert_int_equal(ct_init_open(&gone, &err), -ERR_UNAVAILABLE);
	assert_int_equal(ct_init_open(&(struct ct_record){0}, &err), -ERR_UNAVAILABLE);
	assert_int_equal(ct_groups_read(&other, &groups, &err), -ERR_UNAVAILABLE);
	assert_int_equal(groups.size, 0);
	assert_int_equal(ct_groups_read(&self, &groups, &err), 0);
	/* never the node's own */
	assert_int_equal(ct_init_root(&self, &err), -ERR_UNSUPPORTED);
	assert_int_equal(ct_init_foreign_namespace(init, "net", &err), -ERR_UNSUPPORTED);
	autofd int own = ct_init_namespace(init, "user", &err);

	assert_true(ct_init_is_own("user", own));
}

/* What was opened while it lived is of it for ever. */
static void what_has_ended_is_not_entered(void **state)
{
	struct err err = ERR_INIT;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		for (;;)
			pause();
	const struct ct_record record = {.pid = pid, .pid_start = exec_pid_start(pid)};
	autofd int init = ct_init_open(&record, &err);

	assert_true(init >= 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(ct_init_namespace(init, "net", &err), -ERR_UNAVAILABLE);
	assert_int_equal(ct_init_root(&record, &err), -ERR_UNAVAILABLE);
}

static void keeps_what_its_start_said(void **state)
{
	struct ct_record record = {.pid = getpid(), .pid_start = 1}, found;

	(void)state;
	for (int i = 0; i < 2; i++) {
		record.has_rules = i;
		assert_int_equal(ct_record_write(101, &record, NULL), 0);
		assert_int_equal(ct_record_read(101, &found, NULL), 0);
		assert_int_equal(found.has_rules, i);
	}
}

/* A start hook that looked at an init which was killed meanwhile. */
static void a_record_without_start_time_is_of_nobody(void **state)
{
	(void)state;
	assert_false(is_running(NOBODY, 0));
	assert_false(is_running(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_very_process_counts, set_up, tear_down),
		cmocka_unit_test(nobody_else_is_entered),
		cmocka_unit_test(what_has_ended_is_not_entered),
		cmocka_unit_test_setup_teardown(keeps_what_its_start_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_record_without_start_time_is_of_nobody, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
