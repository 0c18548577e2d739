/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When guests start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/guest/startup.h"
#include "tests/unit/guest/guest_test.h"

struct startup_case {
	const char *text;
	struct guest_startup expected;
};

static const struct startup_case cases[] = {
	{"", {false, GUEST_ORDER_LAST, 0, 0}},
	{"onboot: 1\n", {true, GUEST_ORDER_LAST, 0, 0}},
	{"onboot: 0\nstartup: 3\n", {false, 3, 0, 0}},
	{"onboot: 1\nstartup: order=0,up=30,down=60\n", {true, 0, 30, 60}},
	{"onboot: 1\nstartup: up=5\n", {true, GUEST_ORDER_LAST, 5, 0}},
	{"onboot: maybe\nstartup: order=x,up=-1,down=99999999999\n",
	 {false, GUEST_ORDER_LAST, 0, 0}},
};

static void reads_startup(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct guest_startup *expected = &cases[i].expected;
		struct guest_config config;
		struct guest_startup got;

		config_from(cases[i].text, &config);
		guest_startup_read(&config, &got);
		guest_config_fini(&config);
		assert_int_equal(got.on_boot, expected->on_boot);
		assert_int_equal(got.order, expected->order);
		assert_int_equal(got.up, expected->up);
		assert_int_equal(got.down, expected->down);
	}
}

static void orders_by_order_then_id(void **state)
{
	(void)state;
	struct guest_startup first = {.order = 1}, last = {.order = GUEST_ORDER_LAST};

	assert_true(guest_startup_compare(&first, 200, &last, 100) < 0);
	assert_true(guest_startup_compare(&last, 100, &first, 200) > 0);
	assert_true(guest_startup_compare(&first, 100, &first, 200) < 0);
	assert_int_equal(guest_startup_compare(&first, 100, &first, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_startup),
		cmocka_unit_test(orders_by_order_then_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
