/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of calls that are looked at and not made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

static struct fixture f;

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", "user:eve@pve:1:0::::\n");
	fixture_login(&f, "eve@pve");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void test_errors(void **state)
{
	(void)state;
	expect(&f,
	       "POST /lodge/check?method=POST&path=/nodes/n1/lxc&params={\"vmid\":\"100\","
	       "\"ostemplate\":\"local:vztmpl/a.tar.gz\",\"memory\":64}",
	       200, "{\"data\":{\"errors\":{}}}");
	EXPECT_HAS(&f,
		   "POST /lodge/check?method=POST&path=/nodes/n1/lxc&params={\"vmid\":\"7\","
		   "\"memory\":\"x\",\"net0\":\"name=eth0,ip=nonsense\",\"no\":null}",
		   "\"vmid\":\"value must have a minimum value of 100\"", "\"memory\":\"",
		   "\"net0\":\"invalid format - ip: ", "\"no\":\"property is not defined",
		   "\"ostemplate\":\"property is missing and it is not optional\"");
	EXPECT_HAS(&f, "POST /lodge/check?method=PUT&path=/nodes/n1/lxc/7/config&params={}",
		   "\"vmid\":\"value must have a minimum");
}

static void test_nothing_is_done(void **state)
{
	(void)state;
	expect(&f, "POST /lodge/check?method=DELETE&path=/access/users/eve@pve&params={}", 200,
	       "{\"data\":{\"errors\":{}}}");
	assert_int_equal(fixture_call(&f, "GET /version"), 200); /* eve is still there */
}

static void test_refused(void **state)
{
	static const char *const requests[] = {
		"POST /lodge/check?method=POST&path=/nowhere&params={}",
		"POST /lodge/check?method=PATCH&path=/nodes/n1/lxc&params={}",
		"POST /lodge/check?method=POST&path=/nodes/n1/lxc&params=[]",
		"POST /lodge/check?method=POST&path=/nodes/n1/lxc&params={\"a\":",
		"POST /lodge/check?method=POST&path=/nodes/n1/lxc",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		assert_int_equal(fixture_call(&f, requests[i]), 400);
	fixture_login(&f, "");
	assert_int_equal(fixture_call(&f, "POST /lodge/check?method=GET&path=/version&params={}"),
			 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_is_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
