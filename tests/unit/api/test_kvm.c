/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a node's KVM test, and who may ask for one. The job program is a script that stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/guest/kvm_record.h"
#include "api_test.h"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\nuser:eve@pve:1:0::::\n"
			       "acl:/nodes/n1:user:bob@pve:PVEAuditor:1\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task", "#!/bin/sh\nexec sleep 1000\n");
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", user_cfg);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void test_record(void **state)
{
	autofree char *usable =
		xasprintf("usable: 1\nreason: well\ntested: 5\nkernel: %s\n", kvm_kernel_release());

	(void)state;
	fixture_login(&f, "bob@pve");
	expect(&f, "GET /nodes/n1/kvm", 200, "{\"data\":{}}");
	fixture_put(&f, "/nodes/n1/kvm", usable);
	EXPECT_HAS(&f, "GET /nodes/n1/kvm", "\"usable\":1", "\"reason\":\"well\"", "\"tested\":5",
		   "\"outdated\":0", "!remedy");
	fixture_put(&f, "/nodes/n1/kvm", "usable: 0\nreason: a \"b\"\ntested: 5\nkernel: 2.6.1\n");
	EXPECT_HAS(&f, "GET /nodes/n1/kvm", "\"usable\":0", "\"reason\":\"a \\\"b\\\"\"",
		   "\"outdated\":1", "\"kernel\":\"2.6.1\"",
		   "\"remedy\":\"switch virtualisation on");
	fixture_put(&f, "/nodes/n1/kvm", "nonsense: 1\n");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/kvm"), 500);
	fixture_login(&f, "eve@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/kvm"), 403);
}

static void test_check(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "POST /nodes/n1/kvm-check"), 403);
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "POST /nodes/n1/kvm-check?x=1"), 400);
	EXPECT_HAS(&f, "POST /nodes/n1/kvm-check", ":kvmcheck::root@pam:");
	expect(&f, "POST /nodes/n1/kvm-check", 500,
	       "{\"data\":null,\"message\":\"a test of KVM is running already\\n\"}");
	const struct task *task = jobs_next(f.core.jobs, NULL);
	char upid[UPID_MAX];

	assert_non_null(task);
	assert_true(str_copy(upid, sizeof(upid), task->upid));
	assert_int_equal(jobs_stop(f.core.jobs, upid, NULL), 0);
	while (jobs_find(f.core.jobs, upid)->state == TASK_RUNNING)
		fixture_turn(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
