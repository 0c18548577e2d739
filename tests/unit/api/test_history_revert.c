/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bringing old versions of configurations back: what is written, what stays, who may, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/base/digest.h"
#include "events_test.h"

#define CONFIG "/nodes/n1/lxc/101.conf"
#define OLD                                                                                        \
	"#was\narch: amd64\ncores: 2\nhostname: a\nmemory: 64\nnameserver: 10.0.0.1\n"             \
	"rootfs: local:101/vm-101-disk-0.raw,size=8G\n"
#define NEW                                                                                        \
	"arch: amd64\nhostname: b\nmemory: 64\nrootfs: local:101/vm-101-disk-0.raw,size=8G\n"      \
	"searchdomain: x.org\n"

static struct fixture f;
static uint64_t version;

/* ann may all; bob has the guest, not the node; opt has the node and only the guest's options; sam has the
 * node, not the storages */
static const char user_cfg[] = "user:ann@pve:1:0::::\nuser:bob@pve:1:0::::\nuser:opt@pve:1:0::::\n"
			       "user:sam@pve:1:0::::\n"
			       "role:Opt:VM.Audit,VM.Config.Options\n"
			       "role:Sys:Sys.Modify\nrole:SysAudit:Sys.Modify,Datastore.Audit\n"
			       "acl:/:user:ann@pve:Administrator:1\n"
			       "acl:/vms/101:user:bob@pve:PVEVMAdmin:1\n"
			       "acl:/vms/101:user:opt@pve:Opt:1\nacl:/:user:opt@pve:Sys:0\n"
			       "acl:/:user:sam@pve:SysAudit:1\n";

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
	put(CONFIG, NEW);
	facts_kind_listed(f.core.facts, false); /* the guest is stopped */
	facts_kind_listed(f.core.facts, true);
	fixture_login(&f, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

static int revert(const char *path, uint64_t to, const char *more)
{
	autofree char *request = xasprintf("POST /cluster/history/revert?path=%s&version=%llu%s",
					   path, (unsigned long long)to, more);

	return fixture_call(&f, request);
}

static void expect_stored(const char *path, const char *text)
{
	struct store_value value;

	assert_true(store_get(f.core.store, path, &value));
	assert_string_equal(value.data, text);
}

static void expect_refused(int got, int status, const char *text)
{
	if (got != status || !strstr(buf_str(&f.last.body), text))
		fail_msg("got %d %s, expected %d %s", got, buf_str(&f.last.body), status, text);
}

static void test_guest(void **state)
{
	struct store_value value;

	(void)state;
	version = put(CONFIG, OLD);
	put(CONFIG, NEW);
	assert_int_equal(revert(CONFIG, version, ""), 200);
	assert_string_equal(buf_str(&f.last.body), "{\"data\":null}");
	assert_true(store_get(f.core.store, CONFIG, &value));
	assert_non_null(strstr(value.data, "#was\n"));
	assert_non_null(strstr(value.data, "hostname: a\n"));
	assert_non_null(strstr(value.data, "cores: 2\n"));
	assert_non_null(strstr(value.data, "nameserver: 10.0.0.1\n"));
	assert_null(strstr(value.data, "searchdomain"));
	EXPECT_HAS(&f, "GET /cluster/history?limit=1&path=" CONFIG, "\"change\":\"changed\"",
		   "\"user\":\"root@pam\"");
}

/* What a running guest can not take is kept for its next start, as with any change. */
static void test_running_guest(void **state)
{
	(void)state;
	version = put(CONFIG, OLD);
	put(CONFIG, NEW);
	facts_tell(&f, facts_take_guest, "vmid=101&kind=lxc&state=running&pid=7&start=1");
	assert_int_equal(revert(CONFIG, version, ""), 200);
	EXPECT_HAS(&f, "GET /nodes/n1/lxc/101/pending",
		   "{\"key\":\"searchdomain\",\"value\":\"x.org\",\"delete\":1}");
}

/* Back to what is there already: nothing is written. */
static void test_nothing_to_do(void **state)
{
	uint64_t before;

	(void)state;
	version = put(CONFIG, NEW);
	before = store_applied(f.core.store);
	assert_int_equal(revert(CONFIG, version, ""), 200);
	assert_int_equal(store_applied(f.core.store), before);
}

static void test_guest_refusals(void **state)
{
	static const struct {
		const char *old, *now, *text;
	} cases[] = {
		{"arch: amd64\nhostname: a\nmemory: 64\nrootfs: local:101/other.raw,size=8G\n", NEW,
		 "volumes are not brought back: 'rootfs'"},
		{NEW "unused0: local:101/vm-101-disk-1.raw\n", NEW, "'unused0'"},
		{NEW, NEW "unused0: local:101/vm-101-disk-1.raw\n", "'unused0'"},
		{NEW "no such key: 1\n", NEW, "version"},
		{NEW "future: 1\n", NEW, "unknown setting 'future'"},
		{"arch: amd64\nhostname: a\nmemory: 1\nrootfs: "
		 "local:101/vm-101-disk-0.raw,size=8G\n",
		 NEW, "memory"},
		{OLD, NEW "lock: backup\n", "is locked (backup)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status;

		version = put(CONFIG, cases[i].old);
		put(CONFIG, cases[i].now);
		status = revert(CONFIG, version, "");
		expect_refused(status, status == 400 ? 400 : 500, cases[i].text);
		expect_stored(CONFIG, cases[i].now);
	}
}

/* A lock of then is no lock of now. */
static void test_old_lock(void **state)
{
	(void)state;
	version = put(CONFIG, NEW "lock: backup\ncores: 3\n");
	put(CONFIG, NEW);
	assert_int_equal(revert(CONFIG, version, ""), 200);
	EXPECT_HAS(&f, "GET /nodes/n1/lxc/101/config", "\"cores\":3", "!lock");
}

static void test_files(void **state)
{
	static const char good[] = "dir: local\n\tpath /x\n\tcontent iso\n";
	uint64_t first, bad;

	(void)state;
	first = put("/storage.cfg", good);
	bad = put("/storage.cfg", "what is this\n");
	put("/storage.cfg", "dir: local\n\tpath /y\n\tcontent iso\n");
	assert_int_equal(revert("/storage.cfg", first, ""), 200);
	expect_stored("/storage.cfg", good);
	assert_int_not_equal(revert("/storage.cfg", bad, ""), 200);
	expect_stored("/storage.cfg", good);
	first = put("/user.cfg", user_cfg);
	bad = put("/user.cfg", "nonsense\n");
	assert_int_equal(revert("/user.cfg", first, ""), 200);
	expect_stored("/user.cfg", user_cfg);
	assert_int_not_equal(revert("/user.cfg", bad, ""), 200);
	expect_stored("/user.cfg", user_cfg);
}

static void test_digest(void **state)
{
	char digest[SHA1_HEX_SIZE], more[64];

	(void)state;
	version = put(CONFIG, OLD);
	put(CONFIG, NEW);
	expect_refused(revert(CONFIG, version, "&digest=0123456789012345678901234567890123456789"),
		       500, "detected modified configuration");
	expect_stored(CONFIG, NEW);
	digest_sha1_hex(NEW, strlen(NEW), digest);
	snprintf(more, sizeof(more), "&digest=%s", digest);
	assert_int_equal(revert(CONFIG, version, more), 200);
}

/* Somebody else's change arrives while the old value is read: it stays. */
static void test_changed_meanwhile(void **state)
{
	static const char theirs[] = "arch: amd64\nhostname: theirs\nmemory: 64\n";
	struct store_op op = {
		.kind = STORE_PUT, .path = CONFIG, .value = theirs, .size = strlen(theirs)};
	struct store_txn txn = {.who = "eve@pve", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;
	unsigned before = f.replies;
	struct call call;

	(void)state;
	version = put(CONFIG, OLD);
	put(CONFIG, NEW);
	autofree char *request =
		xasprintf("POST /cluster/history/revert?path=" CONFIG "&version=%llu",
			  (unsigned long long)version);
	fixture_fill(&f, request, &call);
	/* the call as if it had come in: the reading is on its way when this returns */
	api_call(&f.core, f.server, 4711, &call, true);
	call_fini(&call);
	f.is_stored = false;
	assert_int_equal(store_submit(f.core.store, &txn, fixture_on_put, &f, &err), 0);
	while (!f.is_stored)
		fixture_turn(&f);
	expect_stored(CONFIG, theirs);
	assert_int_equal(fixture_call(&f, "GET /version"), 200); /* after its answer, to nobody */
	expect_stored(CONFIG, theirs);
	assert_int_equal(f.replies, before + 1);
}

static void test_wrong_parameters(void **state)
{
	static const struct {
		const char *query;
		int status;
		const char *text;
	} cases[] = {
		{"version=1", 400, "\"path\":\"property is missing"},
		{"path=" CONFIG, 400, "\"version\":\"property is missing"},
		{"path=a&version=1", 400, "\"path\":"},
		{"path=" CONFIG "&version=0", 400, "\"version\":"},
		{"path=" CONFIG "&version=x", 400, "\"version\":"},
		{"path=" CONFIG "&version=1&digest=01234567890123456789012345678901234567890", 400,
		 "\"digest\":"},
		{"path=/priv/shadow.cfg&version=1", 400, "\"path\":"},
		{"path=/other&version=1", 400, "\"path\":"},
		{"path=" CONFIG "&version=999999", 500, "no value of version"},
		{"path=/nodes/n1/lxc/777.conf&version=1", 500, "does not exist"},
	};

	(void)state;
	put(CONFIG, NEW);
	put("/other", "x");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *request =
			xasprintf("POST /cluster/history/revert?%s", cases[i].query);

		expect_refused(fixture_call(&f, request), cases[i].status, cases[i].text);
		expect_stored(CONFIG, NEW);
	}
}

static void test_permissions(void **state)
{
	static const struct {
		const char *user, *path;
		int status;
	} cases[] = {
		{"bob@pve", CONFIG, 403},	  /* no Sys.Modify on / */
		{"opt@pve", CONFIG, 403},	  /* hostname is VM.Config.Network's */
		{"sam@pve", CONFIG, 403},	  /* not this guest */
		{"sam@pve", "/storage.cfg", 403}, /* no Datastore.Allocate */
		{"bob@pve", "/storage.cfg", 403}, {"ann@pve", "/user.cfg", 403},
		{"bob@pve", "/user.cfg", 403},	  {"", CONFIG, 401},
		{"ann@pve", CONFIG, 200},	  {"ann@pve", "/storage.cfg", 200},
	};
	uint64_t guest, storage, users;

	(void)state;
	guest = put(CONFIG, OLD);
	put(CONFIG, NEW);
	storage = put("/storage.cfg", "dir: local\n\tpath /x\n\tcontent iso\n");
	put("/storage.cfg", "dir: local\n\tpath /y\n\tcontent iso\n");
	users = put("/user.cfg", user_cfg);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *path = cases[i].path;
		int status;

		fixture_login(&f, cases[i].user);
		status = revert(path,
				str_eq(path, CONFIG)	    ? guest
				: str_eq(path, "/user.cfg") ? users
							    : storage,
				"");
		if (status != cases[i].status)
			fail_msg("%s, %s: %d %s", cases[i].user, path, status,
				 buf_str(&f.last.body));
		if (status != 200)
			expect_stored(CONFIG, NEW);
	}
	fixture_login(&f, NULL);
}

/* What only root sets, only root brings back. */
static void test_root_only_values(void **state)
{
	static const char *const keys[] = {"dev0: /dev/kvm\n", "features: keyctl=1\n",
					   "hookscript: local:snippets/a.sh\n"};

	(void)state;
	put("/storage.cfg", "dir: local\n\tpath /x\n\tcontent snippets\n");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		autofree char *old = xasprintf("%sunprivileged: 1\n%s", NEW, keys[i]);

		version = put(CONFIG, old);
		put(CONFIG, NEW "unprivileged: 1\n");
		fixture_login(&f, "ann@pve");
		expect_refused(revert(CONFIG, version, ""), 403, "only root@pam can set");
		expect_stored(CONFIG, NEW "unprivileged: 1\n");
		fixture_login(&f, NULL);
		assert_int_equal(revert(CONFIG, version, ""), 200);
	}
}

