/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Version, nodes, cluster and resources as clients read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

static struct fixture f;

static const char user_cfg[] = "user:bob@pve:1:0::::\n"
			       "acl:/vms/101:user:bob@pve:PVEAuditor:1\n";

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", user_cfg);
	fixture_put(&f, "/storage.cfg",
		    "dir: local\n\tpath /var/lib/x\n\tcontent iso,vztmpl,rootdir\n");
	fixture_put(&f, "/nodes/n1/lxc/101.conf",
		    "cores: 2\nhostname: web\nmemory: 512\n"
		    "rootfs: local:101/vm-101-disk-0.raw,size=8G\ntags: a;b\n");
	fixture_put(&f, "/nodes/n1/lxc/102.conf",
		    "cores: 1\nhostname: db\nlock: create\nmemory: 1024\n"
		    "rootfs: local:102/vm-102-disk-0.raw,size=1G\ntemplate: 1\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void take(int (*taker)(struct facts *facts, const struct fields *f, struct err *err),
		 const char *text)
{
	autofields facts = FIELDS_INIT;
	struct err err = ERR_INIT;
	autostrv char **pairs = str_split(text, "&");
	for (size_t i = 0; pairs[i]; i++) {
		char *value = strchr(pairs[i], '=');
		*value = '\0';
		fields_add(&facts, pairs[i], value + 1);
	}
	if (taker(f.core.facts, &facts, &err) < 0)
		fail_msg("%s", err.message);
}

static void test_version(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	static const char version[] = "{\"data\":{\"version\":\"9.1.1\",\"release\":\"9.1\","
				      "\"repoid\":\"6c6f646765\",\"lodge\":\"" LODGE_VERSION "\"}}";
	expect(&f, "GET /version", 200, version);
	expect(&f, "GET /nodes/n1/version", 200, version);
}

static void test_nextid(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	expect(&f, "GET /cluster/nextid?vmid=101", 400,
	       "{\"data\":null,\"errors\":{\"vmid\":\"VM 101 already exists\"},"
	       "\"message\":\"Parameter verification failed.\\n\"}");
	expect(&f, "GET /cluster/nextid?vmid=218", 200, "{\"data\":\"218\"}");
	expect(&f, "GET /cluster/nextid", 200, "{\"data\":\"100\"}");
	expect(&f, "GET /cluster/nextid", 200, "{\"data\":\"103\"}");
	assert_int_equal(fixture_call(&f, "GET /cluster/nextid?vmid=99"), 400);
}

static void test_cluster_status(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster/status",
		   "{\"data\":[{\"type\":\"node\",\"id\":\"node/n1\",\"name\":\"n1\",\"nodeid\":0,"
		   "\"level\":\"\",\"local\":1,\"online\":1,\"ip\":\"");
}

#define GUEST_102                                                                                  \
	"{\"id\":\"lxc/102\",\"type\":\"lxc\",\"node\":\"n1\",\"vmid\":102,\"name\":\"db\","       \
	"\"template\":1,\"lock\":\"create\",\"status\":\"stopped\",\"uptime\":0,\"cpu\":0,"        \
	"\"maxcpu\":1,\"mem\":0,\"maxmem\":1073741824,\"disk\":0,\"maxdisk\":1073741824,"          \
	"\"netin\":0,\"netout\":0,\"diskread\":0,\"diskwrite\":0}"

static void test_guests(void **state)
{
	(void)state;
	facts_hello(f.core.facts);
	take(facts_take_guest, "vmid=101&state=running&pid=4711&uptime=60&cpu=0.25&mem=1000&disk=5&"
			       "maxdisk=4096&netin=1&netout=2&diskread=3&diskwrite=4");
	facts_kind_listed(f.core.facts, false);
	facts_kind_listed(f.core.facts, true);
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", GUEST_102,
		   "{\"id\":\"lxc/"
		   "101\",\"type\":\"lxc\",\"node\":\"n1\",\"vmid\":101,\"name\":\"web\","
		   "\"template\":0,\"tags\":\"a;b\",\"status\":\"running\",\"uptime\":60,"
		   "\"cpu\":0.25,\"maxcpu\":2,\"mem\":1000,\"maxmem\":536870912,\"disk\":5,"
		   "\"maxdisk\":4096,\"netin\":1,\"netout\":2,\"diskread\":3,\"diskwrite\":4}",
		   "!\"content\"", "!\"type\":\"node\"");
}

