/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Consoles and programs in containers end with the right to them, and with nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/auth/token.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs_internal.h"
#include "api_test.h"

#define CONSOLE "POST /nodes/n1/lxc/101/termproxy"
#define SHELL	CONSOLE "?shell=1"
#define SCREEN	"POST /nodes/n1/qemu/200/vncproxy"
#define EXEC	"POST /nodes/n1/lxc/101/exec?command=sh"
#define TOKEN	"bob@pve!ci=00000000-0000-4000-8000-000000000001"

/* /user.cfg in parts */
#define ROLES  "role:Con:VM.Console\nrole:Exe:VM.GuestAgent.Unrestricted\n"
#define USERS  "user:bob@pve:1:0::::\nuser:ann@pve:1:0::::\n"
#define TOKENS "token:bob@pve!ci:0:0:\n"
#define CON    "acl:/vms/101:user:bob@pve:Con:1\nacl:/vms/200:user:bob@pve:Con:1\n"
#define EXE    "acl:/vms/101:user:bob@pve:Exe:1\n"
#define ALL    USERS TOKENS ROLES CON EXE

static struct fixture f;

/* What a job of these does: until its stream ends, or a signal comes. */
static const char program[] = "#!/bin/sh\nexec cat <&3 >/dev/null\n";

static void set_running(const char *vmid)
{
	autofields fact = FIELDS_INIT;

	fields_add(&fact, "vmid", vmid);
	fields_add(&fact, "state", "running");
	assert_int_equal(facts_take_guest(f.core.facts, &fact, NULL), 0);
}

static void put_token(const char *secret)
{
	char digest[SHA256_HEX_SIZE];

	token_digest(secret, digest);
	autofree char *text = xasprintf("bob@pve!ci:%s\n", digest);

	fixture_put(&f, "/priv/token.cfg", text);
}

/* As after "log out everywhere" or a new password. */
static void log_out(const char *user)
{
	autofree char *text = xasprintf("%s:%llu:\n", user,
					(unsigned long long)(clock_wall() / USEC_PER_SEC + 1));

	fixture_put(&f, "/priv/shadow.cfg", text);
}

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task-console", program);
	fixture_script(&f, "lodge-task-ct", program);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", ALL);
	put_token(strchr(TOKEN, '=') + 1);
	fixture_put(&f, "/nodes/n1/lxc/101.conf", "hostname: web\n");
	fixture_put(&f, "/nodes/n1/qemu/200.conf", "serial0: socket\n");
	facts_hello(f.core.facts);
	facts_kind_listed(f.core.facts, false);
	facts_kind_listed(f.core.facts, true);
	set_running("101");
	set_running("200");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (const struct task *t = NULL; (t = jobs_next(f.core.jobs, t));)
		jobs_stop(f.core.jobs, t->upid, NULL);
	fixture_end(&f);
	return 0;
}

/* user NULL: local root; with '!': by its token. The job's UPID. */
static const char *begin(const char *user, const char *request)
{
	bool is_token = user && strchr(user, '!');
	unsigned before = f.replies;
	struct call call;

	fixture_login(&f, is_token ? "" : user);
	fixture_fill(&f, request, &call);
	if (is_token)
		fields_add(&call.head, "token", TOKEN);
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, NULL, NULL), 0);
	call_fini(&call);
	while (f.replies == before)
		fixture_turn(&f);
	if (f.last.status != 200)
		fail_msg("%s: %s", request, buf_str(&f.last.body));
	/* who waits for the console, and who runs the program, stay */
	f.last.fd = -1;
	return jobs_next(f.core.jobs, NULL)->upid;
}

/* Every change that was made has been looked at when this is answered. */
static void settle(void)
{
	fixture_login(&f, NULL);
	assert_int_equal(fixture_call(&f, "GET /version"), 200);
}

static bool is_being_stopped(const char *upid)
{
	const struct job *job = job_find(f.core.jobs, upid);

	return !job || job->kill_timer;
}

static void wait_for_end(const char *upid)
{
	while (jobs_find(f.core.jobs, upid)->state == TASK_RUNNING)
		fixture_turn(&f);
}

static void new_secret(void)
{
	put_token("00000000-0000-4000-8000-000000000002");
}

