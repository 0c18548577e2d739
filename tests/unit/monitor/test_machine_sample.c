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
	last.taken -= 2 * USEC_PER_SEC;
	machine_sample_take(999999999, getpid(), 1, &last, &second);
	assert_non_null(fields_get(&second, "cpu"));
}

static void shares_of_time(void **state)
{
	const usec_t s = USEC_PER_SEC;
	struct guest_sample last = {0};

	(void)state;
	assert_true(guest_cpu_share(&last, 5 * s, 2, 100 * s) < 0); /* since when? */
	/* ten milliseconds of a counter with steps of that size say nothing */
	assert_true(guest_cpu_share(&last, 5 * s + 20000, 2, 100 * s + 4000) < 0);
	assert_true(guest_cpu_share(&last, 6 * s, 2, 101 * s) == 0.5);
	assert_true(guest_cpu_share(&last, 6 * s + 10000, 2, 101 * s + 1000) == 0.5);
	assert_true(guest_cpu_share(&last, 6 * s, 2, 103 * s) == 0);
	assert_true(guest_cpu_share(&last, 1 * s, 2, 104 * s) < 0); /* another process */
	assert_true(guest_cpu_share(&last, 2 * s, 0, 105 * s) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ticks),
		cmocka_unit_test(samples_a_process),
		cmocka_unit_test(shares_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
