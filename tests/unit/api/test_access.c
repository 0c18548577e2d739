/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resources below /access, asked over a connection as the gate asks them: real dispatcher,
 * store and helper processes; only the hash function is a fake (this program is its own helper). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>

#include "agent/api/api.h"
#include "agent/auth/edit.h"
#include "agent/base/conn.h"
#include "agent/base/mem.h"
#include "tests/unit/auth/access_test.h"

#define PASSWORD "correct horse"
#define FORM	 "{\"data\":null"

/* ---- the fake helper ---- */

static int helper(const char *name)
{
	autobuf input = BUF_INIT;
	autofields args = FIELDS_INIT;

	if (fd_read_all(0, 1 << 20, &input, NULL) < 0)
		return 2;
	struct cursor c = cursor_on(input.data, input.size);
	if (fields_decode(&c, &args, NULL) < 0)
		return 2;
	autofree char *hash = xasprintf("H-%s", fields_get(&args, "password"));
	const char *out = hash;
	if (str_eq(name, "crypt-verify"))
		out = str_eq(hash, fields_get(&args, "hash")) ? "true" : "false";
	return fd_write_all(1, out, strlen(out), NULL) < 0;
}

/* ---- a core in miniature ---- */

static struct store_fixture fixture;
static struct core core;
static struct conn *server, *client;
static bool is_local;

struct user {
	char ticket[TICKET_MAX], csrf[TICKET_MAX], token[256];
};
static struct user nobody;

static void on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	(void)ctx;
	api_call(&core, conn, id, call, is_local);
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)ctx;
	fail_msg("%s", err->message);
}

static int on_store(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)ctx;
	store_dispatch(fixture.store);
	return 0;
}

static const struct conn_ops ops = {.on_call = on_call, .on_closed = on_closed};

