/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes of consoles: what they start and hand out, who gets the stream, every wrong parameter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <unistd.h>

#include "agent/auth/token.h"
#include "agent/auth/ticket.h"
#include "api_test.h"

#define CT    "/nodes/n1/lxc/101"
#define VM    "/nodes/n1/qemu/200"
#define TOKEN "bob@pve!ci=00000000-0000-4000-8000-000000000001"
#define WRONG(field, text)                                                                         \
	"{\"data\":null,\"errors\":{\"" field "\":\"" text                                         \
	"\"},\"message\":\"Parameter verification failed.\\n\"}"
#define FAILURE(text) "{\"data\":null,\"message\":\"" text "\\n\"}"
#define REFUSED	      FAILURE("permission denied - invalid PVEVNC ticket")

static struct fixture f;

/* Keeps its arguments, then says what comes out of its descriptor 3, until that ends. */
static const char program[] = "#!/bin/sh\n"
			      "cat >\"$LODGE_STATE_DIR/args-$1.new\"\n"
			      "mv \"$LODGE_STATE_DIR/args-$1.new\" \"$LODGE_STATE_DIR/args-$1\"\n"
			      "cat <&3 >/dev/null\n";

static const char user_cfg[] = "user:bob@pve:1:0::::\nuser:ann@pve:1:0::::\nuser:eve@pve:1:0::::\n"
			       "token:bob@pve!ci:0:1:\n"
			       "acl:/vms/101:user:bob@pve:PVEVMUser:1\n"
			       "acl:/vms/101:token:bob@pve!ci:PVEVMUser:1\n"
			       "acl:/vms/101:user:ann@pve:PVEVMUser:1\n"
			       "acl:/vms/101:user:eve@pve:PVEAuditor:1\n";

static void set_state(const char *vmid, const char *state)
{
	autofields fact = FIELDS_INIT;

	fields_add(&fact, "vmid", vmid);
	fields_add(&fact, "state", state);
	assert_int_equal(facts_take_guest(f.core.facts, &fact, NULL), 0);
}

static void put_token(void)
{
	char digest[SHA256_HEX_SIZE];

	token_digest(strchr(TOKEN, '=') + 1, digest);
	autofree char *text = xasprintf("bob@pve!ci:%s\n", digest);

	fixture_put(&f, "/priv/token.cfg", text);
}

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task-console", program);
	fixture_start(&f);
	fixture_put(&f, "/user.cfg", user_cfg);
	put_token();
	fixture_put(&f, "/nodes/n1/lxc/101.conf", "hostname: web\n");
	fixture_put(&f, "/nodes/n1/lxc/102.conf", "hostname: other\n");
	fixture_put(&f, "/nodes/n1/qemu/200.conf", "serial1: socket\nserial3: socket\n");
	facts_hello(f.core.facts);
	facts_kind_listed(f.core.facts, false);
	facts_kind_listed(f.core.facts, true);
	set_state("101", "running");
	set_state("102", "running");
	set_state("200", "running");
	fixture_login(&f, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_end(&f);
	return 0;
}

/* What a proxy call gave. */
struct opened {
	char port[8], ticket[TICKET_MAX], upid[UPID_MAX], user[USERID_MAX];
	bool has_password, has_cert;
};

static void take_text(struct json_object *data, const char *name, char *ret, size_t size)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(data, name, &value))
		fail_msg("no %s in %s", name, buf_str(&f.last.body));
	assert_true(str_copy(ret, size, json_object_get_string(value)));
}

/* As whoever is logged in; token: with that credential. */
static int call_with(const char *request, const char *upgrade, const char *token)
{
	struct call call;
	unsigned before = f.replies;

	fixture_fill(&f, request, &call);
	fields_add(&call.head, "upgrade", upgrade);
	if (token) {
		fields_remove(&call.head, "ticket");
		fields_add(&call.head, "token", token);
	}
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, NULL, NULL), 0);
	call_fini(&call);
	while (f.replies == before)
		fixture_turn(&f);
	return f.last.status;
}

static struct opened open_with(const char *request, const char *token)
{
	struct opened o = {0};
	struct json_object *root, *data = NULL;

