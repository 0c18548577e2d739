/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container routes through the real dispatcher, store, access control and job start, in one
 * process: what clients send and the bytes that they get. The job program is a script that keeps
 * its arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/api/api.h"
#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/core/nextid.h"
#include "agent/core/storages.h"

#define NODE	 "n1"
#define GUEST	 "/nodes/n1/lxc/101"
#define TEMPLATE "ostemplate=local:vztmpl/debian.tar.zst"
#define WAIT	 (20 * USEC_PER_SEC)

static struct core core;
static struct conn *client, *server;
static char folder[] = "/tmp/lodge-test-XXXXXX";

/* -- a core without main ------------------------------------------------------------------------
 */

static int store_ready(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source, (void)fd, (void)events;
	store_dispatch(ctx);
	return 0;
}

static void stored(const struct store_result *result, void *ctx)
{
	assert_int_equal(result->outcome, STORE_DONE);
	*(bool *)ctx = true;
}

static void run_until(const bool *flag)
{
	usec_t end = clock_monotonic() + WAIT;

	while (!*flag) {
		assert_true(clock_monotonic() < end);
		assert_true(sd_event_run(core.event, USEC_PER_SEC) >= 0);
	}
}

static void store_op(enum store_op_kind kind, const char *path, const char *text)
{
	struct store_op op = {.kind = kind, .path = path, .value = text, .size = strlen(text)};
	struct store_txn txn = {.who = "test", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;
	bool done = false;

	if (store_submit(core.store, &txn, stored, &done, &err) < 0)
		fail_msg("%s: %s", path, err.message);
	run_until(&done);
}

static void put(const char *path, const char *text)
{
	store_op(STORE_PUT, path, text);
}

static void on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	(void)ctx;
	api_call(&core, conn, id, call, fields_get(&call->head, "ticket") == NULL);
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn, (void)ctx;
	fail_msg("connection closed: %s", err->message);
}

static const struct conn_ops ops = {.on_call = on_call, .on_closed = on_closed};

static void write_program(void)
{
	static const char script[] = "#!/bin/sh\nset -C\ncat > \"${0%/*}/args-$1\"\n";
	autofree char *path = path_join(folder, "lodge-task-ct");
	struct err err = ERR_INIT;

	assert_int_equal(file_write_atomic(path, script, strlen(script), 0755, &err), 0);
}

static int open_core(void **state)
{
	static const char storages[] = "dir: local\n\tpath /nowhere\n\tcontent rootdir,vztmpl\n\n"
				       "dir: isos\n\tpath /nowhere2\n\tcontent iso\n";
	static const char users[] = "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n";
	struct err err = ERR_INIT;
	sd_event_source *source;
	int ends[2];

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_STATE_DIR", folder, 1);
	setenv("LODGE_RUN_DIR", folder, 1);
	setenv("LODGE_LIBEXEC_DIR", folder, 1);
	write_program();
	assert_true(sd_event_new(&core.event) >= 0);
	str_copy(core.node, sizeof(core.node), NODE);
	struct store_options options = {.directory = folder, .node = NODE};

	if (store_open(&options, &core.store, &err) < 0 ||
	    access_new(core.store, &core.access, &err) < 0 ||
	    jobs_new(core.event, NODE, &core.jobs, &err) < 0)
		fail_msg("%s", err.message);
	sd_event_add_io(core.event, &source, store_fd(core.store), EPOLLIN, store_ready,
			core.store);
	core.facts = facts_new();
	core.helpers = helpers_new(core.event);
	core.guests = guests_new(&core);
	core.storages = storages_new(&core);
	core.nextid = nextid_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(conn_new(core.event, ends[0], &ops, NULL, &server, &err), 0);
	assert_int_equal(conn_new(core.event, ends[1], &ops, NULL, &client, &err), 0);
	put("/storage.cfg", storages);
	put("/user.cfg", users);
	facts_hello(core.facts);
	facts_listed(core.facts);
	return 0;
}

