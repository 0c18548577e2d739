/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of a process as a machine's: what stat says, and that the fields are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "agent/base/str.h"
#include "agent/monitor/machine_sample.h"

static void reads_ticks(void **state)
{
	(void)state;
	assert_int_equal(machine_cpu_ticks("7 (a) b) 1 (c) S 1 2 3 4 5 6 7 8 9 10 40 2 0\n"), 42);
	assert_int_equal(machine_cpu_ticks("7 (qemu) S 1 2 3 4 5 6 7 8 9 10 11\n"), 0);
	assert_int_equal(machine_cpu_ticks(""), 0);
}

static void samples_a_process(void **state)
{
	struct guest_sample last = {0};
	autofields first = FIELDS_INIT, second = FIELDS_INIT;
	uint64_t mem = 0;

	(void)state;
	machine_sample_take(999999999, getpid(), 1, &last, &first);
	assert_null(fields_get(&first, "cpu"));
	assert_true(str_to_u64(fields_get(&first, "mem"), &mem) && mem > 4096);
	assert_string_equal(fields_get(&first, "netin"), "0");
	assert_null(fields_get(&first, "disk"));
	machine_sample_take(999999999, getpid(), 1, &last, &second);
	assert_non_null(fields_get(&second, "cpu"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ticks),
		cmocka_unit_test(samples_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