/* A bridge that it was on is another one now. */
static void test_old_bridge(void **state)
{
	(void)state;
	version = put(CONFIG, NEW "net0: name=eth0,bridge=vmbr1,hwaddr=BC:24:11:00:00:01\n");
	put(CONFIG, NEW);
	fixture_put(
		&f, "/user.cfg",
		"user:net@pve:1:0::::\nrole:Sys:Sys.Modify,Sys.Audit\nacl:/:user:net@pve:Sys:1\n"
		"acl:/vms:user:net@pve:PVEVMAdmin:1\n");
	fixture_login(&f, "net@pve");
	expect_refused(revert(CONFIG, version, ""), 403,
		       "Permission check failed (/sdn/zones/localnetwork/vmbr1, SDN.Use)");
	expect_stored(CONFIG, NEW);
	fixture_login(&f, NULL);
	assert_int_equal(revert(CONFIG, version, ""), 200);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guest),
		TEST(test_running_guest),
		TEST(test_nothing_to_do),
		TEST(test_guest_refusals),
		TEST(test_old_lock),
		TEST(test_files),
		TEST(test_digest),
		TEST(test_changed_meanwhile),
		TEST(test_wrong_parameters),
		TEST(test_permissions),
		TEST(test_root_only_values),
		TEST(test_old_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