static int close_core(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	api_fini(&core);
	conn_close(client);
	conn_close(server);
	storages_free(core.storages);
	guests_free(core.guests);
	nextid_free(core.nextid);
	helpers_free(core.helpers);
	facts_free(core.facts);
	jobs_free(core.jobs);
	access_free(core.access);
	store_close(core.store);
	sd_event_unref(core.event);
	return dir_remove_tree(folder, &err);
}

/* -- asking -------------------------------------------------------------------------------------
 */

struct answer {
	bool done;
	unsigned status;
	struct buf body;
};

static void on_reply(struct reply *reply, void *ctx)
{
	struct answer *answer = ctx;

	answer->status = reply->status;
	answer->body = reply->body;
	reply->body = BUF_INIT;
	answer->done = true;
}

static void add_params(struct call *call, const char *text)
{
	autostrv char **pairs = str_split(text ? text : "", "|");

	for (size_t i = 0; pairs[i]; i++) {
		char *equals = strchr(pairs[i], '=');

		*equals = '\0';
		fields_add(&call->params, pairs[i], equals + 1);
	}
}

/* As root, or with the ticket of user. Returns the body. */
static struct buf ask_as(const char *user, const char *verb, const char *path, const char *params,
			 unsigned *ret_status)
{
	struct call call = CALL_INIT;
	struct answer answer = {0};
	struct err err = ERR_INIT;
	char ticket[TICKET_MAX], csrf[TICKET_MAX];

	call.op = CALL_API;
	fields_add(&call.head, "verb", verb);
	fields_add(&call.head, "path", path);
	add_params(&call, params);
	if (user) {
		assert_int_equal(access_ticket_make(core.access, user, clock_wall() / USEC_PER_SEC,
						    ticket, csrf, &err),
				 0);
		fields_add(&call.head, "ticket", ticket);
		fields_add(&call.head, "csrf", csrf);
	}
	assert_int_equal(conn_call(client, &call, on_reply, &answer, NULL, &err), 0);
	call_fini(&call);
	run_until(&answer.done);
	*ret_status = answer.status;
	return answer.body;
}

static void expect_as(const char *user, const char *verb, const char *path, const char *params,
		      unsigned status, const char *body)
{
	unsigned got;
	autobuf answer = ask_as(user, verb, path, params, &got);

	if (got != status || !str_eq(buf_str(&answer), body))
		fail_msg("%s %s %s: got %u\n%s\nexpected %u\n%s", verb, path, params ? params : "",
			 got, buf_str(&answer), status, body);
}

static void expect(const char *verb, const char *path, const char *params, unsigned status,
		   const char *body)
{
	expect_as(NULL, verb, path, params, status, body);
}

static void expect_failure(const char *verb, const char *path, const char *params,
			   const char *message)
{
	autofree char *body = xasprintf("{\"data\":null,\"message\":\"%s\\n\"}", message);

	expect(verb, path, params, 500, body);
}

static void expect_wrong(const char *verb, const char *path, const char *params, const char *field,
			 const char *text)
{
	autofree char *body = xasprintf("{\"data\":null,\"errors\":{\"%s\":\"%s\"},"
					"\"message\":\"Parameter verification failed.\\n\"}",
					field, text);

	expect(verb, path, params, 400, body);
}

/* answer: {"data":"UPID…"} */
static void wait_for_job(const char *answer)
{
	autofree char *upid = xstrndup(answer + strlen("{\"data\":\""),
				       strlen(answer) - strlen("{\"data\":\"\"}"));

	while (jobs_find(core.jobs, upid)->state == TASK_RUNNING)
		assert_true(sd_event_run(core.event, WAIT) > 0);
}

/* The request must be answered by a UPID of this type; waits for the job's end and reads the
 * arguments that it got. */
static void expect_job(const char *verb, const char *path, const char *params, const char *type,
		       struct fields *ret_args)
{
	unsigned status;
	autobuf answer = ask_as(NULL, verb, path, params, &status), raw = BUF_INIT;
	autofree char *args = path_join(folder, "args-%s", type);
	autofree char *middle = xasprintf(":%s:101:root@pam:\"}", type);
	struct err err = ERR_INIT;