	if (call_with(request, NULL, token) != 200)
		fail_msg("%s: %s", request, buf_str(&f.last.body));
	root = json_tokener_parse(buf_str(&f.last.body));
	assert_true(json_object_object_get_ex(root, "data", &data));
	take_text(data, "port", o.port, sizeof(o.port));
	take_text(data, "ticket", o.ticket, sizeof(o.ticket));
	take_text(data, "upid", o.upid, sizeof(o.upid));
	take_text(data, "user", o.user, sizeof(o.user));
	o.has_password = json_object_object_get_ex(data, "password", NULL);
	o.has_cert = json_object_object_get_ex(data, "cert", NULL);
	json_object_put(root);
	assert_true(str_starts(o.ticket, "PVEVNC:"));
	return o;
}

static struct opened open_console(const char *request)
{
	return open_with(request, NULL);
}

static int stream(const char *guest, const char *port, const char *ticket, const char *token)
{
	autofree char *request =
		xasprintf("GET %s/vncwebsocket?port=%s&vncticket=%s", guest, port, ticket);

	return call_with(request, "websocket", token);
}

static void expect_refused(const char *guest, const char *port, const char *ticket)
{
	int status = stream(guest, port, ticket, NULL);

	assert_int_equal(status, 401);
	assert_string_equal(buf_str(&f.last.body), REFUSED);
	assert_int_equal(f.last.fd, -1);
}

static void expect_stream(const char *guest, const struct opened *o, const char *token)
{
	assert_int_equal(stream(guest, o->port, o->ticket, token), 101);
	assert_true(f.last.fd >= 0);
	assert_string_equal(fields_get(&f.last.head, "content-type"), "websocket");
}

/* The arguments that the job got, once it has them all. */
static void read_args(const char *command, struct fields *ret)
{
	autofree char *path = xasprintf("%s/state/args-%s", f.directory, command);
	autobuf text = BUF_INIT;

	while (access(path, F_OK) != 0)
		sd_event_run(f.core.event, 10 * USEC_PER_MSEC);
	assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
	struct cursor c = cursor_on(text.data, text.size);

	assert_int_equal(fields_decode(&c, ret, NULL), 0);
	unlink(path);
}

static void test_container(void **state)
{
	autofields args = FIELDS_INIT;

	(void)state;
	struct opened o = open_console("POST " CT "/termproxy");
	autofree char *secret = xasprintf("root@pam:%s", o.ticket);

	assert_string_equal(o.user, "root@pam");
	assert_true(str_ends(o.upid, ":vncproxy:101:root@pam:"));
	read_args("termproxy", &args);
	assert_string_equal(fields_get(&args, "vmid"), "101");
	assert_string_equal(fields_get(&args, "kind"), "lxc");
	assert_string_equal(fields_get(&args, "mode"), "tty");
	assert_string_equal(fields_get(&args, "secret"), secret);
	assert_null(fields_get(&args, "guest")); /* no place in the guest's queue */
	expect_stream(CT, &o, NULL);
	expect_refused(CT, o.port, o.ticket); /* once */
}

/* The ticket is in no file: whoever reads the run folder gets no console. */
static void test_ticket_is_written_nowhere(void **state)
{
	autobuf record = BUF_INIT;

	(void)state;
	struct opened o = open_console("POST " CT "/termproxy");
	autofree char *path = xasprintf("%s/run/jobs/%s", f.directory, o.upid);

	assert_int_equal(file_read(path, 1 << 20, &record, NULL), 0);
	assert_null(memmem(record.data, record.size, "PVEVNC", 6));
	assert_non_null(memmem(record.data, record.size, "arg.vmid", 8));
}

static void test_modes(void **state)
{
	static const char *const modes[] = {"console", "shell", "tty"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		autofree char *config = xasprintf("cmode: %s\nhostname: web\n", modes[i]);
		autofields args = FIELDS_INIT;

		fixture_put(&f, "/nodes/n1/lxc/101.conf", config);
		open_console("POST " CT "/termproxy");
		read_args("termproxy", &args);
		assert_string_equal(fields_get(&args, "mode"), modes[i]);
	}
}

static void test_serial(void **state)
{
	autofields first = FIELDS_INIT, chosen = FIELDS_INIT;

	(void)state;
	open_console("POST " VM "/termproxy");
	read_args("termproxy", &first);
	assert_string_equal(fields_get(&first, "mode"), "serial1");
	assert_string_equal(fields_get(&first, "kind"), "qemu");
	struct opened o = open_console("POST " VM "/termproxy?serial=serial3");
	read_args("termproxy", &chosen);
	assert_string_equal(fields_get(&chosen, "mode"), "serial3");
	expect_stream(VM, &o, NULL);
	expect(&f, "POST " VM "/termproxy?serial=serial0", 400,
	       WRONG("serial", "VM 200 has no serial0"));
	fixture_put(&f, "/nodes/n1/qemu/200.conf", "vga: none\n");
	expect(&f, "POST " VM "/termproxy", 500,
	       FAILURE("VM 200 has no serial port; set serial0 to socket"));
}

