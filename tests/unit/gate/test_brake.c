/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/brake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define HOLD 3000

static void an_address_has_its_places(void **state)
{
	struct brake *b = brake_new();

	(void)state;
	for (int i = 0; i < BRAKE_PER_ADDRESS; i++)
		assert_true(brake_enter(b, "10.0.0.1", 1, 1 + HOLD));
	assert_false(brake_enter(b, "10.0.0.1", 1, 1 + HOLD));
	assert_true(brake_enter(b, "10.0.0.2", 1, 1 + HOLD));
	brake_free(b);
}

static void all_addresses_share_a_bound(void **state)
{
	struct brake *b = brake_new();
	char address[32];

	(void)state;
	for (int i = 0; i < BRAKE_MAX; i++) {
		snprintf(address, sizeof(address), "10.0.0.%d", i);
		assert_true(brake_enter(b, address, 1, 1 + HOLD));
	}
	assert_false(brake_enter(b, "10.0.1.1", 1, 1 + HOLD));
	brake_free(b);
}

static void places_come_back_with_time_alone(void **state)
{
	struct brake *b = brake_new();

	(void)state;
	for (int i = 0; i < BRAKE_PER_ADDRESS; i++)
		assert_true(brake_enter(b, "::1", 10 + (usec_t)i, 10 + (usec_t)i + HOLD));
	assert_false(brake_enter(b, "::1", 9 + HOLD, 9 + 2 * HOLD));
	assert_true(brake_enter(b, "::1", 10 + HOLD, 10 + 2 * HOLD));
	assert_false(brake_enter(b, "::1", 10 + HOLD, 10 + 2 * HOLD));
	brake_free(b);
}

/* Whose places are taken is asked for before a password is checked: only its own count then. */
static void an_address_is_full_by_its_own_places(void **state)
{
	struct brake *b = brake_new();
	char address[32];

	(void)state;
	for (int i = 0; i < BRAKE_PER_ADDRESS; i++) {
		assert_false(brake_is_full(b, "10.0.1.1", 1));
		assert_true(brake_enter(b, "10.0.1.1", 1, 1 + HOLD));
	}
	assert_true(brake_is_full(b, "10.0.1.1", HOLD));
	assert_false(brake_is_full(b, "10.0.1.1", 1 + HOLD));
	for (int i = BRAKE_PER_ADDRESS; i < BRAKE_MAX; i++) {
		snprintf(address, sizeof(address), "10.0.0.%d", i);
		assert_true(brake_enter(b, address, 1, 1 + HOLD));
	}
	assert_false(brake_enter(b, "10.0.2.1", 1, 1 + HOLD));
	assert_false(brake_is_full(b, "10.0.2.1", 1));
	brake_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_its_places),
		cmocka_unit_test(all_addresses_share_a_bound),
		cmocka_unit_test(places_come_back_with_time_alone),
		cmocka_unit_test(an_address_is_full_by_its_own_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
