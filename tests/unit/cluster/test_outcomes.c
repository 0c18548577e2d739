/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outcomes of requests, beside a plain array that is searched from one end to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/core/outcomes.h"

#define STEPS 20000

/* Few different ids: many of them fall into one slot, and come again after they were forgotten. */
static struct kv_request make(uint64_t index, unsigned id)
{
	struct kv_request request = {.index = index, .outcome = STORE_DONE};

	request.id.bytes[0] = (uint8_t)id;
	request.id.bytes[15] = (uint8_t)(id >> 8);
	return request;
}

static unsigned next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

static void all_are_found(const struct outcomes *o, const struct kv_request *all, size_t first,
			  size_t end)
{
	const struct kv_request *r = outcomes_after(o, 0);

	for (size_t i = first; i < end; i++) {
		assert_non_null(r);
		assert_memory_equal(r, &all[i], sizeof(*r));
		assert_ptr_equal(outcomes_find(o, &all[i].id), r);
		r = outcomes_after(o, r->index);
	}
	assert_null(r);
}

static bool is_held(const struct kv_request *all, size_t first, size_t end,
		    const struct kv_request *request)
{
	for (size_t i = first; i < end; i++)
		if (memcmp(&all[i].id, &request->id, sizeof(request->id)) == 0)
			return true;
	return false;
}

static void is_what_an_array_would_be(void **state)
{
	static struct kv_request all[STEPS];
	struct outcomes *o = outcomes_new();
	size_t first = 0, end = 0;
	uint64_t seed = 1;

	(void)state;
	for (uint64_t step = 1; step <= STEPS; step++) {
		struct kv_request request = make(3 * step, next(&seed) % 700);
		bool is_new = !is_held(all, first, end, &request);

		assert_int_equal(outcomes_add(o, &request), is_new);
		if (is_new)
			all[end++] = request;
		/* grows to some hundreds, then goes down again, and so on */
		for (unsigned n = step % 4000 < 3000 ? next(&seed) % 2 : 2; n > 0 && first < end;
		     n--) {
			outcomes_drop_oldest(o);
			assert_null(outcomes_find(o, &all[first].id));
			first++;
		}
		if (step % 97 == 0)
			all_are_found(o, all, first, end);
	}
	outcomes_free(o);
}

static void indices_rise(void **state)
{
	struct outcomes *o = outcomes_new();
	struct kv_request zero = make(0, 1), five = make(5, 2), same = make(5, 3),
			  seven = make(7, 4);

	(void)state;
	assert_null(outcomes_after(o, 0));
	assert_null(outcomes_find(o, &five.id));
	assert_false(outcomes_add(o, &zero));
	assert_true(outcomes_add(o, &five));
	assert_false(outcomes_add(o, &same));
	assert_true(outcomes_add(o, &seven));
	assert_int_equal(outcomes_after(o, 4)->index, 5);
	assert_int_equal(outcomes_after(o, 5)->index, 7);
	assert_int_equal(outcomes_after(o, 6)->index, 7);
	assert_null(outcomes_after(o, 7));
	outcomes_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_an_array_would_be),
		cmocka_unit_test(indices_rise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