static void test_screen(void **state)
{
	autofields args = FIELDS_INIT;

	(void)state;
	struct opened o = open_console("POST " VM "/vncproxy?websocket=1");

	assert_false(o.has_password);
	assert_true(o.has_cert);
	read_args("vncproxy", &args);
	assert_string_equal(fields_get(&args, "mode"), "screen");
	assert_null(fields_get(&args, "secret"));
	expect_stream(VM, &o, NULL);
	o = open_console("POST " VM "/vncproxy?generate-password=1");
	assert_true(o.has_password);
	fixture_put(&f, "/nodes/n1/qemu/200.conf", "serial0: socket\nvga: serial0\n");
	expect(&f, "POST " VM "/vncproxy", 500,
	       FAILURE("VM 200 has no screen (vga: serial0); use its serial console"));
}

static void test_drawn_terminal(void **state)
{
	autofields args = FIELDS_INIT, sized = FIELDS_INIT;

	(void)state;
	struct opened o = open_console("POST " CT "/vncproxy?websocket=1");

	assert_false(o.has_password);
	assert_true(o.has_cert);
	assert_true(str_ends(o.upid, ":vncproxy:101:root@pam:"));
	read_args("vncproxy", &args);
	assert_string_equal(fields_get(&args, "kind"), "lxc");
	assert_string_equal(fields_get(&args, "mode"), "tty");
	assert_string_equal(fields_get(&args, "width"), "800");
	assert_string_equal(fields_get(&args, "height"), "480");
	assert_null(fields_get(&args, "secret"));
	expect_stream(CT, &o, NULL);
	expect_refused(CT, o.port, o.ticket); /* once */
	fixture_put(&f, "/nodes/n1/lxc/101.conf", "cmode: console\nhostname: web\n");
	open_console("POST " CT "/vncproxy?width=4096&height=16");
	read_args("vncproxy", &sized);
	assert_string_equal(fields_get(&sized, "mode"), "console");
	assert_string_equal(fields_get(&sized, "width"), "4096");
	assert_string_equal(fields_get(&sized, "height"), "16");
}

static void test_state_of_guest(void **state)
{
	(void)state;
	set_state("101", "stopped");
	set_state("200", "stopped");
	expect(&f, "POST " CT "/termproxy", 500, FAILURE("CT 101 not running"));
	expect(&f, "POST " CT "/vncproxy", 500, FAILURE("CT 101 not running"));
	expect(&f, "POST " VM "/termproxy", 500, FAILURE("VM 200 not running"));
	expect(&f, "POST " VM "/vncproxy", 500, FAILURE("VM 200 not running"));
	set_state("101", "unknown");
	open_console("POST " CT "/termproxy");
	expect(&f, "POST /nodes/n1/lxc/999/termproxy", 500,
	       FAILURE("Configuration file 'nodes/n1/lxc/999.conf' does not exist"));
	expect(&f, "POST /nodes/n1/qemu/101/termproxy", 500,
	       FAILURE("Configuration file 'nodes/n1/qemu/101.conf' does not exist"));
}