	if (status != 200 || !str_starts(buf_str(&answer), "{\"data\":\"UPID:n1:") ||
	    !str_ends(buf_str(&answer), middle))
		fail_msg("%s %s: %u %s", verb, path, status, buf_str(&answer));
	wait_for_job(buf_str(&answer));
	assert_int_equal(file_read(args, 1 << 20, &raw, &err), 0);
	struct cursor c = cursor_on(raw.data, raw.size);

	assert_int_equal(fields_decode(&c, ret_args, &err), 0);
}

static void expect_stored(const char *text)
{
	struct store_value value;

	if (!text) {
		assert_false(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
		return;
	}
	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	assert_string_equal(value.data, text);
}

/* -- tests --------------------------------------------------------------------------------------
 */

#define STOPPED_CONFIG                                                                             \
	"arch: amd64\nhostname: web\nmemory: 512\nnet0: name=eth0,bridge=vmbr0,"                   \
	"hwaddr=BC:24:11:00:00:01\nrootfs: local:101/vm-101-disk-0.raw,size=8G\nswap: 512\n"       \
	"unprivileged: 1\n"

static void take_fact(const char *state, const char *pid)
{
	autofields f = FIELDS_INIT;
	struct err err = ERR_INIT;

	fields_add(&f, "vmid", "101");
	fields_add(&f, "state", state);
	fields_add(&f, "pid", pid);
	if (facts_take_guest(core.facts, &f, &err) < 0)
		fail_msg("%s", err.message);
}

static int fresh_guest(void **state)
{
	(void)state;
	put("/nodes/n1/lxc/101.conf", STOPPED_CONFIG);
	take_fact("stopped", NULL);
	return 0;
}

static int no_guest(void **state)
{
	(void)state;
	store_op(STORE_DELETE, "/nodes/n1/lxc/101.conf", "");
	return 0;
}

static void creates(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	expect_job("POST", "/nodes/n1/lxc",
		   TEMPLATE "|vmid=101|hostname=web|arch=amd64|password=secret1|start=1|memory=256"
			    "|ssh-public-keys=ssh-ed25519 AAAA me|rootfs=local:0.5",
		   "vzcreate", &args);
	expect_stored("hostname: web\narch: amd64\nmemory: 256\nunprivileged: 1\nswap: 512\n"
		      "lock: create\n");
	assert_string_equal(fields_get(&args, "ostemplate"), "local:vztmpl/debian.tar.zst");
	assert_string_equal(fields_get(&args, "password"), "secret1");
	assert_string_equal(fields_get(&args, "ssh-public-keys"), "ssh-ed25519 AAAA me");
	assert_string_equal(fields_get(&args, "rootfs"), "local:0.5");
	assert_string_equal(fields_get(&args, "start"), "1");
	assert_string_equal(fields_get(&args, "guest"), "101");

	expect_failure("POST", "/nodes/n1/lxc", TEMPLATE "|vmid=101",
		       "unable to create CT 101 - CT 101 already exists on node 'n1'");
	expect_failure("POST", GUEST "/status/start", NULL, "CT is locked (create)");
	expect_failure("PUT", GUEST "/config", "memory=512", "CT is locked (create)");
	expect_failure("DELETE", GUEST, NULL, "CT is locked (create)");
	expect("PUT", GUEST "/config", "delete=lock", 200, "{\"data\":null}");
}

struct refusal {
	const char *params, *field, *text; /* field NULL: 500 */
};

static const struct refusal create_refusals[] = {
	{"vmid=101", "ostemplate", "property is missing and it is not optional"},
	{TEMPLATE "|vmid=99", "vmid", "value must have a minimum value of 100"},
	{TEMPLATE "|vmid=101|features=nesting=1", "features",
	 "property is not defined in schema and the schema does not allow additional properties"},
	{"ostemplate=local:iso/x.iso|vmid=101", "ostemplate",
	 "'local:iso/x.iso' is not a container template"},
	{TEMPLATE "|vmid=101|password=1234", "password",
	 "value must be at least 5 characters long"},
	{TEMPLATE "|vmid=101|ssh-public-keys=hello", "ssh-public-keys",
	 "line 1 is not a public key"},
	{TEMPLATE "|vmid=101|rootfs=local:101/vm-101-disk-0.raw", "rootfs",
	 "only a new volume, STORAGE:SIZE_IN_GiB, is supported"},
	{TEMPLATE "|vmid=101|lock=backup", "lock", "a new container cannot be locked"},
	{TEMPLATE "|vmid=101|net0=name=eth0,ip=dhcp", "net0",
	 "bridge: property is missing and it is not optional"},
	{TEMPLATE "|vmid=101|rootfs=none:8", NULL, "storage 'none' does not exist"},
	{TEMPLATE "|vmid=101|storage=isos", NULL,
	 "storage 'isos' does not support content type 'rootdir'"},
	{"ostemplate=isos:vztmpl/debian.tar.zst|vmid=101", NULL,
	 "storage 'isos' does not support content type 'vztmpl'"},
};

static void refuses_bad_creations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(create_refusals); i++) {
		const struct refusal *c = &create_refusals[i];

		if (c->field)
			expect_wrong("POST", "/nodes/n1/lxc", c->params, c->field, c->text);
		else
			expect_failure("POST", "/nodes/n1/lxc", c->params, c->text);
	}
	expect_stored(NULL);
}

