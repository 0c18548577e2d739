/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task lists, status and logs: filters, rights and wrong names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

#define OK_TASK	   "UPID:n1:00000011:00000022:60000001:vzstart:101:root@pam:"
#define BAD_TASK   "UPID:n1:00000012:00000023:60000002:vzcreate:102:bob@pve:"
#define WARN_TASK  "UPID:n1:00000013:00000024:60000003:vzstop:101:bob@pve!ci:"
#define OTHER_TASK "UPID:n1:00000014:00000025:60000004:imgdel:local:bob@pve2:"
#define NO_TASK	   "UPID:n1:00000099:00000099:60000009:vzstart:999:root@pam:"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\nuser:eve@pve:1:0::::\n"
			       "acl:/nodes:user:eve@pve:PVEAuditor:1\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	for (int i = 1; i <= 4; i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/state/tasks/%d", f.directory, i);
		assert_int_equal(dir_make(path, 0755, NULL), 0);
	}
	fixture_file(&f, "tasks/1/" OK_TASK, "one\ntwo\nTASK OK\n");
	fixture_file(&f, "tasks/1/" OK_TASK ".status", "1610612800 OK\n");
	fixture_file(&f, "tasks/2/" BAD_TASK, "TASK ERROR: it broke\n");
	fixture_file(&f, "tasks/2/" BAD_TASK ".status", "1610612801 it broke\n");
	fixture_file(&f, "tasks/3/" WARN_TASK, "TASK WARNINGS: 2\n");
	fixture_file(&f, "tasks/3/" WARN_TASK ".status", "1610612802 WARNINGS: 2\n");
	fixture_file(&f, "tasks/4/" OTHER_TASK, "TASK OK\n");
	fixture_file(&f, "tasks/4/" OTHER_TASK ".status", "1610612803 OK\n");
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

static void test_status(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	expect(&f, "GET /nodes/n1/tasks/" OK_TASK "/status", 200,
	       "{\"data\":{\"upid\":\"" OK_TASK "\",\"node\":\"n1\",\"pid\":17,\"pstart\":34,"
	       "\"starttime\":1610612737,\"type\":\"vzstart\",\"id\":\"101\",\"user\":\"root@pam\","
	       "\"status\":\"stopped\",\"exitstatus\":\"OK\"}}");
	expect(&f, "GET /nodes/n1/tasks/" NO_TASK "/status", 400,
	       "{\"data\":null,\"errors\":{\"upid\":\"no such task\"},"
	       "\"message\":\"Parameter verification failed.\\n\"}");
	expect(&f, "GET /nodes/n1/tasks/nonsense/log", 400,
	       "{\"data\":null,\"errors\":{\"upid\":\"unable to parse worker upid\"},"
	       "\"message\":\"Parameter verification failed.\\n\"}");
	expect(&f, "GET /nodes/n1/tasks/" OK_TASK, 200,
	       "{\"data\":[{\"name\":\"log\"},{\"name\":\"status\"}]}");
	expect(&f, "DELETE /nodes/n1/tasks/" OK_TASK, 200, "{\"data\":null}");
}

static void test_log(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	expect(&f, "GET /nodes/n1/tasks/" OK_TASK "/log?start=1&limit=1", 200,
	       "{\"data\":[{\"n\":2,\"t\":\"two\"}],\"total\":3}");
	expect(&f, "GET /nodes/n1/tasks/" BAD_TASK "/log", 200,
	       "{\"data\":[{\"n\":1,\"t\":\"TASK ERROR: it broke\"}],\"total\":1}");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks/" OK_TASK "/log?start=-1"), 400);
}

static void test_rights(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks/" OK_TASK "/log"), 403);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks/" BAD_TASK "/log"), 200);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks/" WARN_TASK "/log"), 200);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks/" OTHER_TASK "/log"), 403);
	EXPECT_HAS(&f, "GET /nodes/n1/tasks", BAD_TASK, WARN_TASK, "!" OK_TASK, "!" OTHER_TASK,
		   "\"total\":2");
	EXPECT_HAS(&f, "GET /cluster/tasks", BAD_TASK, WARN_TASK, "!" OK_TASK, "!" OTHER_TASK);
	fixture_login(&f, "eve@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks/" OK_TASK "/log"), 200);
	assert_int_equal(fixture_call(&f, "DELETE /nodes/n1/tasks/" OK_TASK), 403);
	EXPECT_HAS(&f, "GET /nodes/n1/tasks", "\"total\":4");
	EXPECT_HAS(&f, "GET /cluster/tasks", "!UPID");
}

static void test_filters(void **state)
{
	(void)state;
	static const struct {
		const char *query, *upids; /* in order, one digit of the start time each */
	} cases[] = {
		{"", "4321"},
		{"?limit=2", "43"},
		{"?start=1&limit=2", "32"},
		{"?limit=0", "4321"},
		{"?errors=1", "32"},
		{"?statusfilter=ok", "41"},
		{"?statusfilter=error,warning", "32"},
		{"?typefilter=vzstart", "1"},
		{"?userfilter=bob@", "432"},
		{"?vmid=101", "31"},
		{"?since=1610612739", "43"},
		{"?until=1610612738", "21"},
		{"?source=active", ""},
		{"?source=all", "4321"},
	};
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *request = xasprintf("GET /nodes/n1/tasks%s", cases[i].query);
		autobuf digits = BUF_INIT;
		assert_int_equal(fixture_call(&f, request), 200);
		for (const char *at = buf_str(&f.last.body);
		     (at = strstr(at, "\"starttime\":16106127"));) {
			at += strlen("\"starttime\":16106127");
			buf_add_char(&digits, (char)('1' + atoi(at) - 37));
		}
		if (!str_eq(buf_str(&digits), cases[i].upids))
			fail_msg("%s: %s instead of %s", request, buf_str(&digits), cases[i].upids);
	}
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks?statusfilter=good"), 400);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/tasks?source=old"), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_filters),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
