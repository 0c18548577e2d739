/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event stream: what is told to whom, in the form of the lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "events_test.h"

#include "agent/api/resources.h"

static struct fixture f;

#define BOB	 "user:bob@pve:1:0::::\n"
#define EVE	 "user:eve@pve:1:0::::\n"
#define USERS	 BOB EVE "acl:/vms/101:user:bob@pve:PVEAuditor:1\n"
#define CT(name) "cores: 1\nhostname: " name "\nmemory: 512\nrootfs: local:x,size=8G\n"

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", USERS);
	fixture_put(&f, "/nodes/n1/lxc/101.conf", CT("web"));
	fixture_put(&f, "/nodes/n1/lxc/102.conf", CT("db"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static void open_as(struct reader *r, const char *user, const char *request)
{
	fixture_login(&f, user);
	reader_open(&f, r, request, NULL);
	reader_expect(&f, r, SYNC("new"));
}

static void guest_is(const char *state, unsigned vmid)
{
	autofree char *text = xasprintf("vmid=%u&state=%s&pid=%s", vmid, state,
					str_eq(state, "running") ? "4711" : "0");

	facts_tell(&f, facts_take_guest, text);
}

/* The same bytes as in the list. */
static void test_guest_is_the_lists_entry(void **state)
{
	struct reader r;

	(void)state;
	open_as(&r, NULL, "GET /cluster/events");
	fixture_put(&f, "/nodes/n1/lxc/101.conf", CT("mail") "lock: backup\n");
	READER_HAS(&f, &r, "guest", "\"id\":\"lxc/101\"", "\"name\":\"mail\"",
		   "\"lock\":\"backup\"");
	guest_is("running", 101);
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "GET /cluster/resources?type=vm"), 200);
	const char *list = buf_str(&f.last.body);
	const char *entry = strstr(list, "{\"id\":\"lxc/101\"");
	autofree char *expected =
		xasprintf("event: guest\ndata: %.*s", (int)(strchr(entry, '}') - entry + 1), entry);
	assert_non_null(strstr(expected, "\"status\":\"running\""));
	reader_expect(&f, &r, expected);
	reader_close(&r);
}

static void test_guest_gone_and_another_kind(void **state)
{
	struct reader r;

	(void)state;
	open_as(&r, NULL, "GET /cluster/events");
	fixture_put(&f, "/nodes/n1/lxc/101.conf", NULL);
	reader_expect(&f, &r, "event: guest-gone\ndata: {\"id\":\"lxc/101\"}");
	fixture_put(&f, "/nodes/n1/qemu/101.conf", "memory: 64\nname: vm\n");
	READER_HAS(&f, &r, "guest", "\"id\":\"qemu/101\"", "\"type\":\"qemu\"");
	fixture_put(&f, "/nodes/n1/qemu/101.conf", NULL);
	reader_expect(&f, &r, "event: guest-gone\ndata: {\"id\":\"qemu/101\"}");
	reader_close(&r);
}

static void test_monitor_comes_and_lists(void **state)
{
	struct reader r;

	(void)state;
	open_as(&r, NULL, "GET /cluster/events");
	facts_hello(f.core.facts);
	guest_is("running", 101);
	facts_kind_listed(f.core.facts, false); /* so 102, of which nothing was told, is stopped */
	facts_kind_listed(f.core.facts, true);
	READER_HAS(&f, &r, "guest", "\"id\":\"lxc/101\"", "\"status\":\"running\"");
	READER_HAS(&f, &r, "guest", "\"id\":\"lxc/102\"", "\"status\":\"stopped\"");
	facts_hello(f.core.facts);
	READER_HAS(&f, &r, "guest", "\"status\":\"unknown\"");
	READER_HAS(&f, &r, "guest", "\"status\":\"unknown\"");
	reader_close(&r);
}

static void test_node(void **state)
{
	struct reader root, bob;

	(void)state;
	open_as(&root, NULL, "GET /cluster/events?types=node");
	open_as(&bob, "bob@pve", "GET /cluster/events?types=node");
	facts_tell(&f, facts_take_node, "uptime=5&mem_total=1000&mem_used=10&cpus=4&cpu=0.5");
	READER_HAS(&f, &root, "node", "\"id\":\"node/n1\"", "\"maxcpu\":4", "\"mem\":10",
		   "\"cgroup-mode\":1");
	reader_expect(&f, &bob,
		      "event: node\ndata: {\"id\":\"node/n1\",\"type\":\"node\",\"node\":\"n1\","
		      "\"status\":\"online\",\"level\":\"\",\"cgroup-mode\":1}");
	/* how it is used is no change, that it grew is */
	facts_tell(&f, facts_take_node, "uptime=10&mem_total=1000&mem_used=20&cpus=4&cpu=0.1");
	facts_tell(&f, facts_take_node, "uptime=15&mem_total=2000&mem_used=30&cpus=4&cpu=0.1");
	READER_HAS(&f, &root, "node", "\"mem\":30", "\"uptime\":15");
	reader_close(&root);
	reader_close(&bob);
}

