/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large messages in parts: whole and in order, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/parts.h"

struct pieces {
	struct buf items[16];
	size_t count;
};

static void keep(const void *part, size_t size, void *ctx)
{
	struct pieces *p = ctx;

	assert_true(p->count < ARRAY_SIZE(p->items));
	buf_add(&p->items[p->count++], part, size);
}

static void pieces_fini(struct pieces *p)
{
	for (size_t i = 0; i < p->count; i++)
		buf_fini(&p->items[i]);
	p->count = 0;
}

static int take(struct parts *parts, uint32_t node, const struct buf *part, const struct buf **ret)
{
	struct err err = ERR_INIT;

	return parts_take(parts, node, 1, part->data, part->size, ret, &err);
}

static void come_together_of_each_sender(void **state)
{
	static const char text[] = "a message that is longer than what fits at once";
	struct pieces a = {0}, b = {0};
	struct parts *parts = parts_new();
	const struct buf *whole = NULL;

	(void)state;
	parts_cut(7, text, sizeof(text), PARTS_HEADER + 10, keep, &a);
	parts_cut(1, text, 5, PARTS_HEADER + 3, keep, &b);
	assert_int_equal(a.count, 5);
	assert_int_equal(b.count, 2);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(take(parts, 1, &a.items[i], &whole), 0);
		assert_int_equal(take(parts, 2, &b.items[i % 2], &whole), i % 2); /* between them */
	}
	assert_int_equal(take(parts, 1, &a.items[4], &whole), 1);
	assert_int_equal(whole->size, sizeof(text));
	assert_memory_equal(whole->data, text, sizeof(text));
	pieces_fini(&a);
	pieces_fini(&b);
	parts_free(parts);
}

static void a_gap_drops_the_whole(void **state)
{
	struct pieces a = {0}, b = {0};
	struct parts *parts = parts_new();
	const struct buf *whole = NULL;

	(void)state;
	parts_cut(1, "abcdefghi", 9, PARTS_HEADER + 3, keep, &a);
	parts_cut(2, "ABCDEFGHI", 9, PARTS_HEADER + 3, keep, &b);
	assert_int_equal(take(parts, 1, &a.items[0], &whole), 0);
	assert_int_equal(take(parts, 1, &a.items[2], &whole), 0);
	assert_int_equal(take(parts, 1, &a.items[1], &whole), 0);
	assert_int_equal(take(parts, 1, &a.items[2], &whole), 0);
	/* the middle of one never ends up in another */
	assert_int_equal(take(parts, 1, &a.items[0], &whole), 0);
	assert_int_equal(take(parts, 1, &b.items[1], &whole), 0);
	assert_int_equal(take(parts, 1, &a.items[2], &whole), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(take(parts, 1, &b.items[i], &whole), i == 2);
	assert_memory_equal(whole->data, "ABCDEFGHI", 9);
	/* another process of the sender begins anew */
	assert_int_equal(take(parts, 1, &a.items[0], &whole), 0);
	parts_forget(parts, 1, 1);
	assert_int_equal(take(parts, 1, &a.items[1], &whole), 0);
	assert_int_equal(take(parts, 1, &a.items[2], &whole), 0);
	pieces_fini(&a);
	pieces_fini(&b);
	parts_free(parts);
}

static void what_is_no_part_is_refused(void **state)
{
	struct pieces a = {0};
	struct parts *parts = parts_new();
	const struct buf *whole = NULL;

	(void)state;
	parts_cut(1, "abcdef", 6, PARTS_HEADER + 3, keep, &a);
	for (size_t n = 0; n <= PARTS_HEADER; n++) {
		struct buf cut = {.data = a.items[0].data, .size = n};

		assert_int_equal(take(parts, 1, &cut, &whole), -ERR_CORRUPT);
	}
	a.items[1].data[9] = 5; /* offset: beyond the end */
	assert_int_equal(take(parts, 1, &a.items[1], &whole), -ERR_CORRUPT);
	a.items[0].data[8] = 0x7f; /* more than any message has */
	assert_int_equal(take(parts, 1, &a.items[0], &whole), -ERR_CORRUPT);
	pieces_fini(&a);
	parts_free(parts);
}

static void senders_are_bounded(void **state)
{
	struct pieces a = {0};
	struct parts *parts = parts_new();
	const struct buf *whole = NULL;

	(void)state;
	parts_cut(1, "abcdef", 6, PARTS_HEADER + 3, keep, &a);
	for (uint32_t node = 1; node < 3 * PARTS_SENDERS_MAX; node++)
		assert_int_equal(take(parts, node, &a.items[0], &whole), 0);
	assert_int_equal(take(parts, 3 * PARTS_SENDERS_MAX - 1, &a.items[1], &whole), 1);
	assert_int_equal(take(parts, 1, &a.items[1], &whole), 0); /* it gave way */
	pieces_fini(&a);
	parts_free(parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_together_of_each_sender),
		cmocka_unit_test(a_gap_drops_the_whole),
		cmocka_unit_test(what_is_no_part_is_refused),
		cmocka_unit_test(senders_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