static void test_wrong_parameters(void **state)
{
	static const char no_choice[] = "value 'serial4' does not have a value in the enumeration "
					"'serial0, serial1, serial2, serial3'";
	autofree char *serial = xasprintf(WRONG("serial", "%s"), no_choice);
	char long_ticket[TICKET_MAX + 2];

	(void)state;
	memset(long_ticket, 'x', sizeof(long_ticket));
	long_ticket[TICKET_MAX + 1] = '\0';
	autofree char *too_long =
		xasprintf("GET " CT "/vncwebsocket?port=5900&vncticket=%s", long_ticket);

	expect(&f, "POST " VM "/termproxy?serial=serial4", 400, serial);
	expect(&f, "POST " CT "/termproxy?serial=serial0", 400,
	       WRONG("serial", "property is not defined in schema and the schema does not allow "
			       "additional properties"));
	expect(&f, "POST " VM "/vncproxy?websocket=maybe", 400,
	       WRONG("websocket", "type check ('boolean') failed - got 'maybe'"));
	expect(&f, "POST " VM "/vncproxy?generate-password=2x", 400,
	       WRONG("generate-password", "type check ('boolean') failed - got '2x'"));
	expect(&f, "POST " CT "/vncproxy?width=15", 400,
	       WRONG("width", "value must have a minimum value of 16"));
	expect(&f, "POST " CT "/vncproxy?width=4097", 400,
	       WRONG("width", "value must have a maximum value of 4096"));
	expect(&f, "POST " CT "/vncproxy?height=2161", 400,
	       WRONG("height", "value must have a maximum value of 2160"));
	expect(&f, "POST " CT "/vncproxy?height=x", 400,
	       WRONG("height", "type check ('integer') failed - got 'x'"));
	expect(&f, "POST " CT "/vncproxy?shell=1", 400,
	       WRONG("shell", "property is not defined in schema and the schema does not allow "
			      "additional properties"));
	expect(&f, "GET " CT "/vncwebsocket?port=5900", 400,
	       WRONG("vncticket", "property is missing and it is not optional"));
	expect(&f, "GET " CT "/vncwebsocket?vncticket=x", 400,
	       WRONG("port", "property is missing and it is not optional"));
	expect(&f, "GET " CT "/vncwebsocket?port=5899&vncticket=x", 400,
	       WRONG("port", "value must have a minimum value of 5900"));
	expect(&f, "GET " CT "/vncwebsocket?port=6000&vncticket=x", 400,
	       WRONG("port", "value must have a maximum value of 5999"));
	expect(&f, "GET " CT "/vncwebsocket?port=x&vncticket=x", 400,
	       WRONG("port", "type check ('integer') failed - got 'x'"));
	assert_int_equal(fixture_call(&f, too_long), 400);
	assert_null(jobs_next(f.core.jobs, NULL)); /* none of them started anything */
}

static void test_wrong_tickets(void **state)
{
	(void)state;
	struct opened o = open_console("POST " CT "/termproxy");
	struct opened other = open_console("POST " CT "/termproxy");
	autofree char *changed = xstrdup(o.ticket);

	changed[strlen(changed) - 2] ^= 1;
	assert_string_not_equal(o.port, other.port);
	expect_refused(CT, o.port, "x");
	expect_refused(CT, o.port, changed);
	expect_refused(CT, o.port, other.ticket);
	expect_refused(CT, other.port, o.ticket);
	expect_refused("/nodes/n1/lxc/102", o.port, o.ticket);
	expect_refused(VM, o.port, o.ticket);
	expect_stream(CT, &o, NULL); /* none of which used it up */
	expect_stream(CT, &other, NULL);
}

static void test_needs_upgrade(void **state)
{
	(void)state;
	struct opened o = open_console("POST " CT "/termproxy");
	autofree char *request =
		xasprintf("GET " CT "/vncwebsocket?port=%s&vncticket=%s", o.port, o.ticket);

	expect(&f, request, 400,
	       FAILURE("a console is a WebSocket: ask with 'Upgrade: websocket'"));
	assert_int_equal(call_with(request, "raw", NULL), 101);
	assert_true(f.last.fd >= 0);
}

static void test_expires(void **state)
{
	(void)state;
	struct opened o = open_console("POST " CT "/termproxy");

	consoles_expire(f.core.consoles, clock_monotonic() + CONSOLE_LIFE);
	expect_refused(CT, o.port, o.ticket);
	while (jobs_find(f.core.jobs, o.upid)->state == TASK_RUNNING)
		fixture_turn(&f); /* its job saw the stream's end */
}