static void shows_and_changes_the_configuration(void **state)
{
	(void)state;
	struct store_value value;
	char digest[SHA1_HEX_SIZE];

	expect("PUT", GUEST "/config", "memory=1024|delete=net0|tags=a", 200, "{\"data\":null}");
	expect_stored("arch: amd64\nhostname: web\nmemory: 1024\n"
		      "rootfs: local:101/vm-101-disk-0.raw,size=8G\nswap: 512\nunprivileged: 1\n"
		      "tags: a\n");
	expect_failure("PUT", GUEST "/config",
		       "memory=16|digest=0000000000000000000000000000000000000000",
		       "detected modified configuration - file changed by other user? Try again.");
	expect_wrong("PUT", GUEST "/config", "memory=15", "memory",
		     "value must have a minimum value of 16");
	expect_wrong("PUT", GUEST "/config", "hostname=a\nlock: x", "hostname",
		     "invalid format - value 'a lock: x' does not look like a valid dns-name");
	expect_failure("PUT", GUEST "/config", "rootfs=local:16",
		       "rootfs: the volume and its size cannot be changed here");
	expect_failure("GET", GUEST "/config", "snapshot=old", "snapshot 'old' does not exist");
	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	digest_sha1_hex(value.data, value.size, digest);
	autofree char *shown =
		xasprintf("{\"data\":{\"arch\":\"amd64\",\"hostname\":\"web\",\"memory\":1024,"
			  "\"rootfs\":\"local:101/vm-101-disk-0.raw,size=8G\",\"swap\":512,"
			  "\"unprivileged\":1,\"tags\":\"a\",\"digest\":\"%s\"}}",
			  digest);
	autofree char *right_digest = xasprintf("delete=tags|digest=%s", digest);

	expect("GET", GUEST "/config", NULL, 200, shown);
	expect("PUT", GUEST "/config", right_digest, 200, "{\"data\":null}");
}

static void keeps_changes_of_a_running_guest(void **state)
{
	(void)state;
	take_fact("running", "1");
	expect("PUT", GUEST "/config", "memory=1024|onboot=1", 200, "{\"data\":null}");
	expect_stored(STOPPED_CONFIG "onboot: 1\n\n[PENDING]\nmemory: 1024\n");
	expect("PUT", GUEST "/config", "revert=memory", 200, "{\"data\":null}");
	expect_stored(STOPPED_CONFIG "onboot: 1\n");
}

