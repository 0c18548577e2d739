/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a request: unknown routes, credentials, rights, parameters, cancel and deadline. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\n"
			       "user:eve@pve:1:0::::\n"
			       "acl:/:user:bob@pve:PVEAuditor:1\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
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

static void test_unknown_routes(void **state)
{
	(void)state;
	static const struct {
		const char *request, *text;
	} cases[] = {{"GET /foo", "GET /foo"},
		     {"POST /version", "POST /version"},
		     {"PATCH /version", "PATCH /version"},
		     {"GET /nodes/n1/nothing", "GET /nodes/n1/nothing"}};
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *body =
			xasprintf("{\"data\":null,\"message\":\"Method '%s' not implemented\\n\"}",
				  cases[i].text);
		autofree char *reason = xasprintf("Method '%s' not implemented", cases[i].text);
		expect(&f, cases[i].request, 501, body);
		assert_string_equal(fields_get(&f.last.head, "reason"), reason);
	}
	fixture_login(&f, "");
	assert_int_equal(fixture_call(&f, "GET /foo"), 401);
}

static void test_credentials(void **state)
{
	(void)state;
	fixture_login(&f, "");
	expect(&f, "GET /version", 401, "{\"data\":null,\"message\":\"No ticket\\n\"}");
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "GET /version"), 200);
	f.ticket[12] ^= 1;
	assert_int_equal(fixture_call(&f, "GET /version"), 401);
	fixture_login(&f, "bob@pve");
	f.csrf[0] = '\0'; /* reading needs none, changing does */
	assert_int_equal(fixture_call(&f, "GET /version"), 200);
	assert_int_equal(fixture_call(&f,
				      "DELETE /nodes/n1/tasks/"
				      "UPID:n1:00000001:00000001:60000000:vzstart:101:root@pam:"),
			 401);
}

static void test_rights(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/time"), 200);
	fixture_login(&f, "eve@pve");
	expect(&f, "GET /nodes/n1/time", 403,
	       "{\"data\":null,\"message\":\"Permission check failed (/nodes/n1, Sys.Audit)\\n\"}");
	/* what is not allowed is said before what is wrong */
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/time?foo=1"), 403);
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/time?foo=1"), 400);
	/* another name for this node gives no other rights */
	fixture_login(&f, "eve@pve");
	assert_int_equal(fixture_call(&f, "GET /nodes/localhost/time"), 403);
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "GET /nodes/localhost/time"), 200);
	expect(&f, "GET /nodes/n2/time", 500,
	       "{\"data\":null,\"message\":\"no such cluster node 'n2'\\n\"}");
}

static void test_wrong_parameters(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	expect(&f, "GET /cluster/resources?type=cow&foo=1", 400,
	       "{\"data\":null,\"errors\":{\"type\":\"value 'cow' does not have a value in the "
	       "enumeration 'vm, storage, node, sdn'\",\"foo\":\"property is not defined in schema "
	       "and the schema does not allow additional properties\"},"
	       "\"message\":\"Parameter verification failed.\\n\"}");
	assert_string_equal(fields_get(&f.last.head, "reason"), "Parameter verification failed.");
}

/* A helper that says "up" into a pipe and then never answers; the pipe's other end. */
static int hanging_helper(void)
{
	char pipe_path[128];
	snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", f.directory);
	autofree char *script =
		xasprintf("#!/bin/sh\nexec >'%s'\necho up\nexec sleep 60\n", pipe_path);
	fixture_script(&f, "lodge-task", script);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	int fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Waits for data (true) or the end of all writers (false). */
static bool pipe_speaks(int fd)
{
	char text[16];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 20000), 1);
	return read(fd, text, sizeof(text)) > 0;
}

/* The client's cancel ends the helper, nothing is answered and nothing is left over. */
static void test_cancel(void **state)
{
	(void)state;
	struct call call;
	uint64_t id = 0;
	unsigned before = f.replies;
	fixture_put(&f, "/storage.cfg", "dir: local\n\tpath /tmp\n\tcontent iso\n\tdisable 0\n");
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/storage/local/status"), 200);
	autofd int fd = hanging_helper();
	fixture_fill(&f, "GET /nodes/n1/storage/local/content", &call);
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, &id, NULL), 0);
	call_fini(&call);
	assert_int_equal(fixture_call(&f, "GET /version"), 200); /* the first one has arrived */
	assert_true(pipe_speaks(fd));
	conn_cancel(f.client, id);
	assert_int_equal(fixture_call(&f, "GET /version"), 200);
	assert_false(pipe_speaks(fd));
	assert_int_equal(f.replies, before + 3);
}

static void test_deadline(void **state)
{
	(void)state;
	struct call call;
	unsigned before = f.replies;
	fixture_login(&f, NULL);
	fixture_script(&f, "lodge-task", "#!/bin/sh\nexec sleep 60\n");
	fixture_fill(&f, "GET /nodes/n1/storage/local/content", &call);
	call.deadline_ms = 50;
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, NULL, NULL), 0);
	call_fini(&call);
	while (f.replies == before)
		fixture_turn(&f);
	assert_int_equal(f.last.status, 504);
}

static void test_description(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /lodge/api", "\"path\":\"/version\"", "\"method\":\"DELETE\"",
		   "\"path\":\"/nodes/{node}/lxc\"", "\"kind\":\"check\"");
	EXPECT_HAS(&f, "GET /", "{\"subdir\":\"cluster\"}", "{\"subdir\":\"version\"}");
	EXPECT_HAS(&f, "GET /cluster", "{\"name\":\"resources\"}", "{\"name\":\"status\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_routes), cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_rights),	       cmocka_unit_test(test_wrong_parameters),
		cmocka_unit_test(test_cancel),	       cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_description),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
