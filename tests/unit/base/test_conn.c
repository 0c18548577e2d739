/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two connections on one loop, talking to each other through a socket pair; and hostile peers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

struct side {
	struct conn *conn;
	unsigned calls, cancels, events, closed;
	uint64_t last_id;
	bool answers, closes_on_call;
	int close_code;
	int fd; /* taken out of the last call or event; -1 */
	char text[64];
};

static sd_event *event;
static struct side server, client;
static unsigned replies, last_status;
static size_t last_body;

static void keep_fd(struct side *side, struct call *call)
{
	if (call->fd_count > 0) {
		closep(&side->fd);
		side->fd = TAKE_FD(call->fds[0]);
	}
}

static void on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	struct side *side = ctx;
	struct reply reply = REPLY_INIT;
	uint64_t size;

	side->calls++;
	side->last_id = id;
	keep_fd(side, call);
	if (side->closes_on_call) {
		conn_close(conn);
		side->conn = NULL;
		return;
	}
	if (!side->answers)
		return;
	reply.status = 200;
	if (str_to_u64(fields_get(&call->params, "size"), &size)) {
		buf_reserve(&reply.body, size);
		memset(reply.body.data, 'z', size);
		reply.body.size = size;
	}
	conn_reply(conn, id, &reply);
}

static void on_cancel(struct conn *conn, uint64_t id, void *ctx)
{
	struct side *side = ctx;
	struct reply late = REPLY_INIT;

	side->cancels++;
	assert_true(id == side->last_id);
	conn_reply(conn, id, &late); /* ignored */
}

static void on_event(struct conn *conn, struct call *ev, void *ctx)
{
	struct side *side = ctx;

	(void)conn;
	side->events++;
	keep_fd(side, ev);
	str_copy(side->text, sizeof(side->text), fields_get(&ev->head, "text"));
}

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	struct side *side = ctx;

	assert_ptr_equal(conn, side->conn);
	side->closed++;
	side->close_code = err->code;
	side->conn = NULL;
}

static const struct conn_ops ops = {on_call, on_cancel, on_event, on_closed};
static const struct conn_ops deaf = {.on_closed = on_closed};

static void on_reply(struct reply *reply, void *ctx)
{
	autobuf body = BUF_INIT;

	(void)ctx;
	replies++;
	last_status = reply->status;
	last_body = reply->body.size;
	if (reply->body_fd >= 0) {
		assert_int_equal(fd_memfd_read(reply->body_fd, 1 << 26, &body, NULL), 0);
		last_body = body.size;
	}
}

static void start(const struct conn_ops *server_ops)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	server = client = (struct side){.answers = true, .fd = -1};
	replies = last_status = 0;
	assert_int_equal(conn_new(event, pair[0], server_ops, &server, &server.conn, NULL), 0);
	assert_int_equal(conn_new(event, pair[1], &ops, &client, &client.conn, NULL), 0);
}

static void stop(void)
{
	conn_close(server.conn);
	conn_close(client.conn);
	closep(&server.fd);
	closep(&client.fd);
}

/* Runs the loop until *counter is at least n; a test that hangs fails. */
static void run_until(const unsigned *counter, unsigned n)
{
	usec_t limit = clock_monotonic() + 20 * USEC_PER_SEC;

	while (*counter < n) {
		assert_true(clock_monotonic() < limit);
		assert_true(sd_event_run(event, 1000000) >= 0);
	}
}