/* Guests without a limit show the node's processors. */
static void test_processors_of_the_node(void **state)
{
	struct reader r;

	(void)state;
	fixture_put(&f, "/nodes/n1/lxc/102.conf", "hostname: db\nmemory: 512\n");
	open_as(&r, NULL, "GET /cluster/events?types=guest");
	facts_tell(&f, facts_take_node, "uptime=5&mem_total=1000&cpus=4");
	READER_HAS(&f, &r, "guest", "\"id\":\"lxc/101\"", "\"maxcpu\":1");
	READER_HAS(&f, &r, "guest", "\"id\":\"lxc/102\"", "\"maxcpu\":4");
	reader_close(&r);
}

static void test_figures_only_when_asked(void **state)
{
	struct reader with, without;

	(void)state;
	guest_is("running", 101);
	facts_tell(&f, facts_take_node, "uptime=5&mem_total=1000&cpus=1");
	open_as(&with, NULL, "GET /cluster/events?figures=1");
	open_as(&without, NULL, "GET /cluster/events?figures=0");
	facts_tell(&f, facts_take_guest, "vmid=101&state=running&pid=4711&mem=555");
	facts_tell(&f, facts_take_node, "uptime=10&mem_total=1000&cpus=1");
	READER_HAS(&f, &with, "guest", "\"id\":\"lxc/101\"", "\"mem\":555");
	READER_HAS(&f, &with, "node", "\"uptime\":10");
	/* nothing new of the guest: only the node's */
	facts_tell(&f, facts_take_node, "uptime=15&mem_total=1000&cpus=1");
	READER_HAS(&f, &with, "node", "\"uptime\":15");
	guest_is("stopped", 101);
	READER_HAS(&f, &without, "guest", "\"status\":\"stopped\"");
	READER_HAS(&f, &with, "guest", "\"status\":\"stopped\"");
	reader_close(&with);
	reader_close(&without);
}

#define JOB_WAITS "#!/bin/sh\nread line <\"$LODGE_STATE_DIR/go\"\n"

static void start_job(const char *user, char upid[UPID_MAX])
{
	const struct job_spec spec = {
		.program = JOB_HOST, .command = "imgcopy", .id = "x", .user = user, .fd = -1};
	struct err err = ERR_INIT;

	if (jobs_start(f.core.jobs, &spec, upid, &err) < 0)
		fail_msg("%s", err.message);
}

static void test_tasks(void **state)
{
	struct reader root, bob, eve;
	char upid[UPID_MAX], path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/state/go", f.directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	fixture_script(&f, "lodge-task", JOB_WAITS);
	open_as(&root, NULL, "GET /cluster/events?types=task,config");
	open_as(&bob, "bob@pve", "GET /cluster/events?types=task,config");
	open_as(&eve, "eve@pve", "GET /cluster/events?types=task,config");
	start_job("bob@pve!ci", upid);
	READER_HAS(&f, &root, "task", upid, "\"type\":\"imgcopy\"", "!endtime", "!status");
	READER_HAS(&f, &bob, "task", upid, "\"user\":\"bob@pve!ci\"", "!endtime");
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	READER_HAS(&f, &root, "task", upid, "\"endtime\":", "\"status\":\"task died");
	READER_HAS(&f, &bob, "task", upid, "\"endtime\":");
	/* eve saw none of it: the next thing she hears is this */
	fixture_put(&f, "/user.cfg", USERS "acl:/access:user:eve@pve:PVEAuditor:1\n");
	reader_expect(&f, &eve, SYNC("rights"));
	fixture_put(&f, "/user.cfg", USERS "acl:/access:user:eve@pve:PVEAuditor:1\n");
	reader_expect(&f, &eve, SYNC("rights"));
	reader_close(&root);
	reader_close(&bob);
	reader_close(&eve);
}