static int setup(void **state)
{
	int fds[2];

	(void)state;
	store_fixture_init(&fixture);
	setenv("LODGE_STATE_DIR", fixture.directory, 1);
	setenv("LODGE_RUN_DIR", fixture.directory, 1);
	setenv("LODGE_LIBEXEC_DIR", fixture.directory, 1);
	autofree char *self = realpath("/proc/self/exe", NULL);
	autofree char *program = xasprintf("%s/lodge-task", fixture.directory);
	assert_int_equal(symlink(self, program), 0);
	core = (struct core){.node = "n1", .store = fixture.store};
	assert_true(sd_event_new(&core.event) >= 0);
	assert_true(sd_event_add_io(core.event, NULL, store_fd(core.store), POLLIN, on_store,
				    NULL) >= 0);
	assert_int_equal(access_new(core.store, &core.access, NULL), 0);
	core.helpers = helpers_new(core.event);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(conn_new(core.event, fds[0], &ops, NULL, &server, NULL), 0);
	assert_int_equal(conn_new(core.event, fds[1], &ops, NULL, &client, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	conn_close(client);
	conn_close(server);
	api_fini(&core);
	helpers_free(core.helpers);
	access_free(core.access);
	sd_event_unref(core.event);
	store_fixture_fini(&fixture);
	return 0;
}

struct answer {
	bool is_there;
	int status;
	struct buf body;
};
static struct answer answer;

static void on_reply(struct reply *reply, void *ctx)
{
	(void)ctx;
	answer.is_there = true;
	answer.status = reply->status;
	buf_clear(&answer.body);
	buf_add(&answer.body, reply->body.data, reply->body.size);
	if (reply->body_fd >= 0)
		fd_memfd_read(reply->body_fd, 1 << 20, &answer.body, NULL);
}

/* "GET /access/users", then "name=value" strings; ends with NULL. user NULL: root on this machine.
 */
static int ask(const struct user *user, const char *what, ...)
{
	struct call call = CALL_INIT;
	const char *space = strchr(what, ' '), *arg;
	autofree char *verb = xstrndup(what, (size_t)(space - what));
	uint64_t id;
	va_list ap;

	call.op = CALL_API;
	fields_add(&call.head, "verb", verb);
	fields_add(&call.head, "path", space + 1);
	if (user && user->ticket[0])
		fields_add(&call.head, "ticket", user->ticket);
	if (user && user->csrf[0])
		fields_add(&call.head, "csrf", user->csrf);
	if (user && user->token[0])
		fields_add(&call.head, "token", user->token);
	va_start(ap, what);
	while ((arg = va_arg(ap, const char *))) {
		autofree char *name = xstrndup(arg, strcspn(arg, "="));

		fields_add(&call.params, name, strchr(arg, '=') + 1);
	}
	va_end(ap);
	is_local = !user;
	answer.is_there = false;
	assert_int_equal(conn_call(client, &call, on_reply, NULL, &id, NULL), 0);
	call_fini(&call);
	while (!answer.is_there)
		assert_true(sd_event_run(core.event, 20 * USEC_PER_SEC) > 0);
	return answer.status;
}
#define ASK(...) ask(__VA_ARGS__, NULL)

static void expect(int status, int got, const char *part)
{
	if (status != got || !strstr(buf_str(&answer.body), part))
		fail_msg("wanted %d with %s, got %d: %s", status, part, got, buf_str(&answer.body));
}

static void value_of(const char *key, char *ret, size_t size)
{
	autofree char *mark = xasprintf("\"%s\":\"", key);
	const char *at = strstr(buf_str(&answer.body), mark);

	assert_non_null(at);
	at += strlen(mark);
	assert_true(strcspn(at, "\"") < size);
	memcpy(ret, at, strcspn(at, "\""));
	ret[strcspn(at, "\"")] = '\0';
	/* JSON may write '/' as "\/" */
	assert_null(strchr(ret, '\\'));
}

static struct user login(const char *userid, const char *password)
{
	struct user user = {0};
	autofree char *name = xasprintf("username=%s", userid);
	autofree char *word = xasprintf("password=%s", password);

	expect(200, ASK(&nobody, "POST /access/ticket", name, word), "\"ticket\":\"PVE:");
	value_of("ticket", user.ticket, sizeof(user.ticket));
	value_of("CSRFPreventionToken", user.csrf, sizeof(user.csrf));
	return user;
}

static void make_user(const char *userid)
{
	autofree char *id = xasprintf("userid=%s", userid);

	expect(200, ASK(NULL, "POST /access/users", id, "password=" PASSWORD), FORM);
}

static void grant(const char *userid, const char *path, const char *role)
{
	autofree char *users = xasprintf("users=%s", userid);
	autofree char *p = xasprintf("path=%s", path);
	autofree char *roles = xasprintf("roles=%s", role);

	expect(200, ASK(NULL, "PUT /access/acl", p, users, roles), FORM);
}

/* ---- logging in ---- */

static void test_login(void **state)
{
	static const char *const refused[][2] = {
		{"username=a@pve", "password=wrong horse"},
		{"username=a@pve", "password="},
		{"username=ghost@pve", "password=" PASSWORD},
		{"username=a", "password=" PASSWORD},
		{"username=root@pam", "password=" PASSWORD},
		{"username=a/b@pve", "password=" PASSWORD},
		{"username=a@pve", "password=PVE:a@pve:68000000::AAAA"},
	};

	(void)state;
	make_user("a@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(200,
	       ASK(&nobody, "POST /access/ticket", "username=a", "realm=pve", "password=" PASSWORD,
		   "new-format=1", "otp="),
	       "\"cap\":{\"vms\":{},\"storage\":{}");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		expect(401, ASK(&nobody, "POST /access/ticket", refused[i][0], refused[i][1]),
		       "\"message\":\"authentication failure\\n\"");
	expect(400,
	       ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD,
		   "otp=123456"),
	       "\"otp\":");
	/* a ticket renews itself, but only its own user's */
	login("a@pve", a.ticket);
	make_user("b@pve");
	autofree char *word = xasprintf("password=%s", a.ticket);
	expect(401, ASK(&nobody, "POST /access/ticket", "username=b@pve", word), FORM);
	expect(200, ASK(&nobody, "GET /access/ticket"), FORM);
	expect(200, ASK(&nobody, "GET /access/domains"), "\"realm\":\"pam\"");
	expect(401, ASK(&nobody, "GET /access/users"), "No ticket");
}

static void test_csrf_and_disabling(void **state)
{
	(void)state;
	make_user("a@pve");
	struct user a = login("a@pve", PASSWORD), bare = a;
	bare.csrf[0] = '\0';
	expect(200, ASK(&bare, "GET /access/permissions"), "{\"data\":{}}");
	expect(401, ASK(&bare, "POST /access/users/a@pve/token/ci"),
	       "Permission denied - invalid csrf token");
	expect(200, ASK(&a, "POST /access/users/a@pve/token/ci"), "\"value\":");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "enable=0"), FORM);
	expect(401, ASK(&a, "GET /access/permissions"), "invalid PVE ticket");
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD),
	       "authentication failure");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "enable=1"), FORM);
	expect(200, ASK(&a, "GET /access/permissions"), "{\"data\":{}}");
	expect(200, ASK(NULL, "DELETE /access/users/a@pve"), FORM);
	expect(401, ASK(&a, "GET /access/permissions"), "invalid PVE ticket");
	/* nothing of the old user is left for a new one of that name */
	expect(200, ASK(NULL, "POST /access/users", "userid=a@pve"), FORM);
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD),
	       "authentication failure");
	expect(200, ASK(NULL, "GET /access/users/a@pve"), "\"tokens\":{}");
}

