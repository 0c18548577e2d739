/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bandwidth limits, by a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/bucket.h"

#define MIB (1024u * 1024)

static void no_bound_waits_never(void **state)
{
	struct bucket b = {0};

	(void)state;
	assert_int_equal(bucket_take(&b, BUCKET_TAKE_MAX, 5), 0);
	assert_int_equal(bucket_take(&b, BUCKET_TAKE_MAX, 5), 0);
}

/* Whoever does as told needs as long as the bound says, but for what the bucket held. */
static usec_t time_of(uint64_t rate, uint64_t block, unsigned count, usec_t work)
{
	struct bucket b = {.rate = rate};
	usec_t now = 77 * USEC_PER_SEC;

	for (unsigned i = 0; i < count; i++)
		now += work + bucket_take(&b, block, now);
	return now - 77 * USEC_PER_SEC;
}

static void the_bound_is_kept(void **state)
{
	static const struct {
		uint64_t rate, block;
		unsigned count;
		usec_t work, least, most;
	} cases[] = {
		{MIB, MIB, 10, 0, 9900000, 10000000},
		{1024, 1024, 10, 0, 9900000, 10000000},
		/* slower by itself: no wait at all */
		{MIB, MIB, 10, 2 * USEC_PER_SEC, 20000000, 20000000},
		/* blocks of less than a microsecond each add up */
		{(uint64_t)10000 * MIB, 512, 20480000, 0, 900000, 1000000},
		/* more than the bucket holds in one piece */
		{MIB, (uint64_t)100 * MIB, 2, 0, 199900000, 200000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		usec_t t = time_of(cases[i].rate, cases[i].block, cases[i].count, cases[i].work);

		assert_in_range(t, cases[i].least, cases[i].most);
	}
}

/* A pause buys a tenth of a second, not more. */
static void a_pause_is_not_saved_up(void **state)
{
	struct bucket b = {.rate = MIB};

	(void)state;
	(void)bucket_take(&b, MIB, USEC_PER_SEC);
	assert_int_equal(bucket_take(&b, MIB, 1000 * USEC_PER_SEC), 900000);
}

static void sizes_are_bounded(void **state)
{
	struct bucket b = {.rate = 1};

	(void)state;
	assert_true(bucket_take(&b, UINT64_MAX, 0) <= BUCKET_TAKE_MAX * USEC_PER_SEC);
	/* a clock that begins at 0 */
	b = (struct bucket){.rate = MIB};
	assert_int_equal(bucket_take(&b, MIB, 0), USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_bound_waits_never), cmocka_unit_test(the_bound_is_kept),
		cmocka_unit_test(a_pause_is_not_saved_up), cmocka_unit_test(sizes_are_bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