static void test_config(void **state)
{
	struct reader root, bob;
	struct store_value value;

	(void)state;
	fixture_put(&f, "/storage.cfg", "dir: local\n\tpath /x\n\tcontent iso\n");
	fixture_put(&f, "/user.cfg", USERS "acl:/storage/local:user:bob@pve:PVEDatastoreUser:1\n");
	open_as(&root, NULL, "GET /cluster/events?types=config");
	open_as(&bob, "bob@pve", "GET /cluster/events?types=config");
	fixture_put(&f, "/priv/shadow.cfg", "bob@pve:secret\n");
	fixture_put(&f, "/other.cfg", "told to nobody");
	fixture_put(&f, "/storage.cfg", "dir: local\n\tpath /y\n\tcontent iso\n");
	assert_true(store_get(f.core.store, "/storage.cfg", &value));
	autofree char *expected =
		xasprintf("event: config\ndata: {\"path\":\"/storage.cfg\",\"version\":%llu}",
			  (unsigned long long)value.version);
	reader_expect(&f, &root, expected);
	reader_expect(&f, &bob, expected);
	fixture_put(&f, "/user.cfg", USERS);
	READER_HAS(&f, &root, "config", "\"path\":\"/user.cfg\"");
	reader_expect(&f, &bob, SYNC("rights"));
	fixture_put(&f, "/storage.cfg", NULL);
	reader_expect(&f, &root, "event: config\ndata: {\"path\":\"/storage.cfg\",\"version\":0}");
	reader_close(&root);
	reader_close(&bob);
}

static void test_each_sees_its_own(void **state)
{
	struct reader root, bob;

	(void)state;
	open_as(&root, NULL, "GET /cluster/events");
	open_as(&bob, "bob@pve", "GET /cluster/events");
	guest_is("running", 102);
	READER_HAS(&f, &root, "guest", "\"vmid\":102");
	fixture_put(&f, "/nodes/n1/lxc/102.conf", NULL);
	READER_HAS(&f, &root, "guest-gone", "lxc/102");
	guest_is("running", 101);
	READER_HAS(&f, &root, "guest", "\"vmid\":101");
	READER_HAS(&f, &bob, "guest", "\"vmid\":101");
	reader_close(&root);
	reader_close(&bob);
}

static void test_rights_change(void **state)
{
	struct reader root, bob;

	(void)state;
	open_as(&root, NULL, "GET /cluster/events");
	open_as(&bob, "bob@pve", "GET /cluster/events");
	fixture_put(&f, "/user.cfg", BOB "acl:/vms/102:user:bob@pve:PVEAuditor:1\n");
	reader_expect(&f, &bob, SYNC("rights"));
	guest_is("running", 101);
	guest_is("running", 102);
	READER_HAS(&f, &bob, "guest", "\"vmid\":102");
	/* for root nothing changed but the file */
	READER_HAS(&f, &root, "config", "/user.cfg");
	READER_HAS(&f, &root, "guest", "\"vmid\":101");
	READER_HAS(&f, &root, "guest", "\"vmid\":102");
	reader_close(&root);
	reader_close(&bob);
}

/* Whoever was away meanwhile learns of it, once. */
static void test_rights_change_while_away(void **state)
{
	struct reader bob;
	char id[64];

	(void)state;
	open_as(&bob, "bob@pve", "GET /cluster/events");
	guest_is("running", 101);
	READER_HAS(&f, &bob, "guest", "\"vmid\":101");
	strcpy(id, bob.last_id);
	reader_close(&bob);
	fixture_put(&f, "/user.cfg", BOB "acl:/vms/102:user:bob@pve:PVEAuditor:1\n");
	reader_open(&f, &bob, "GET /cluster/events", id);
	reader_expect(&f, &bob, SYNC("rights"));
	strcpy(id, bob.last_id);
	reader_close(&bob);
	reader_open(&f, &bob, "GET /cluster/events", id);
	guest_is("running", 102);
	READER_HAS(&f, &bob, "guest", "\"vmid\":102");
	reader_close(&bob);
}

static void test_types(void **state)
{
	static const char *const bad[] = {"gust", "guest,sync", ",", "guest;node;x"};
	struct reader r;

	(void)state;
	fixture_login(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		autofree char *request = xasprintf("GET /cluster/events?types=%s", bad[i]);

		assert_int_equal(reader_try(&f, &r, request, NULL), 400);
		assert_non_null(strstr(buf_str(&f.last.body), "\"errors\":{\"types\":"));
	}
	open_as(&r, NULL, "GET /cluster/events?types=config;task");
	fixture_put(&f, "/nodes/n1/lxc/101.conf", NULL);
	fixture_put(&f, "/user.cfg", USERS);
	READER_HAS(&f, &r, "config", "/user.cfg");
	reader_close(&r);
	open_as(&r, NULL, "GET /cluster/events?types=guest");
	fixture_put(&f, "/user.cfg", BOB);
	fixture_put(&f, "/nodes/n1/lxc/102.conf", NULL);
	READER_HAS(&f, &r, "guest-gone", "lxc/102");
	reader_close(&r);
}