static void test_password(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(400, ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password"),
	       "confirmation-password");
	expect(401,
	       ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=wrong horse"),
	       "authentication failure");
	expect(403,
	       ASK(&a, "PUT /access/password", "userid=b@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       "Permission check failed (/access/realm/pve, Realm.AllocateUser)");
	expect(200,
	       ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       FORM);
	login("a@pve", "new password");
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD),
	       "authentication failure");
	/* local root needs no confirmation; an administrator confirms with the own password */
	expect(200, ASK(NULL, "PUT /access/password", "userid=a@pve", "password=third password"),
	       FORM);
	login("a@pve", "third password");
	grant("b@pve", "/access", "PVEUserAdmin");
	struct user b = login("b@pve", PASSWORD);
	expect(200,
	       ASK(&b, "PUT /access/password", "userid=a@pve", "password=fourth word",
		   "confirmation-password=" PASSWORD),
	       FORM);
	login("a@pve", "fourth word");
	expect(500, ASK(NULL, "PUT /access/password", "userid=ghost@pve", "password=new password"),
	       "no such user ('ghost@pve')");
	expect(400, ASK(NULL, "PUT /access/password", "userid=root@pam", "password=new password"),
	       "\"userid\":");
	expect(400, ASK(NULL, "PUT /access/password", "userid=a@pve", "password=short"),
	       "\"password\":");
}

static unsigned reach(const struct user *user)
{
	return ASK(user, "GET /access/permissions");
}

