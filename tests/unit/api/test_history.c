/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of configurations over the API: what is listed, who sees it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

#define CONFIG "/nodes/n1/lxc/101.conf"

static struct fixture f;

/* bob has guest 101, sam the storages, ann may audit everything, eve nothing. */
static const char user_cfg[] = "user:bob@pve:1:0::::\nuser:eve@pve:1:0::::\n"
			       "user:sam@pve:1:0::::\nuser:ann@pve:1:0::::\n"
			       "acl:/vms/101:user:bob@pve:PVEVMAdmin:1\n"
			       "acl:/storage:user:sam@pve:PVEDatastoreAdmin:1\n"
			       "acl:/:user:ann@pve:PVEAuditor:1\n";

/* Versions: 1 user.cfg, 2 storage.cfg, 3 …, 101 had an owner before: 4, 5 gone, 6, 7. Opening the access
 * may write as well, so the test asks for the versions. */
static uint64_t first_101, second_101, third_101, shadow;

static uint64_t put(const char *path, const char *text)
{
	fixture_put(&f, path, text);
	return store_applied(f.core.store);
}

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_start(&f);
	put("/user.cfg", user_cfg);
	put("/storage.cfg", "dir: local\n\tpath /x\n\tcontent iso\n");
	first_101 = put(CONFIG, "hostname: former\nmemory: 16\n");
	put(CONFIG, NULL);
	second_101 = put(CONFIG, "hostname: a\nmemory: 16\n");
	third_101 = put(CONFIG, "hostname: b\nmemory: 16\n");
	put("/nodes/n1/lxc/102.conf", "hostname: c\nmemory: 16\n");
	put("/nodes/n1/lxc/103.conf", "hostname: d\nmemory: 16\n");
	put("/nodes/n1/lxc/103.conf", NULL);
	put("/datacenter.cfg", "keyboard: de\n");
	shadow = put("/priv/shadow.cfg", "bob@pve:secret\n");
	put("/binary", "\xff\xfe");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static const char *value_of(const char *path, uint64_t version)
{
	static char request[256];

	snprintf(request, sizeof(request), "GET /cluster/history/value?path=%s&version=%llu", path,
		 (unsigned long long)version);
	return request;
}

static void test_list(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster/history?path=" CONFIG, "\"change\":\"created\"",
		   "\"change\":\"deleted\"", "\"change\":\"changed\"", "\"user\":\"root@pam\"",
		   "\"size\":23,", "\"more\":0");
	EXPECT_HAS(&f, "GET /cluster/history?limit=1&path=" CONFIG, "\"change\":\"changed\"",
		   "!created", "\"more\":1");
	char request[128];
	snprintf(request, sizeof(request), "GET /cluster/history?path=" CONFIG "&before=%llu",
		 (unsigned long long)second_101);
	EXPECT_HAS(&f, request, "\"change\":\"deleted\",\"size\":0", "\"size\":28", "!\"changed\"");
	expect(&f, "GET /cluster/history?path=/none", 200, "{\"data\":[],\"more\":0}");
}

static void test_value(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, value_of(CONFIG, second_101), "hostname: a\\nmemory", "\"digest\":\"");
	EXPECT_HAS(&f, value_of(CONFIG, third_101), "hostname: b\\nmemory");
	EXPECT_HAS(&f, value_of(CONFIG, first_101), "hostname: former");
	assert_int_equal(fixture_call(&f, value_of(CONFIG, first_101 + 1)), 500);
	assert_non_null(strstr(buf_str(&f.last.body), "has no value of version"));
	assert_int_equal(fixture_call(&f, value_of("/binary", store_applied(f.core.store))), 500);
	assert_non_null(strstr(buf_str(&f.last.body), "not text"));
}

/* Nobody gets a secret, root included. */
static void test_private(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster/history?path=/priv/shadow.cfg", "\"user\":\"root@pam\"",
		   "\"time\":", "!\"size\"", "!\"previous\"", "!secret");
	assert_int_equal(fixture_call(&f, value_of("/priv/shadow.cfg", shadow)), 403);
	assert_null(strstr(buf_str(&f.last.body), "secret"));
}