static void test_carrier(void **state)
{
	(void)state;
	fixture_login(&f, NULL);
	EXPECT_HAS(&f, "GET /cluster", "{\"name\":\"events\"}");
	assert_int_equal(fixture_call(&f, "GET /cluster/events"), 400);
	assert_non_null(strstr(buf_str(&f.last.body), "lodge events"));
	fixture_login(&f, "");
	assert_int_equal(fixture_call(&f, "GET /cluster/events"), 401);
	/* over the gate a plain GET is all it takes */
	fixture_login(&f, "bob@pve");
	assert_int_equal(fixture_call(&f, "GET /cluster/events"), 200);
	assert_true(f.last.fd >= 0);
	assert_int_equal(events_reader_count(f.core.events), 1);
}

/* One encoding an event, however many listen. */
static void test_encoded_once(void **state)
{
	struct reader readers[10];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		open_as(&readers[i], i % 2 ? NULL : "bob@pve", "GET /cluster/events");
	uint64_t events = events_encoded(f.core.events), texts = api_resources_encoded();
	guest_is("running", 101);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		READER_HAS(&f, &readers[i], "guest", "\"vmid\":101");
	assert_int_equal(events_encoded(f.core.events), events + 1);
	assert_int_equal(api_resources_encoded(), texts + 1);
	/* the list takes the same text */
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "GET /cluster/resources?type=vm"), 200);
	texts = api_resources_encoded();
	guest_is("stopped", 101);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		READER_HAS(&f, &readers[i], "guest", "\"status\":\"stopped\"");
	assert_int_equal(fixture_call(&f, "GET /cluster/resources?type=vm"), 200);
	assert_int_equal(api_resources_encoded(), texts + 1);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		reader_close(&readers[i]);
	/* and nothing is encoded for nobody */
	while (events_reader_count(f.core.events) > 0)
		fixture_turn(&f);
	events = events_encoded(f.core.events);
	guest_is("running", 101);
	fixture_put(&f, "/nodes/n1/lxc/102.conf", CT("x"));
	assert_int_equal(events_encoded(f.core.events), events);
	assert_int_equal(api_resources_encoded(), texts + 1);
}

#define MANY 1000

/* A thousand guests are sampled: each is encoded once for ten readers. */
static void test_figures_of_many(void **state)
{
	struct reader readers[10];
	char text[128];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "/nodes/n1/lxc/%u.conf", 1000 + i);
		fixture_put(&f, text, CT("many"));
		guest_is("running", 1000 + i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		open_as(&readers[i], NULL, "GET /cluster/events?figures=1&types=guest");
	uint64_t texts = api_resources_encoded();
	usec_t start = clock_monotonic();
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "vmid=%u&state=running&pid=4711&mem=%u", 1000 + i, i);
		facts_tell(&f, facts_take_guest, text);
	}
	facts_tell(&f, facts_take_node, "uptime=5&mem_total=1000&cpus=0");
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "\"vmid\":%u,", 1000 + i);
		for (size_t k = 0; k < ARRAY_SIZE(readers); k++)
			READER_HAS(&f, &readers[k], "guest", text);
	}
	print_message("%d guests, 10 readers, one sample: %llu us\n", MANY,
		      (unsigned long long)(clock_monotonic() - start));
	assert_int_equal(api_resources_encoded(), texts + MANY);
	for (size_t k = 0; k < ARRAY_SIZE(readers); k++)
		reader_close(&readers[k]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guest_is_the_lists_entry),
		TEST(test_guest_gone_and_another_kind),
		TEST(test_monitor_comes_and_lists),
		TEST(test_node),
		TEST(test_processors_of_the_node),
		TEST(test_figures_only_when_asked),
		TEST(test_tasks),
		TEST(test_config),
		TEST(test_each_sees_its_own),
		TEST(test_rights_change),
		TEST(test_rights_change_while_away),
		TEST(test_types),
		TEST(test_carrier),
		TEST(test_encoded_once),
		TEST(test_figures_of_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
