/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void each_address_is_counted(void **state)
{
	struct crowd *crowd = crowd_new();

	(void)state;
	assert_int_equal(crowd_count(crowd, "192.0.2.1"), 0);
	crowd_leave(crowd, "192.0.2.1"); /* who never entered */
	crowd_enter(crowd, "192.0.2.1");
	crowd_enter(crowd, "192.0.2.1");
	crowd_enter(crowd, "2001:db8::/64");
	assert_int_equal(crowd_count(crowd, "192.0.2.1"), 2);
	assert_int_equal(crowd_count(crowd, "2001:db8::/64"), 1);
	crowd_leave(crowd, "192.0.2.1");
	assert_int_equal(crowd_count(crowd, "192.0.2.1"), 1);
	crowd_leave(crowd, "192.0.2.1");
	assert_int_equal(crowd_count(crowd, "192.0.2.1"), 0);
	crowd_free(crowd); /* with some in it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
