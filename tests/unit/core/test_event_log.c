/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of changes and the ids by which readers resume. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "agent/base/str.h"
#include "agent/core/event_log.h"

#define BOOT 0x0123abcdu

/* "1:lxc/100 3:lxc/101 ", what is after seq */
static void expect_after(const struct event_log *log, uint64_t seq, const char *expected)
{
	autobuf text = BUF_INIT;

	for (const struct event *e = event_log_after(log, seq); e; e = event_log_next(log, e))
		buf_addf(&text, "%llu:%s ", (unsigned long long)e->seq, e->name);
	assert_string_equal(buf_str(&text), expected);
}

static void test_order(void **state)
{
	struct event_log *log = event_log_new(10, 10000);

	(void)state;
	assert_int_equal(event_log_head(log), 0);
	expect_after(log, 0, "");
	event_log_put(log, EVENT_TYPE_GUEST, "lxc/100");
	event_log_put(log, EVENT_TYPE_TASK, "lxc/100"); /* another type is another thing */
	event_log_put(log, EVENT_TYPE_GUEST, "lxc/101");
	expect_after(log, 0, "1:lxc/100 2:lxc/100 3:lxc/101 ");
	expect_after(log, 1, "2:lxc/100 3:lxc/101 ");
	expect_after(log, 3, "");
	expect_after(log, 99, "");
	assert_int_equal(event_log_after(log, 1)->type, EVENT_TYPE_TASK);
	assert_int_equal(event_log_head(log), 3);
	assert_int_equal(event_log_lost(log), 0);
	event_log_free(log);
}

static void test_merge(void **state)
{
	struct event_log *log = event_log_new(10, 10000);

	(void)state;
	event_log_put(log, EVENT_TYPE_GUEST, "lxc/100");
	event_log_put(log, EVENT_TYPE_GUEST, "lxc/101");
	for (int i = 0; i < 1000; i++)
		event_log_put(log, EVENT_TYPE_GUEST, "lxc/100");
	expect_after(log, 0, "2:lxc/101 1002:lxc/100 ");
	expect_after(log, 1, "2:lxc/101 1002:lxc/100 ");
	expect_after(log, 2, "1002:lxc/100 ");
	assert_int_equal(event_log_lost(log), 0);
	event_log_free(log);
}

static void put_many(struct event_log *log, unsigned from, unsigned to)
{
	char name[32];

	for (unsigned i = from; i <= to; i++) {
		snprintf(name, sizeof(name), "lxc/%u", i);
		event_log_put(log, EVENT_TYPE_GUEST, name);
	}
}

static void test_bound_of_count(void **state)
{
	struct event_log *log = event_log_new(3, 100000);

	(void)state;
	put_many(log, 1, 5);
	expect_after(log, 0, "3:lxc/3 4:lxc/4 5:lxc/5 ");
	assert_int_equal(event_log_lost(log), 2);
	put_many(log, 3, 3); /* what moves to the end is not lost */
	expect_after(log, 0, "4:lxc/4 5:lxc/5 6:lxc/3 ");
	assert_int_equal(event_log_lost(log), 2);
	put_many(log, 1, 1);
	assert_int_equal(event_log_lost(log), 4);
	event_log_free(log);
}

static void test_bound_of_bytes(void **state)
{
	struct event_log *log = event_log_new(1000000, 4000);
	char name[1000];
	unsigned kept = 0;

	(void)state;
	put_many(log, 1, 1000);
	for (const struct event *e = event_log_after(log, 0); e; e = event_log_next(log, e))
		kept++;
	assert_in_range(kept, 10, 4000 / 32);
	assert_int_equal(event_log_lost(log), 1000 - kept);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 10; i++) {
		name[0] = (char)('a' + i);
		event_log_put(log, EVENT_TYPE_CONFIG, name);
	}
	assert_int_equal(event_log_lost(log), 1009);
	event_log_free(log);
	log = event_log_new(10, 1); /* the newest is always there */
	put_many(log, 1, 2);
	expect_after(log, 0, "2:lxc/2 ");
	event_log_free(log);
}

static void test_resume(void **state)
{
	static const struct {
		const char *id, *reason; /* NULL: goes on at seq */
		uint64_t seq;
	} cases[] = {
		{"", "new", 0},
		{"garbage", "new", 0},
		{"0123abcd", "new", 0},
		{"0123abcd-", "new", 0},
		{"0123abcd--1", "new", 0},
		{"0123abcd-4 ", "new", 0},
		{"0123ABCD-4", "new", 0},
		{"123abcd-4", "new", 0},
		{"00123abcd-4", "new", 0},
		{"0123abcd-18446744073709551616", "new", 0},
		{"0123abcd-6", "new", 0}, /* was never given */
		{"0123abcd-18446744073709551615", "new", 0},
		{"0123abce-4", "restarted", 0},
		{"00000000-18446744073709551615", "restarted", 0},
		{"0123abcd-0", "too-old", 0},
		{"0123abcd-1", "too-old", 0}, /* 2 is lost */
		{"0123abcd-2", NULL, 2},
		{"0123abcd-3", NULL, 3},
		{"0123abcd-5", NULL, 5},
	};
	struct event_log *log = event_log_new(3, 100000);

	(void)state;
	put_many(log, 1, 5);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t seq = 77;
		const char *reason = event_log_resume(log, BOOT, cases[i].id, &seq);

		if (!str_eq(reason, cases[i].reason) || seq != (reason ? 77 : cases[i].seq))
			fail_msg("'%s': %s, %llu", cases[i].id, reason ? reason : "goes on",
				 (unsigned long long)seq);
	}
	event_log_free(log);
}

static void test_id(void **state)
{
	static const struct event_id ids[] = {{0, 0}, {BOOT, 1}, {UINT32_MAX, UINT64_MAX}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		autobuf text = BUF_INIT;
		struct event_id got;

		event_id_add(ids[i], &text);
		assert_true(text.size < EVENT_ID_MAX);
		assert_true(event_id_parse(buf_str(&text), &got));
		assert_int_equal(got.boot, ids[i].boot);
		assert_true(got.seq == ids[i].seq);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	       cmocka_unit_test(test_merge),
		cmocka_unit_test(test_bound_of_count), cmocka_unit_test(test_bound_of_bytes),
		cmocka_unit_test(test_resume),	       cmocka_unit_test(test_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