/* What was stolen before stops to work, at once and for that user alone. */
static void test_old_tickets(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD), b = login("b@pve", PASSWORD);
	assert_int_equal(reach(&a), 200);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/ci"), "\"value\":");
	expect(200,
	       ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       FORM);
	assert_int_equal(reach(&a), 401);
	autofree char *renewal = xasprintf("password=%s", a.ticket);
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", renewal),
	       "authentication failure");
	assert_int_equal(reach(&b), 200);
	a = login("a@pve", "new password");
	assert_int_equal(reach(&a), 200);

	expect(403, ASK(&b, "DELETE /access/users/a@pve/tickets"), "Permission check failed");
	expect(500, ASK(NULL, "DELETE /access/users/ghost@pve/tickets"), "no such user");
	expect(200, ASK(NULL, "DELETE /access/users/root@pam/tickets"), FORM);
	expect(200, ASK(&a, "DELETE /access/users/a@pve/tickets"), FORM);
	assert_int_equal(reach(&a), 401);
	a = login("a@pve", "new password"); /* which stays */
	expect(200, ASK(NULL, "DELETE /access/users/a@pve/tickets"), FORM);
	assert_int_equal(reach(&a), 401);
	assert_int_equal(reach(&b), 200);
	/* another user of the same name inherits none */
	expect(200, ASK(NULL, "DELETE /access/users/b@pve"), FORM);
	assert_int_equal(reach(&b), 401);
	uint64_t now = clock_wall() / USEC_PER_SEC;
	expect(200, ASK(NULL, "POST /access/users", "userid=b@pve"), FORM);
	assert_true(access_tickets_since(core.access, "b@pve") > now);
}

/* ---- users, groups, roles ---- */

static void test_users(void **state)
{
	(void)state;
	expect(200, ASK(NULL, "POST /access/groups", "groupid=ops", "comment=the ops"), FORM);
	expect(200, ASK(NULL, "POST /access/groups", "groupid=dev"), FORM);
	expect(200,
	       ASK(NULL, "POST /access/users", "userid=a@pve", "groups=ops", "email=a@b.c",
		   "firstname=\xc3\x84nne", "comment=x:y", "expire=4102444800"),
	       FORM);
	expect(200, ASK(NULL, "GET /access/users/a@pve"),
	       "{\"data\":{\"enable\":1,\"expire\":4102444800,\"firstname\":\"\xc3\x84nne\","
	       "\"email\":\"a@b.c\",\"comment\":\"x:y\",\"groups\":[\"ops\"],\"tokens\":{}}}");
	expect(500, ASK(NULL, "POST /access/users", "userid=a@pve"),
	       "create user failed: user 'a@pve' already exists");
	expect(400, ASK(NULL, "POST /access/users", "userid=a@nowhere"), "\"userid\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=a"), "\"userid\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=b@pve", "email=x"), "\"email\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=b@pve", "keys=x"),
	       "property is not defined in schema");
	expect(500, ASK(NULL, "POST /access/users", "userid=b@pve", "groups=ghosts"),
	       "group 'ghosts' does not exist");
	expect(500, ASK(NULL, "GET /access/users/b@pve"), "no such user ('b@pve')");

	/* the longest comment, in the widest characters, can be read back */
	char longest[8 + 2048 * 4 + 1] = "comment=";
	for (size_t i = 0; i < 2048; i++)
		strcat(longest + 8 + 4 * i, "\xf0\x9f\x90\xa7");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", longest), FORM);
	expect(200, ASK(NULL, "GET /access/users/a@pve"), longest + 8);
	expect(400, ASK(NULL, "PUT /access/users/a@pve", "comment=\xff"), "\"comment\":");

	expect(200, ASK(NULL, "PUT /access/users/a@pve", "groups=dev", "append=1", "comment="),
	       FORM);
	expect(200, ASK(NULL, "GET /access/users", "full=1"), "\"groups\":\"dev,ops\"");
	assert_null(strstr(buf_str(&answer.body), "x:y"));
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "groups=dev"), FORM);
	expect(200, ASK(NULL, "GET /access/groups/ops"),
	       "{\"data\":{\"comment\":\"the ops\",\"members\":[]}}");
	expect(200, ASK(NULL, "GET /access/groups"), "\"groupid\":\"dev\",\"users\":\"a@pve\"");
	expect(200, ASK(NULL, "GET /access/users", "enabled=0"), "{\"data\":[]}");

	expect(400, ASK(NULL, "PUT /access/users/root@pam", "enable=0"), "\"enable\":");
	expect(400, ASK(NULL, "DELETE /access/users/root@pam"), "root@pam");
	expect(200, ASK(NULL, "DELETE /access/groups/dev"), FORM);
	expect(500, ASK(NULL, "DELETE /access/groups/dev"), "group 'dev' does not exist");
	expect(200, ASK(NULL, "GET /access/users/a@pve"), "\"groups\":[]");
}

