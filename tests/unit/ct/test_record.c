/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records: who counts as running. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/guest/ct/record.h"

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
		cmocka_unit_test_setup_teardown(a_record_without_start_time_is_of_nobody, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