/* The cached texts follow every kind of change. */
static void test_guests_follow(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "\"name\":\"db\"");
	fixture_put(&f, "/nodes/n1/lxc/102.conf",
		    "cores: 1\nhostname: other\nmemory: 1024\n"
		    "rootfs: local:102/vm-102-disk-0.raw,size=1G\n");
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "\"name\":\"other\"", "!\"name\":\"db\"",
		   "!\"lock\"");
	take(facts_take_guest, "vmid=101&state=running&pid=4711&mem=2000");
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "\"mem\":2000", "!\"mem\":1000");
	take(facts_take_guest, "vmid=101&state=stopped");
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "!\"running\"", "!\"reason\"");
	take(facts_take_guest, "vmid=101&state=stopped&reason=oom");
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm",
		   "\"status\":\"stopped\",\"reason\":\"oom\"");
	take(facts_take_guest, "vmid=101&state=running&pid=4712");
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "!\"reason\"");
	fixture_put(&f, "/nodes/n1/lxc/103.conf", "hostname: third\nmemory: 16\n");
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "\"vmid\":103");
	fixture_put(&f, "/nodes/n1/lxc/103.conf", NULL);
	EXPECT_HAS(&f, "GET /cluster/resources?type=vm", "!\"vmid\":103", "\"vmid\":102");
}

static void test_visibility(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	EXPECT_HAS(&f, "GET /cluster/resources", "\"vmid\":101", "!\"vmid\":102", "!\"storage/n1",
		   "\"id\":\"node/n1\"", "!\"maxcpu\":3");
	fixture_put(&f, "/user.cfg",
		    "user:bob@pve:1:0::::\n"
		    "acl:/vms/102:user:bob@pve:PVEAuditor:1\n"
		    "acl:/storage/local:user:bob@pve:PVEAuditor:1\n");
	EXPECT_HAS(&f, "GET /cluster/resources", "!\"vmid\":101", "\"vmid\":102",
		   "\"id\":\"storage/n1/local\"");
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster/resources", "\"vmid\":101", "\"vmid\":102",
		   "\"id\":\"storage/n1/local\",\"type\":\"storage\",\"storage\":\"local\","
		   "\"node\":\"n1\",\"plugintype\":\"dir\",\"content\":\"iso,vztmpl,rootdir\","
		   "\"shared\":0,\"status\":\"");
	expect(&f, "GET /cluster/resources?type=sdn", 200, "{\"data\":[]}");
}

static void test_nodes(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /nodes", "\"node\":\"n1\"", "\"status\":\"online\"", "\"level\":\"\"",
		   "\"id\":\"node/n1\"", "\"type\":\"node\"", "\"ssl_fingerprint\":\"");
	EXPECT_HAS(&f, "GET /nodes/n1", "{\"name\":\"lxc\"}", "{\"name\":\"storage\"}");
	EXPECT_HAS(&f, "GET /nodes/n1/subscription", "\"status\":\"notfound\"");
	EXPECT_HAS(&f, "GET /nodes/n1/dns", "\"search\":\"");
	EXPECT_HAS(&f, "GET /nodes/n1/time", "\"localtime\":", "\"timezone\":\"");
	assert_int_equal(fixture_call(&f, "GET /nodes/n1/status"), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),	       cmocka_unit_test(test_nextid),
		cmocka_unit_test(test_cluster_status), cmocka_unit_test(test_guests),
		cmocka_unit_test(test_guests_follow),  cmocka_unit_test(test_visibility),
		cmocka_unit_test(test_nodes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