static void test_users(void **state)
{
	(void)state;
	fixture_login(&f, "eve@pve");
	assert_int_equal(fixture_call(&f, "POST " CT "/termproxy"), 403);
	assert_int_equal(fixture_call(&f, "POST " VM "/vncproxy"), 403);
	assert_int_equal(fixture_call(&f, "POST " CT "/vncproxy"), 403);
	fixture_login(&f, "");
	assert_int_equal(fixture_call(&f, "POST " CT "/termproxy"), 401);
	fixture_login(&f, "bob@pve");
	struct opened o = open_console("POST " CT "/termproxy");

	assert_string_equal(o.user, "bob@pve");
	fixture_login(&f, "ann@pve"); /* who may see the same guest's */
	expect_refused(CT, o.port, o.ticket);
	fixture_login(&f, "bob@pve");
	assert_int_equal(stream(CT, o.port, o.ticket, TOKEN), 401); /* nor the user's own token */
	fixture_put(&f, "/user.cfg", "user:bob@pve:1:0::::\n");
	assert_int_equal(stream(CT, o.port, o.ticket, NULL), 403); /* what was taken away since */
	fixture_put(&f, "/user.cfg", user_cfg);
	o = open_console("POST " CT "/termproxy"); /* the first one ended with the right to it */
	expect_stream(CT, &o, NULL);
}

static void test_token(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	struct opened o = open_with("POST " CT "/termproxy", TOKEN);

	assert_string_equal(o.user, "bob@pve!ci");
	expect_refused(CT, o.port, o.ticket); /* the user is not the token */
	expect_stream(CT, &o, TOKEN);
}

static int verify(const char *authid, const char *path, const char *port, const char *privs,
		  const char *ticket)
{
	autofree char *request =
		xasprintf("POST /access/vncticket?authid=%s&path=%s%s%s&privs=%s&vncticket=%s",
			  authid, path, *port ? "&port=" : "", port, privs, ticket);

	return fixture_call(&f, request);
}

static void test_verify(void **state)
{
	(void)state;
	fixture_login(&f, "bob@pve");
	struct opened o = open_with("POST " CT "/termproxy", TOKEN);
	const char *who = "bob@pve!ci", *path = "/vms/101", *privs = "VM.Console";

	fixture_login(&f, "");
	assert_int_equal(verify(who, path, o.port, privs, o.ticket), 200);
	assert_int_equal(verify(who, path, o.port, "VM.Console,VM.Audit", o.ticket), 200);
	assert_int_equal(verify("bob@pve", path, o.port, privs, o.ticket), 401);
	assert_int_equal(verify("bob@pve!no", path, o.port, privs, o.ticket), 401);
	assert_int_equal(verify("nobody", path, o.port, privs, o.ticket), 401);
	assert_int_equal(verify(who, "/vms/102", o.port, privs, o.ticket), 401);
	assert_int_equal(verify(who, "vms", o.port, privs, o.ticket), 401);
	assert_int_equal(verify(who, path, "5999", privs, o.ticket), 401);
	assert_int_equal(verify(who, path, "", privs, o.ticket), 401);
	assert_int_equal(verify(who, path, o.port, "VM.Allocate", o.ticket), 401);
	assert_int_equal(verify(who, path, o.port, privs, "x"), 401);
	assert_string_equal(buf_str(&f.last.body), REFUSED);
	assert_int_equal(verify(who, path, o.port, "VM.None", o.ticket), 400);
	assert_int_equal(verify(who, path, "x", privs, o.ticket), 400);
	assert_int_equal(fixture_call(&f, "POST /access/vncticket?authid=a"), 400);
	fixture_put(&f, "/user.cfg",
		    "user:bob@pve:0:0::::\ntoken:bob@pve!ci:0:0:\n"
		    "acl:/vms/101:user:bob@pve:PVEVMUser:1\n");
	assert_int_equal(verify(who, path, o.port, privs, o.ticket), 401); /* disabled */
}

static void test_bounds(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONSOLES_OF_GUEST_MAX; i++)
		open_console("POST " CT "/termproxy");
	expect(&f, "POST " CT "/termproxy", 500,
	       FAILURE("too many consoles of guest 101 are open (32); close one first"));
	open_console("POST /nodes/n1/lxc/102/termproxy");
}

static void test_index(void **state)
{
	(void)state;
	EXPECT_HAS(&f, "GET " CT, "termproxy", "vncwebsocket", "vncproxy");
	EXPECT_HAS(&f, "GET " VM, "termproxy", "vncwebsocket", "vncproxy");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_container),	   TEST(test_ticket_is_written_nowhere),
		TEST(test_modes),	   TEST(test_serial),
		TEST(test_screen),	   TEST(test_drawn_terminal),
		TEST(test_state_of_guest), TEST(test_wrong_parameters),
		TEST(test_wrong_tickets),  TEST(test_needs_upgrade),
		TEST(test_expires),	   TEST(test_users),
		TEST(test_token),	   TEST(test_verify),
		TEST(test_bounds),	   TEST(test_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
