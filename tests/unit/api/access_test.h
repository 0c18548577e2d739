/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The resources below /access, asked over a connection as the gate asks them: real dispatcher,
 * store and helper processes; only the hash function is a fake (the program is its own helper).
 * Included by one test file each. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>

#include "agent/api/api.h"
#include "agent/base/conn.h"
#include "agent/base/mem.h"
#include "tests/unit/auth/access_test.h"

#define PASSWORD "correct horse"
#define FORM	 "{\"data\":null"

/* ---- the fake helper: main() calls it when its arguments are "helper" and a name ---- */

static inline int helper(const char *name)
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

struct answer {
	bool is_there;
	int status;
	struct buf body;
};
static struct answer answer;

static inline void on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	(void)ctx;
	api_call(&core, conn, id, call, is_local);
}

static inline void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)ctx;
	fail_msg("%s", err->message);
}

static inline int on_store(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)ctx;
	store_dispatch(fixture.store);
	return 0;
}

static const struct conn_ops ops = {.on_call = on_call, .on_closed = on_closed};

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	(void)state;
	conn_close(client);
	conn_close(server);
	api_fini(&core);
	helpers_free(core.helpers);
	access_free(core.access);
	sd_event_unref(core.event);
	store_fixture_fini(&fixture);
	buf_fini(&answer.body);
	return 0;
}

static inline void on_reply(struct reply *reply, void *ctx)
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
static inline int ask(const struct user *user, const char *what, ...)
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

static inline void expect(int status, int got, const char *part)
{
	if (status != got || !strstr(buf_str(&answer.body), part))
		fail_msg("wanted %d with %s, got %d: %s", status, part, got, buf_str(&answer.body));
}

static inline void value_of(const char *key, char *ret, size_t size)
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

static inline struct user login(const char *userid, const char *password)
{
	struct user user = {0};
	autofree char *name = xasprintf("username=%s", userid);
	autofree char *word = xasprintf("password=%s", password);

	expect(200, ASK(&nobody, "POST /access/ticket", name, word), "\"ticket\":\"PVE:");
	value_of("ticket", user.ticket, sizeof(user.ticket));
	value_of("CSRFPreventionToken", user.csrf, sizeof(user.csrf));
	return user;
}

static inline void make_user(const char *userid)
{
	autofree char *id = xasprintf("userid=%s", userid);

	expect(200, ASK(NULL, "POST /access/users", id, "password=" PASSWORD), FORM);
}

static inline void grant(const char *userid, const char *path, const char *role)
{
	autofree char *users = xasprintf("users=%s", userid);
	autofree char *p = xasprintf("path=%s", path);
	autofree char *roles = xasprintf("roles=%s", role);

	expect(200, ASK(NULL, "PUT /access/acl", p, users, roles), FORM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