static void test_roles(void **state)
{
	(void)state;
	expect(200, ASK(NULL, "POST /access/roles", "roleid=watch", "privs=VM.Audit"), FORM);
	expect(500, ASK(NULL, "POST /access/roles", "roleid=watch"), "already exists");
	expect(400, ASK(NULL, "POST /access/roles", "roleid=pveMine"), "\"roleid\":");
	expect(400, ASK(NULL, "POST /access/roles", "roleid=x", "privs=VM.Nothing"), "\"privs\":");
	expect(200, ASK(NULL, "PUT /access/roles/watch", "privs=Sys.Audit", "append=1"), FORM);
	expect(200, ASK(NULL, "GET /access/roles/watch"),
	       "{\"data\":{\"Sys.Audit\":1,\"VM.Audit\":1}}");
	expect(200, ASK(NULL, "PUT /access/roles/watch", "privs=Sys.Audit"), FORM);
	expect(200, ASK(NULL, "GET /access/roles"),
	       "{\"roleid\":\"watch\",\"privs\":\"Sys.Audit\",\"special\":0}");
	expect(400, ASK(NULL, "PUT /access/roles/watch", "append=1"), "\"append\":");
	expect(400, ASK(NULL, "PUT /access/roles/PVEAdmin", "privs="), "PVEAdmin");
	expect(400, ASK(NULL, "DELETE /access/roles/PVEAdmin"), "PVEAdmin");
	expect(200, ASK(NULL, "DELETE /access/roles/watch"), FORM);
	expect(500, ASK(NULL, "GET /access/roles/watch"), "role 'watch' does not exist");
}

/* ---- who sees and may what ---- */

static void test_visibility(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(200, ASK(NULL, "POST /access/groups", "groupid=ops"), FORM);
	expect(200, ASK(NULL, "PUT /access/users/b@pve", "groups=ops"), FORM);

	expect(200, ASK(&a, "GET /access/users"), "a@pve");
	assert_null(strstr(buf_str(&answer.body), "b@pve"));
	expect(200, ASK(&a, "GET /access/groups"), "{\"data\":[]}");
	expect(200, ASK(&a, "GET /access/acl"), "{\"data\":[]}");
	expect(403, ASK(&a, "GET /access/users/b@pve"), "Permission check failed (/access/groups");
	expect(403, ASK(&a, "POST /access/users", "userid=c@pve"), "Realm.AllocateUser");
	expect(403, ASK(&a, "PUT /access/users/a@pve", "groups=ops"), "User.Modify");
	expect(403, ASK(&a, "DELETE /access/users/b@pve"), "Realm.AllocateUser");
	expect(403, ASK(&a, "POST /access/groups", "groupid=x"), "Group.Allocate");
	expect(403, ASK(&a, "POST /access/roles", "roleid=x"), "Sys.Modify");
	expect(403, ASK(&a, "PUT /access/acl", "path=/", "roles=Administrator", "users=a@pve"),
	       "Permission check failed (/, Permissions.Modify)");
	expect(403, ASK(&a, "POST /access/users/b@pve/token/t1"), "User.Modify");
	expect(403, ASK(&a, "GET /access/permissions", "userid=b@pve"), "Sys.Audit");

	grant("a@pve", "/access/groups/ops", "PVEUserAdmin");
	expect(200, ASK(&a, "GET /access/users"), "b@pve");
	expect(200, ASK(&a, "GET /access/groups"), "ops");
	expect(200, ASK(&a, "PUT /access/users/b@pve", "comment=x"), FORM);
	expect(403, ASK(&a, "PUT /access/users/root@pam", "comment=x"), "root@pam");
	grant("a@pve", "/access", "PVEUserAdmin");
	expect(403, ASK(&a, "POST /access/users/root@pam/token/t1", "privsep=0"), "root@pam");
	expect(403, ASK(&a, "PUT /access/users/root@pam", "comment=x"), "root@pam");
}