static void new_key(void)
{
	fixture_put(&f, "/priv/authkey",
		    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
}

static void bob_is_logged_out(void)
{
	log_out("bob@pve");
}

static void ann_is_logged_out(void)
{
	log_out("ann@pve");
}

static void root_is_logged_out(void)
{
	log_out("root@pam");
}

static const struct {
	const char *user, *request;
	const char *user_cfg; /* the change; NULL: */
	void (*change)(void);
	bool ends;
} cases[] = {
	/* user and token */
	{"bob@pve", CONSOLE, "user:ann@pve:1:0::::\n" ROLES, .ends = true},
	{"bob@pve", CONSOLE, "user:bob@pve:0:0::::\n" ROLES CON EXE, .ends = true},
	{"bob@pve", CONSOLE, "user:bob@pve:1:1::::\n" ROLES CON EXE, .ends = true},
	{"bob@pve", SCREEN, "user:bob@pve:0:0::::\n" ROLES CON EXE, .ends = true},
	{"bob@pve", EXEC, "user:bob@pve:0:0::::\n" ROLES CON EXE, .ends = true},
	{"bob@pve", CONSOLE, USERS ROLES CON EXE, .ends = false}, /* its token is gone */
	{"bob@pve!ci", CONSOLE, USERS ROLES CON EXE, .ends = true},
	{"bob@pve!ci", EXEC, USERS "token:bob@pve!ci:1:0:\n" ROLES CON EXE, .ends = true},
	{"bob@pve!ci", EXEC, USERS "token:bob@pve!ci:0:1:\n" ROLES CON EXE, .ends = true},
	{"bob@pve!ci", CONSOLE, "user:bob@pve:0:0::::\n" TOKENS ROLES CON EXE, .ends = true},
	{"bob@pve", CONSOLE, "user:bob@pve:1:0:Bob:::\n" ROLES CON EXE, .ends = false},
	{"bob@pve", CONSOLE, "user:bob@pve:1:4102444800::::\n" ROLES CON EXE, .ends = false},
	/* rights */
	{"bob@pve", CONSOLE, USERS TOKENS ROLES, .ends = true},
	{"bob@pve", CONSOLE, USERS TOKENS ROLES EXE, .ends = true},
	{"bob@pve", CONSOLE, USERS TOKENS ROLES CON, .ends = false},
	{"bob@pve", SHELL, USERS TOKENS ROLES CON, .ends = true},
	{"bob@pve", SHELL, USERS TOKENS ROLES EXE, .ends = true},
	{"bob@pve", EXEC, USERS TOKENS ROLES CON, .ends = true},
	{"bob@pve", EXEC, USERS TOKENS ROLES EXE, .ends = false},
	{"bob@pve", SCREEN, USERS TOKENS ROLES EXE, .ends = true},
	{"bob@pve", CONSOLE, USERS TOKENS "role:Con:VM.Audit\n" CON, .ends = true},
	{"bob@pve", CONSOLE, ALL "acl:/vms/101:user:bob@pve:NoAccess:1\n", .ends = true},
	{"bob@pve", CONSOLE, ALL "acl:/vms/102:user:bob@pve:NoAccess:1\n", .ends = false},
	/* tickets */
	{"bob@pve", CONSOLE, .change = bob_is_logged_out, .ends = true},
	{"bob@pve", EXEC, .change = bob_is_logged_out, .ends = true},
	{"bob@pve", CONSOLE, .change = ann_is_logged_out, .ends = false},
	{"bob@pve!ci", CONSOLE, .change = bob_is_logged_out, .ends = false},
	{"bob@pve!ci", CONSOLE, .change = new_secret, .ends = true},
	{"bob@pve", CONSOLE, .change = new_secret, .ends = false},
	{"bob@pve", CONSOLE, .change = new_key, .ends = true},
	/* root has all rights, and tickets like everybody; on the node itself nothing takes them */
	{"root@pam", CONSOLE, "", .ends = false},
	{"root@pam", CONSOLE, .change = root_is_logged_out, .ends = true},
	{NULL, CONSOLE, .change = root_is_logged_out, .ends = false},
	{NULL, EXEC, .change = root_is_logged_out, .ends = false},
};

static void run_case(size_t i)
{
	char upid[UPID_MAX];

	set_up(NULL);
	str_copy(upid, sizeof(upid), begin(cases[i].user, cases[i].request));
	settle();
	assert_false(is_being_stopped(upid));
	if (cases[i].user_cfg)
		fixture_put(&f, "/user.cfg", cases[i].user_cfg);
	else
		cases[i].change();
	settle();
	if (is_being_stopped(upid) != cases[i].ends)
		fail_msg("case %zu, %s %s: %s", i, cases[i].user, cases[i].request,
			 cases[i].ends ? "goes on" : "ends");
	if (cases[i].ends)
		wait_for_end(upid);
	tear_down(NULL);
}

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(i);
}