static void test_permissions(void **state)
{
	static const struct {
		const char *user, *path;
		int status;
	} cases[] = {
		{"bob@pve", CONFIG, 200},
		{"bob@pve", "/nodes/n1/lxc/102.conf", 403},
		{"bob@pve", "/nodes/n1/lxc/103.conf", 403},  /* gone */
		{"bob@pve", "/nodes/n1/qemu/101.conf", 403}, /* never there */
		{"bob@pve", "/storage.cfg", 403},
		{"bob@pve", "/user.cfg", 403},
		{"bob@pve", "/datacenter.cfg", 403},
		{"bob@pve", "/priv/shadow.cfg", 403},
		{"sam@pve", "/storage.cfg", 200},
		{"sam@pve", "/user.cfg", 403},
		{"sam@pve", CONFIG, 403},
		{"ann@pve", CONFIG, 200},
		{"ann@pve", "/nodes/n1/lxc/103.conf", 200},
		{"ann@pve", "/storage.cfg", 200},
		{"ann@pve", "/user.cfg", 200},
		{"ann@pve", "/datacenter.cfg", 200},
		{"ann@pve", "/priv/shadow.cfg", 200},
		{"eve@pve", CONFIG, 403},
		{"eve@pve", "/none", 403},
		{"", CONFIG, 401},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char request[128];
		int status;

		fixture_login(&f, cases[i].user);
		snprintf(request, sizeof(request), "GET /cluster/history?path=%s", cases[i].path);
		status = fixture_call(&f, request);
		if (status != cases[i].status)
			fail_msg("%s of %s: %d", cases[i].user, cases[i].path, status);
		status = fixture_call(&f, value_of(cases[i].path, 1));
		if (cases[i].status != 200 && status != cases[i].status)
			fail_msg("value: %s of %s: %d", cases[i].user, cases[i].path, status);
	}
}

/* Who has the guest now does not see what its id was before. */
static void test_former_owner(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	EXPECT_HAS(&f, "GET /cluster/history?path=" CONFIG, "created", "changed", "!deleted");
	EXPECT_HAS(&f, value_of(CONFIG, second_101), "hostname: a");
	assert_int_equal(fixture_call(&f, value_of(CONFIG, first_101)), 500);
	assert_null(strstr(buf_str(&f.last.body), "former"));
	fixture_login(&f, "ann@pve");
	EXPECT_HAS(&f, value_of(CONFIG, first_101), "former");
}

static void test_wrong_parameters(void **state)
{
	static const struct {
		const char *request, *field;
	} cases[] = {
		{"GET /cluster/history", "\"path\":\"property is missing"},
		{"GET /cluster/history?path=", "\"path\":"},
		{"GET /cluster/history?path=a", "\"path\":"},
		{"GET /cluster/history?path=/a//b", "\"path\":"},
		{"GET /cluster/history?path=/../user.cfg", "\"path\":"},
		{"GET /cluster/history?path=/a/", "\"path\":"},
		{"GET /cluster/history?path=/a&limit=0", "\"limit\":"},
		{"GET /cluster/history?path=/a&limit=201", "\"limit\":"},
		{"GET /cluster/history?path=/a&limit=x", "\"limit\":"},
		{"GET /cluster/history?path=/a&before=0", "\"before\":"},
		{"GET /cluster/history?path=/a&before=-1", "\"before\":"},
		{"GET /cluster/history?path=/a&before=9007199254740993", "\"before\":"},
		{"GET /cluster/history?path=/a&other=1", "\"other\":"},
		{"GET /cluster/history/value?path=/a", "\"version\":\"property is missing"},
		{"GET /cluster/history/value?version=1", "\"path\":\"property is missing"},
		{"GET /cluster/history/value?path=/a&version=0", "\"version\":"},
		{"GET /cluster/history/value?path=/a&version=x", "\"version\":"},
		{"GET /cluster/history/value?path=b&version=1", "\"path\":"},
	};

	(void)state;
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = fixture_call(&f, cases[i].request);

		if (status != 400 || !strstr(buf_str(&f.last.body), cases[i].field))
			fail_msg("%s: %d %s", cases[i].request, status, buf_str(&f.last.body));
	}
}

/* Whoever goes away before the answer is forgotten. */
static void test_gone(void **state)
{
	struct call call;
	struct err err = ERR_INIT;
	uint64_t id;

	(void)state;
	fixture_login(&f, NULL);
	fixture_fill(&f, "GET /cluster/history?path=" CONFIG, &call);
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, &id, &err), 0);
	call_fini(&call);
	conn_cancel(f.client, id);
	EXPECT_HAS(&f, "GET /cluster/history?path=" CONFIG, "created");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),	     cmocka_unit_test(test_value),
		cmocka_unit_test(test_private),	     cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_former_owner), cmocka_unit_test(test_wrong_parameters),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