/* Each right in turn is the first that is missing. */
static void creation_needs_every_right(void **state)
{
	(void)state;
	static const struct {
		const char *vm, *storage;   /* what joe has on /vms/101 and on /storage */
		const char *path, *missing; /* NULL: all is there */
	} cases[] = {
		{"VM.Audit", "Datastore.Audit", "/vms/101", "VM.Allocate"},
		{"VM.Allocate", "Datastore.Audit", "/vms/101", "VM.Config.Memory"},
		{"VM.Allocate,VM.Config.Memory", "Datastore.Audit", "/storage/local",
		 "Datastore.AllocateSpace"},
		{"VM.Allocate,VM.Config.Memory", "Datastore.AllocateSpace", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *users = xasprintf("user:joe@pve:1:0::::\nrole:A:%s\nrole:B:%s\n"
						 "acl:/vms/101:user:joe@pve:A:1\n"
						 "acl:/storage:user:joe@pve:B:1\n",
						 cases[i].vm, cases[i].storage);
		autofree char *refusal = xasprintf("{\"data\":null,\"message\":\"Permission check "
						   "failed (%s, %s)\\n\"}",
						   cases[i].path, cases[i].missing);
		unsigned status;

		put("/user.cfg", users);
		if (cases[i].missing) {
			expect_as("joe@pve", "POST", "/nodes/n1/lxc",
				  TEMPLATE "|vmid=101|memory=64", 403, refusal);
			continue;
		}
		autobuf body = ask_as("joe@pve", "POST", "/nodes/n1/lxc",
				      TEMPLATE "|vmid=101|memory=64", &status);

		assert_int_equal(status, 200);
	}
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

/* Until the monitor has reported, a guest may be running. */
static void keeps_changes_of_an_unknown_guest(void **state)
{
	(void)state;
	take_fact("unknown", NULL);
	expect("PUT", GUEST "/config", "memory=1024", 200, "{\"data\":null}");
	expect_stored(STOPPED_CONFIG "\n[PENDING]\nmemory: 1024\n");
}

static void checks_the_right_of_each_key(void **state)
{
	(void)state;
	static const struct {
		const char *params, *missing; /* NULL: allowed */
	} cases[] = {
		{"tags=a", NULL},
		{"delete=tags", NULL},
		{"memory=1024", "VM.Config.Memory"},
		{"tags=a|cores=1", "VM.Config.CPU"},
		{"delete=net0", "VM.Config.Network"},
		{"revert=rootfs", "VM.Config.Disk"},
	};

	put("/user.cfg", "user:joe@pve:1:0::::\nrole:Tagger:VM.Config.Options\n"
			 "acl:/vms/101:user:joe@pve:Tagger:1\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *refusal = xasprintf("{\"data\":null,\"message\":\"Permission check "
						   "failed (/vms/101, %s)\\n\"}",
						   cases[i].missing ? cases[i].missing : "");

		expect_as("joe@pve", "PUT", GUEST "/config", cases[i].params,
			  cases[i].missing ? 403 : 200,
			  cases[i].missing ? refusal : "{\"data\":null}");
	}
	expect_as("joe@pve", "PUT", GUEST "/config", "delete=lock", 403,
		  "{\"data\":null,\"message\":\"only root can set 'lock'\\n\"}");
	expect_stored(STOPPED_CONFIG);
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

static void writes_nothing_when_nothing_changes(void **state)
{
	(void)state;
	struct store_value value;

	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	uint64_t version = value.version;

	expect("PUT", GUEST "/config", "memory=512|delete=tags", 200, "{\"data\":null}");
	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	assert_int_equal(value.version, version);
	expect("PUT", GUEST "/config", NULL, 400,
	       "{\"data\":null,\"message\":\"no options specified\\n\"}");
}

static void shows_an_unreadable_guest(void **state)
{
	(void)state;
	unsigned status;

	put("/nodes/n1/lxc/101.conf", "this is no configuration\n");
	expect_failure("GET", GUEST "/config", NULL, "configuration of CT 101 cannot be read");
	expect_failure("POST", GUEST "/status/start", NULL,
		       "configuration of CT 101 cannot be read");
	autobuf list = ask_as(NULL, "GET", "/nodes/n1/lxc", NULL, &status);

	assert_int_equal(status, 200);
	assert_non_null(strstr(buf_str(&list), "\"name\":\"CT101\""));
}

static void checks_rights(void **state)
{
	(void)state;
	expect_as("joe@pve", "PUT", GUEST "/config", "memory=1024", 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/101, "
		  "VM.Config.CPU|VM.Config.Disk|VM.Config.Memory|VM.Config.Network|"
		  "VM.Config.Options)\\n\"}");
	expect_as("joe@pve", "DELETE", GUEST, NULL, 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/101, "
		  "VM.Allocate)\\n\"}");
	expect_as("joe@pve", "POST", "/nodes/n1/lxc", TEMPLATE "|vmid=102", 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/102, "
		  "VM.Allocate)\\n\"}");
	expect_as("joe@pve", "POST", GUEST "/status/start", "skiplock=1", 400,
		  "{\"data\":null,\"errors\":{\"skiplock\":\"Only root may use this option.\"},"
		  "\"message\":\"Parameter verification failed.\\n\"}");
}

static void starts_and_stops(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	expect_failure("POST", GUEST "/status/stop", NULL, "CT 101 not running");
	expect_failure("POST", GUEST "/status/shutdown", NULL, "CT 101 not running");
	expect_failure("POST", "/nodes/n1/lxc/102/status/start", NULL,
		       "Configuration file 'nodes/n1/lxc/102.conf' does not exist");
	expect_job("POST", GUEST "/status/start", NULL, "vzstart", &args);
	take_fact("running", "1");
	expect_failure("POST", GUEST "/status/start", NULL, "CT 101 already running");
	expect_failure("DELETE", GUEST, NULL, "unable to destroy CT 101 - container is running");
	fields_fini(&args);
	expect_job("POST", GUEST "/status/shutdown", "forceStop=1", "vzshutdown", &args);
	assert_string_equal(fields_get(&args, "timeout"), "60");
	assert_string_equal(fields_get(&args, "forceStop"), "1");
	fields_fini(&args);
	expect_job("POST", GUEST "/status/reboot", "timeout=5", "vzreboot", &args);
	assert_string_equal(fields_get(&args, "timeout"), "5");
	fields_fini(&args);
	expect_job("POST", GUEST "/status/stop", NULL, "vzstop", &args);
	fields_fini(&args);
	expect_job("DELETE", GUEST, "force=1|purge=1", "vzdestroy", &args);
	assert_string_equal(fields_get(&args, "force"), "1");
	assert_string_equal(fields_get(&args, "purge"), "1");
	assert_null(fields_get(&args, "destroy-unreferenced-disks"));
}

static void lists_what_one_may_see(void **state)
{
	(void)state;
	static const char entry[] =
		"{\"vmid\":101,\"type\":\"lxc\",\"status\":\"stopped\",\"name\":\"web\","
		"\"template\":0,\"cpus\":0,\"maxmem\":536870912,\"maxswap\":536870912,"
		"\"maxdisk\":8589934592,\"cpu\":0,\"mem\":0,\"swap\":0,\"disk\":0,\"diskread\":0,"
		"\"diskwrite\":0,\"netin\":0,\"netout\":0,\"uptime\":0}";
	autofree char *both = xasprintf("{\"data\":[%s]}", entry);
	autofree char *current =
		xasprintf("{\"data\":%.*s,\"ha\":{\"managed\":0}}}", (int)strlen(entry) - 1, entry);

	expect("GET", "/nodes/n1/lxc", NULL, 200, both);
	expect_as("joe@pve", "GET", "/nodes/n1/lxc", NULL, 200, both);
	expect("GET", GUEST "/status/current", NULL, 200, current);
	expect("GET", GUEST "/interfaces", NULL, 200, "{\"data\":null}");
	put("/user.cfg", "user:joe@pve:1:0::::\n");
	expect_as("joe@pve", "GET", "/nodes/n1/lxc", NULL, 200, "{\"data\":[]}");
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(creates, no_guest),
		cmocka_unit_test(refuses_bad_creations),
		cmocka_unit_test_teardown(creation_needs_every_right, no_guest),
		cmocka_unit_test_setup_teardown(shows_and_changes_the_configuration, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(keeps_changes_of_a_running_guest, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(keeps_changes_of_an_unknown_guest, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(writes_nothing_when_nothing_changes, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(shows_an_unreadable_guest, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(checks_rights, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(checks_the_right_of_each_key, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(starts_and_stops, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(lists_what_one_may_see, fresh_guest, no_guest),
	};

	return cmocka_run_group_tests(tests, open_core, close_core);
}