/* A new ticket changes nothing for what an older one opened. */
static void test_renewal(void **state)
{
	char upid[UPID_MAX];

	(void)state;
	str_copy(upid, sizeof(upid), begin("bob@pve", CONSOLE));
	fixture_login(&f, "bob@pve");
	autofree char *renew =
		xasprintf("POST /access/ticket?username=bob@pve&password=%s", f.ticket);
	assert_int_equal(fixture_call(&f, renew), 200);
	fixture_put(&f, "/user.cfg", ALL "user:new@pve:1:0::::\n");
	settle();
	assert_false(is_being_stopped(upid));
}

/* Nothing tells of that moment but the clock. */
static void test_user_who_expires(void **state)
{
	uint64_t end = clock_wall() / USEC_PER_SEC + 2;
	autofree char *user_cfg =
		xasprintf("user:bob@pve:1:%llu::::\n" ROLES CON EXE, (unsigned long long)end);
	char upid[UPID_MAX];

	(void)state;
	fixture_put(&f, "/user.cfg", user_cfg);
	str_copy(upid, sizeof(upid), begin("bob@pve", CONSOLE));
	wait_for_end(upid);
	assert_true(clock_wall() / USEC_PER_SEC >= end);
}

static void core_stops(void)
{
	job_rights_free(TAKE(f.core.job_rights));
	events_free(TAKE(f.core.events));
	consoles_free(TAKE(f.core.consoles));
	jobs_free(TAKE(f.core.jobs));
}

static void core_is_back(void)
{
	assert_int_equal(jobs_new(f.core.event, "n1", &f.core.jobs, NULL), 0);
	f.core.events = events_new(&f.core);
	f.core.consoles = consoles_new(f.core.event, f.core.jobs);
	f.core.job_rights = job_rights_new(&f.core);
}

/* Those of an earlier core, and what changed while there was none. */
static void test_restart(void **state)
{
	char bob[UPID_MAX], root[UPID_MAX];

	(void)state;
	str_copy(bob, sizeof(bob), begin("bob@pve", EXEC));
	str_copy(root, sizeof(root), begin(NULL, EXEC));
	core_stops();
	core_is_back();
	settle();
	assert_false(is_being_stopped(bob));
	assert_false(is_being_stopped(root));
	core_stops();
	fixture_put(&f, "/user.cfg", USERS TOKENS ROLES CON);
	core_is_back();
	settle();
	assert_true(is_being_stopped(bob));
	assert_false(is_being_stopped(root));
	wait_for_end(bob);
}

/* The core was killed before it left the record of a job, and the right went before the job left it itself. */
static void test_late_record(void **state)
{
	char upid[UPID_MAX];

	(void)state;
	str_copy(upid, sizeof(upid), begin("bob@pve", EXEC));
	autofree char *record = job_file_record(upid);
	autofree char *late = xasprintf("%s.late", record);

	core_stops();
	assert_int_equal(rename(record, late), 0);
	fixture_put(&f, "/user.cfg", USERS TOKENS ROLES CON);
	core_is_back();
	settle();
	assert_false(is_being_stopped(upid)); /* nobody knows what it is */
	assert_int_equal(rename(late, record), 0);
	wait_for_end(upid);
}

/* The same, and the right stands. */
static void test_late_record_of_a_right(void **state)
{
	char upid[UPID_MAX];

	(void)state;
	str_copy(upid, sizeof(upid), begin("bob@pve", EXEC));
	autofree char *record = job_file_record(upid);
	autofree char *late = xasprintf("%s.late", record);

	core_stops();
	assert_int_equal(rename(record, late), 0);
	core_is_back();
	settle();
	assert_int_equal(rename(late, record), 0);
	while (!jobs_arg(f.core.jobs, upid, JOB_ARG_TIED_TO))
		fixture_turn(&f);
	settle();
	assert_false(is_being_stopped(upid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test_setup_teardown(test_renewal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_user_who_expires, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late_record, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late_record_of_a_right, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