static void test_acl(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD);
	grant("a@pve", "/vms/100", "PVEVMAdmin");
	expect(200, ASK(NULL, "GET /access/acl"),
	       "{\"path\":\"/vms/100\",\"type\":\"user\",\"ugid\":\"a@pve\","
	       "\"roleid\":\"PVEVMAdmin\",\"propagate\":1}");
	expect(200, ASK(&a, "GET /access/permissions"), "\"VM.Audit\":1");
	expect(200, ASK(NULL, "GET /access/permissions", "userid=a@pve", "path=/vms/101"),
	       "{\"data\":{\"/vms/101\":{}}}");
	/* who may create the guest may share what he holds himself, there, and no more */
	expect(200, ASK(&a, "PUT /access/acl", "path=/vms/100", "roles=PVEVMUser", "users=b@pve"),
	       FORM);
	expect(403,
	       ASK(&a, "PUT /access/acl", "path=/vms/100", "roles=Administrator", "users=b@pve"),
	       "Permission check failed (/vms/100, ");
	expect(403, ASK(&a, "PUT /access/acl", "path=/vms/101", "roles=PVEVMUser", "users=b@pve"),
	       "Permission check failed (/vms/101, ");
	expect(200,
	       ASK(&a, "PUT /access/acl", "path=/vms/100/", "roles=PVEVMUser", "users=b@pve",
		   "delete=1"),
	       FORM);
	expect(200, ASK(NULL, "GET /access/permissions", "userid=b@pve"), "{\"data\":{}}");
	/* propagate=0 shows as 0 */
	expect(200,
	       ASK(NULL, "PUT /access/acl", "path=/", "roles=PVETemplateUser", "users=b@pve",
		   "propagate=0"),
	       FORM);
	expect(200, ASK(NULL, "GET /access/permissions", "userid=b@pve"),
	       "{\"data\":{\"/\":{\"VM.Audit\":0,\"VM.Clone\":0}}}");
	expect(400, ASK(NULL, "PUT /access/acl", "path=/etc", "roles=PVEAdmin", "users=b@pve"),
	       "\"path\":");
	expect(400, ASK(NULL, "PUT /access/acl", "path=/", "roles=PVEAdmin"), "\"users\":");
	expect(500, ASK(NULL, "PUT /access/acl", "path=/", "roles=Ghost", "users=b@pve"),
	       "role 'Ghost' does not exist");
	expect(500,
	       ASK(NULL, "PUT /access/acl", "path=/", "roles=PVEAdmin", "users=a@pve,ghost@pve"),
	       "no such user ('ghost@pve')");
	expect(200, ASK(NULL, "GET /access/permissions", "userid=a@pve", "path=/"),
	       "{\"data\":{\"/\":{}}}");
}