static void run_idle(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static uint64_t call_with(const char *name, const char *value, uint32_t deadline_ms)
{
	struct call call = CALL_INIT;
	uint64_t id = 0;

	call.op = CALL_API;
	call.deadline_ms = deadline_ms;
	fields_add(&call.params, name, value);
	assert_int_equal(conn_call(client.conn, &call, on_reply, NULL, &id, NULL), 0);
	call_fini(&call);
	return id;
}

static void test_call_and_reply(void **state)
{
	(void)state;
	start(&ops);
	assert_int_equal(conn_peer(server.conn)->pid, getpid());
	assert_int_equal(conn_peer(server.conn)->uid, getuid());
	assert_ptr_equal(conn_ctx(server.conn), &server);
	call_with("size", "100", 5000);
	run_until(&replies, 1);
	assert_int_equal(last_status, 200);
	assert_int_equal(last_body, 100);
	call_with("size", "5000000", 5000); /* by memfd */
	run_until(&replies, 2);
	assert_int_equal(last_body, 5000000);
	stop();
}

/* A process that has run out of descriptors still gives away those that it has. */
static void test_reply_with_the_last_descriptor(void **state)
{
	struct reply reply = REPLY_INIT;
	struct rlimit before, none;
	int next;

	(void)state;
	start(&ops);
	server.answers = false;
	call_with("a", "b", 5000);
	run_until(&server.calls, 1);
	reply.status = 200;
	assert_int_equal(fd_memfd_sealed("body", "words", 5, &reply.body_fd, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	next = dup(reply.body_fd);
	close(next);
	none = before;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(dup(reply.body_fd), -1);
	conn_reply(server.conn, server.last_id, &reply);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	run_until(&replies, 1);
	assert_int_equal(last_status, 200);
	assert_int_equal(last_body, 5);
	assert_int_equal(client.closed + server.closed, 0);
	stop();
}

static void test_burst(void **state)
{
	(void)state;
	start(&ops);
	for (int i = 0; i < FRAME_CALLS_MAX; i++)
		call_with("size", i % 100 ? "10" : "70000", 0);
	assert_int_equal(conn_call(client.conn, &CALL_INIT, on_reply, NULL, NULL, NULL),
			 -ERR_LIMIT);
	run_until(&replies, FRAME_CALLS_MAX);
	assert_int_equal(server.calls, FRAME_CALLS_MAX);
	assert_int_equal(client.closed + server.closed, 0);
	stop();
}

static void test_deadline(void **state)
{
	(void)state;
	start(&ops);
	server.answers = false;
	call_with("a", "b", 20);
	call_with("a", "b", 10);
	run_until(&replies, 1);
	assert_int_equal(last_status, 504);
	run_until(&replies, 2);
	run_until(&server.calls, 2);
	stop();
}

static void test_cancel(void **state)
{
	uint64_t id;

	(void)state;
	start(&ops);
	server.answers = false;
	id = call_with("a", "b", 0);
	run_until(&server.calls, 1);
	conn_cancel(client.conn, id);
	conn_cancel(client.conn, id);
	run_until(&server.cancels, 1);
	run_idle();
	assert_int_equal(replies, 0);
	assert_int_equal(server.cancels, 1);
	stop();
}

static void test_events_and_descriptors(void **state)
{
	struct call ev = CALL_INIT;
	struct stat a, b;

	(void)state;
	start(&ops);
	ev.op = EVENT_GUEST;
	ev.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev.fd_count = 1;
	fstat(ev.fds[0], &a);
	for (int i = 0; i < 50; i++) {
		fields_set(&ev.head, "text", i == 49 ? "last" : "some");
		conn_event(server.conn, &ev);
	}
	run_until(&client.events, 50);
	assert_string_equal(client.text, "last");
	assert_int_equal(fstat(client.fd, &b), 0);
	assert_true(a.st_rdev == b.st_rdev);
	assert_true(fcntl(client.fd, F_GETFD) & FD_CLOEXEC);
	call_fini(&ev);
	stop();
}

static void test_refused_calls(void **state)
{
	(void)state;
	start(&deaf);
	call_with("a", "b", 0);
	run_until(&replies, 1);
	assert_int_equal(last_status, 501);
	stop();
}

static void test_closing_inside_callback(void **state)
{
	(void)state;
	start(&ops);
	server.closes_on_call = true;
	for (int i = 0; i < 10; i++)
		call_with("a", "b", 0);
	run_until(&client.closed, 1);
	assert_int_equal(server.calls, 1);
	assert_int_equal(server.closed, 0);
	assert_int_equal(replies, 10);
	assert_int_equal(last_status, 596);
	assert_int_equal(client.close_code, ERR_UNAVAILABLE);
	stop();
}

static void call_again(struct reply *reply, void *ctx)
{
	struct call call = CALL_INIT;

	(void)reply;
	(void)ctx;
	replies++;
	assert_int_equal(conn_call(client.conn, &call, on_reply, NULL, NULL, NULL),
			 -ERR_UNAVAILABLE);
}

static void test_calling_from_a_broken_call(void **state)
{
	struct call call = CALL_INIT;

	(void)state;
	start(&ops);
	server.closes_on_call = true;
	assert_int_equal(conn_call(client.conn, &call, call_again, NULL, NULL, NULL), 0);
	run_until(&client.closed, 1);
	assert_int_equal(replies, 1);
	stop();
}

/* a peer that sends bytes of its own */
static int start_raw(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	server = client = (struct side){.answers = true, .fd = -1};
	assert_int_equal(conn_new(event, pair[0], &ops, &server, &server.conn, NULL), 0);
	return pair[1];
}

static void test_garbage_closes(void **state)
{
	static const char *const garbage[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"\xff\xff\xff\xff\x01\x00\x01\x00zzzzzzzz",
	};
	static const uint8_t cancel_with_content[] = {1, 0, 0, 0, 3, 0, 1, 0, 1,
						      0, 0, 0, 0, 0, 0, 0, 9};
	static const uint8_t promised_fds[] = {0, 0, 0, 0, 3, 2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
	const struct {
		const void *bytes;
		size_t size;
	} cases[] = {{garbage[0], 18},
		     {garbage[1], 16},
		     {cancel_with_content, sizeof(cancel_with_content)},
		     {promised_fds, sizeof(promised_fds)}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofd int fd = start_raw();

		assert_int_equal(write(fd, cases[i].bytes, cases[i].size), cases[i].size);
		run_until(&server.closed, 1);
		assert_int_equal(server.close_code, ERR_CORRUPT);
	}
}

/* a call byte by byte, then thousands of tiny frames at once, then a duplicate id */
static void test_odd_but_legal(void **state)
{
	autofd int fd = start_raw();
	struct call call = CALL_INIT;
	autobuf b = BUF_INIT;

	(void)state;
	server.answers = false;
	frame_encode_call(1, &call, &b);
	for (size_t i = 0; i < b.size; i++) {
		assert_int_equal(write(fd, b.data + i, 1), 1);
		run_idle();
		assert_int_equal(server.calls, i + 1 == b.size);
	}
	buf_clear(&b);
	for (uint64_t i = 0; i < 4000; i++)
		frame_encode_cancel(1000 + i, &b);
	frame_encode_cancel(1, &b);
	assert_int_equal(write(fd, b.data, b.size), b.size);
	run_until(&server.cancels, 1);
	buf_clear(&b);
	frame_encode_call(2, &call, &b);
	frame_encode_call(2, &call, &b);
	assert_int_equal(write(fd, b.data, b.size), b.size);
	run_until(&server.closed, 1);
	assert_int_equal(server.close_code, ERR_CORRUPT);
	assert_int_equal(server.calls, 2);
}

static void test_peer_that_does_not_read(void **state)
{
	autofd int fd = start_raw();
	struct call ev = CALL_INIT;
	autofree char *text = xcalloc(1, 1 << 20);

	(void)state;
	(void)fd; /* stays open, and is never read */
	memset(text, 'x', (1 << 20) - 1);
	fields_add(&ev.head, "text", text);
	for (int i = 0; i < 70; i++)
		conn_event(server.conn, &ev);
	run_until(&server.closed, 1);
	assert_int_equal(server.close_code, ERR_LIMIT);
	call_fini(&ev);
}

static void test_output_continues_when_read(void **state)
{
	autofd int fd = start_raw();
	struct call ev = CALL_INIT;
	autofree char *text = xcalloc(1, 100000);
	char chunk[65536];
	size_t got = 0, expected;
	autobuf one = BUF_INIT;

	(void)state;
	memset(text, 'x', 99999);
	fields_add(&ev.head, "text", text);
	frame_encode_event(&ev, &one);
	expected = 100 * one.size;
	for (int i = 0; i < 100; i++)
		conn_event(server.conn, &ev);
	while (got < expected) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

		assert_true(n > 0 || errno == EAGAIN);
		got += n > 0 ? (size_t)n : 0;
		run_idle();
	}
	assert_int_equal(got, expected);
	call_fini(&ev);
	stop();
}

static int unread(int fd)
{
	int size = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &size), 0);
	return size;
}

static void test_held_output(void **state)
{
	autofd int fd = start_raw();
	struct call small = CALL_INIT, large = CALL_INIT, with_fd = CALL_INIT;
	autofree char *text = xcalloc(1, 100000);
	int sent;

	(void)state;
	memset(text, 'x', 99999);
	fields_add(&small.head, "text", "a");
	fields_add(&large.head, "text", text);
	with_fd.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	with_fd.fd_count = 1;
	conn_hold(server.conn);
	conn_event(server.conn, &small);
	conn_event(server.conn, &small);
	assert_int_equal(unread(fd), 0);
	conn_release(server.conn);
	sent = unread(fd);
	assert_true(sent > 0);
	conn_hold(server.conn);
	conn_event(server.conn, &small);
	assert_int_equal(unread(fd), sent);
	conn_event(server.conn, &with_fd); /* takes along what is before it */
	assert_true(unread(fd) > sent + sent / 2);
	sent = unread(fd);
	conn_event(server.conn, &large);
	assert_true(unread(fd) >= sent + 99999);
	conn_release(server.conn);
	call_fini(&small);
	call_fini(&large);
	call_fini(&with_fd);
	stop();
}

static void test_listen_and_connect(void **state)
{
	autofree char *path = xasprintf("/tmp/lodge-test-conn-%d", (int)getpid());
	autofd int listener = -1, second = -1, fd = -1;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(conn_connect(path, &fd, &err), -ERR_NOT_FOUND);
	assert_int_equal(conn_listen(path, 0660, getuid(), getgid(), &listener, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(conn_listen(path, 0660, getuid(), getgid(), &second, &err), -ERR_BUSY);
	assert_int_equal(conn_connect(path, &fd, &err), 0);
	close(TAKE_FD(listener));
	assert_true(conn_connect(path, &second, &err) < 0);
	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &listener, &err),
			 0); /* stale */
	unlink(path);
	assert_int_equal(file_write_atomic(path, "", 0, 0600, &err), 0);
	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &second, &err), -ERR_EXISTS);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	return sd_event_new(&event) < 0;
}

static int teardown(void **state)
{
	(void)state;
	sd_event_unref(event);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_and_reply),
		cmocka_unit_test(test_reply_with_the_last_descriptor),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_events_and_descriptors),
		cmocka_unit_test(test_refused_calls),
		cmocka_unit_test(test_closing_inside_callback),
		cmocka_unit_test(test_calling_from_a_broken_call),
		cmocka_unit_test(test_garbage_closes),
		cmocka_unit_test(test_odd_but_legal),
		cmocka_unit_test(test_peer_that_does_not_read),
		cmocka_unit_test(test_output_continues_when_read),
		cmocka_unit_test(test_held_output),
		cmocka_unit_test(test_listen_and_connect),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
