/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a list of libvirtd's is believed: after a job of unknown outcome, for a core or a monitor that begins, two are
 * wanted. */
#include "tests/unit/monitor/machines_world.h"

/* Stopped is only said after the second list. */
static void looks_twice(void **state)
{
	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	expect_lists(2);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* A list that comes early, which an answer of before the doubt made one of two, is not the second. */
static void an_early_list_is_not_the_second(void **state)
{
	usec_t began = clock_monotonic();

	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	says_list(NULL, 0);
	expect_lists(2);
	assert_true(clock_monotonic() - began >= 2 * MACHINES_SETTLE);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* Between the two lists, and where the word of the job was lost with the core before. */
static void a_core_that_connects_waits_for_two(void **state)
{
	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	core_connects();
	expect_lists(2);
	says_list(NULL, 0);
	expect_lists(3);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
	core_connects();
	expect_lists(4);
	says_list(NULL, 0);
	expect_lists(5);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* A quick end of libvirtd between the two begins anew. */
static void a_break_between_the_two(void **state)
{
	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	says_lost(false);
	expect_connects(2);
	says_list(NULL, 0);
	expect_lists(2); /* that of before: early */
	says_list(NULL, 0);
	expect_lists(3);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(looks_twice),
		WITH(an_early_list_is_not_the_second),
		WITH(a_core_that_connects_waits_for_two),
		WITH(a_break_between_the_two),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
