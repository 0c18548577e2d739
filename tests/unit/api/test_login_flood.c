/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many log-ins at once: a bounded number is worked on, and the rest of the API goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

#define SHARE 4 /* an eighth of all */

static struct fixture f;

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task",
		       "#!/bin/sh\n[ \"$2\" = crypt-verify ] && exec sleep 60\necho '{}'\n");
	fixture_start(&f);
	fixture_login(&f, "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void log_in_from(const char *peer)
{
	struct call call;

	fixture_fill(&f, "POST /access/ticket?username=root@pam&password=guess", &call);
	fields_set(&call.head, "peer", peer);
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, NULL, NULL), 0);
	call_fini(&call);
}

/* Everything sent before has been looked at when this is answered. */
static void settle(void)
{
	unsigned before = f.replies;

	assert_int_equal(fixture_call(&f, "GET /access/domains"), 200);
	assert_true(f.replies > before);
}

static void expect_refused(unsigned replies)
{
	while (f.replies == replies)
		fixture_turn(&f);
	assert_int_equal(f.last.status, 429);
	assert_non_null(strstr(buf_str(&f.last.body), "too many log-ins"));
}

static void one_address_gets_its_share(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SHARE; i++)
		log_in_from("192.0.2.1");
	settle();
	assert_int_equal(f.replies, 1);
	log_in_from("192.0.2.1");
	expect_refused(1);
	log_in_from("192.0.2.2");
	settle();
	assert_int_equal(f.replies, 3);
}

/* Whoever has one address of an IPv6 network has all of them. */
static void one_network_gets_the_same(void **state)
{
	char peer[64];

	(void)state;
	for (unsigned i = 0; i < SHARE; i++) {
		snprintf(peer, sizeof(peer), "2001:db8::%x:1", i);
		log_in_from(peer);
	}
	settle();
	assert_int_equal(f.replies, 1);
	log_in_from("2001:db8::ffff:1");
	expect_refused(1);
	log_in_from("2001:db8:0:1::1");
	settle();
	assert_int_equal(f.replies, 3);
}

/* Four addresses at their worst leave room for others. */
static void a_few_leave_room(void **state)
{
	char peer[32];

	(void)state;
	for (unsigned i = 0; i < 4 * 64; i++) {
		snprintf(peer, sizeof(peer), "192.0.2.%u", i % 4);
		log_in_from(peer);
	}
	while (f.replies < 4 * (64 - SHARE))
		fixture_turn(&f);
	settle();
	assert_int_equal(f.replies, 1 + 4 * (64 - SHARE));
	log_in_from("192.0.2.99");
	settle();
	assert_int_equal(f.replies, 2 + 4 * (64 - SHARE));
}

static void all_together_get_theirs(void **state)
{
	(void)state;
	char peer[32];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(peer, sizeof(peer), "192.0.2.%u", i);
		log_in_from(peer);
	}
	settle();
	assert_int_equal(f.replies, 1 + 8);
	log_in_from("192.0.2.99");
	expect_refused(1 + 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_address_gets_its_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_network_gets_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_few_leave_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_together_get_theirs, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