static void test_tokens(void **state)
{
	struct user t = {0}, sep = {0};
	char value[64];

	(void)state;
	make_user("a@pve");
	grant("a@pve", "/", "PVEVMUser");
	struct user a = login("a@pve", PASSWORD);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/full", "privsep=0", "comment=c"),
	       "{\"data\":{\"full-tokenid\":\"a@pve!full\",\"info\":{\"privsep\":0,\"expire\":0,"
	       "\"comment\":\"c\"},\"value\":\"");
	value_of("value", value, sizeof(value));
	snprintf(t.token, sizeof(t.token), "a@pve!full=%s", value);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/sep"), "\"privsep\":1");
	value_of("value", value, sizeof(value));
	snprintf(sep.token, sizeof(sep.token), "a@pve!sep=%s", value);
	expect(500, ASK(&a, "POST /access/users/a@pve/token/sep"), "already exists");
	expect(400, ASK(&a, "POST /access/users/a@pve/token/1x"), "\"tokenid\":");

	expect(200, ASK(&t, "GET /access/permissions", "path=/"), "VM.Audit");
	expect(200, ASK(&sep, "GET /access/permissions"), "{\"data\":{}}");
	expect(200,
	       ASK(NULL, "PUT /access/acl", "path=/vms", "roles=Administrator", "tokens=a@pve!sep"),
	       FORM);
	expect(200, ASK(&sep, "GET /access/permissions", "path=/vms/100"), "VM.PowerMgmt");
	assert_null(strstr(buf_str(&answer.body), "VM.Allocate"));

	/* a token with rights of its own must not hand itself more */
	expect(403, ASK(&sep, "PUT /access/users/a@pve/token/sep", "privsep=0"), "User.Modify");
	expect(403, ASK(&sep, "POST /access/users/a@pve/token/more", "privsep=0"), "User.Modify");
	expect(403,
	       ASK(&t, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       "Permission check failed");

	expect(200, ASK(&a, "PUT /access/users/a@pve/token/full", "expire=1", "delete=comment"),
	       "{\"data\":{\"privsep\":0,\"expire\":1}}");
	expect(401, ASK(&t, "GET /access/permissions"), "invalid token value!");
	expect(400, ASK(&a, "PUT /access/users/a@pve/token/full", "delete=secret"), "\"delete\":");
	expect(200, ASK(&a, "GET /access/users/a@pve/token"), "\"tokenid\":\"full\"");
	expect(200, ASK(&a, "DELETE /access/users/a@pve/token/sep"), FORM);
	expect(401, ASK(&sep, "GET /access/permissions"), "invalid token value!");
	expect(500, ASK(&a, "GET /access/users/a@pve/token/sep"),
	       "no such token 'sep' for user 'a@pve'");
}

/* Neither passwords nor token secrets are stored or shown anywhere. */
/* A user who makes tokens without end fills the file that all rights are in. */
static void test_tokens_are_bounded(void **state)
{
	int status = 200;
	unsigned made = 0;

	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	for (; made < 300 && status == 200; made++) {
		autofree char *what = xasprintf("POST /access/users/a@pve/token/t%u", made);

		status = ASK(NULL, what);
	}
	assert_int_equal(made, 201);
	expect(500, status, "at most 200 tokens");
	expect(200, ASK(NULL, "POST /access/users/b@pve/token/t1"), "\"value\"");
	expect(200, ASK(NULL, "DELETE /access/users/a@pve/token/t7"), FORM);
	expect(200, ASK(NULL, "POST /access/users/a@pve/token/again"), "\"value\"");
}

static void test_secrets_stay(void **state)
{
	struct store_value v;
	char value[64];

	(void)state;
	make_user("a@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/ci"), "\"value\":");
	value_of("value", value, sizeof(value));
	memset(&v, 0, sizeof(v));
	for (const char *after = NULL; store_next(core.store, "/", after, &v); after = v.path) {
		assert_null(strstr(v.data, value));
		if (!str_eq(v.path, "/priv/shadow.cfg"))
			assert_null(strstr(v.data, PASSWORD));
	}
	expect(200, ASK(NULL, "GET /access/users", "full=1"), "\"tokenid\":\"ci\"");
	assert_null(strstr(buf_str(&answer.body), value));
	assert_null(strstr(buf_str(&answer.body), PASSWORD));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_login),
		TEST(test_csrf_and_disabling),
		TEST(test_password),
		TEST(test_old_tickets),
		TEST(test_users),
		TEST(test_roles),
		TEST(test_visibility),
		TEST(test_acl),
		TEST(test_tokens),
		TEST(test_secrets_stay),
		TEST(test_tokens_are_bounded),
	};

	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper(argv[2]);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&answer.body);
	return r;
}
