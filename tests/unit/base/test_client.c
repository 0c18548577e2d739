/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocking client against a fake core on a thread that follows a script. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/client.h"
#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

/* What the fake core does, one letter a connection: 'r' replies, 'e' sends an event and then
 * replies, 'c' closes after reading, 'n' closes at once, 'g' answers garbage, 's' is silent. */
struct fake {
	const char *script;
	int listener;
	unsigned served;
	pthread_t thread;
};

static char path[64];

static void read_call(int fd)
{
	char header[FRAME_HEADER_SIZE], payload[65536];
	struct frame_header h;

	assert_int_equal(recv(fd, header, sizeof(header), MSG_WAITALL), sizeof(header));
	assert_int_equal(frame_decode_header(header, &h, NULL), 0);
	assert_true(h.length < sizeof(payload));
	assert_int_equal(recv(fd, payload, h.length, MSG_WAITALL), h.length);
}

static void answer(int fd, char how)
{
	struct reply reply = REPLY_INIT;
	struct call event = CALL_INIT;
	int fds[FRAME_FDS_MAX];
	unsigned count;
	autobuf out = BUF_INIT;

	if (how == 'e')
		frame_encode_event(&event, &out);
	reply.status = 200;
	buf_add_str(&reply.body, "done");
	if (how == 'g')
		buf_add_str(&out, "this is no frame at all");
	else
		frame_encode_reply(1, &reply, &out, fds, &count, NULL);
	fd_write_all(fd, out.data, out.size, NULL);
	reply_fini(&reply);
}

static void *serve(void *arg)
{
	struct fake *fake = arg;

	for (const char *s = fake->script; *s; s++) {
		autofd int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
		char byte;

		if (*s == 'n') {
			fake->served++;
			continue;
		}
		read_call(fd);
		if (*s == 's')
			recv(fd, &byte, 1, 0); /* until the client goes */
		else if (*s != 'c')
			answer(fd, *s);
		fake->served++;
	}
	return NULL;
}

static void start(struct fake *fake, const char *script)
{
	*fake = (struct fake){.script = script, .listener = -1};
	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &fake->listener, NULL), 0);
	assert_int_equal(fd_set_nonblock(fake->listener, false), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

static void stop(struct fake *fake)
{
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	unlink(path);
}

static void test_scripts(void **state)
{
	static const struct {
		const char *script;
		bool again;
		int code; /* 0: the reply came */
		unsigned wait_ms;
	} cases[] = {
		{"r", false, 0, 20000},		  {"e", false, 0, 20000},
		{"c", false, ERR_UNKNOWN, 20000}, {"cr", true, 0, 20000},
		{"g", true, ERR_CORRUPT, 20000},  {"s", true, ERR_TIMEOUT, 100},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call call = CALL_INIT;
		struct reply reply = REPLY_INIT;
		struct fake fake;
		struct err err = ERR_INIT;
		bool was_sent = false;
		int r;

		start(&fake, cases[i].script);
		call.op = CALL_API;
		r = client_call_tracked(path, &call,
					clock_monotonic() + cases[i].wait_ms * USEC_PER_MSEC,
					cases[i].again, &was_sent, &reply, &err);
		stop(&fake);
		assert_true(was_sent);
		if (r != -cases[i].code)
			fail_msg("script %s: %d %s", cases[i].script, r, err.message);
		assert_int_equal(fake.served, strlen(cases[i].script));
		if (r == 0)
			assert_string_equal(buf_str(&reply.body), "done");
		reply_fini(&reply);
	}
}

static void *start_late(void *arg)
{
	struct fake *fake = arg;

	start(fake, "r");
	return NULL;
}

static void test_core_comes_up(void **state)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	struct err err = ERR_INIT;
	struct fake fake;
	pthread_t late;

	(void)state;
	assert_int_equal(pthread_create(&late, NULL, start_late, &fake), 0);
	assert_int_equal(client_call(path, &call, clock_monotonic() + 20 * USEC_PER_SEC, false,
				     &reply, &err),
			 0);
	pthread_join(late, NULL);
	stop(&fake);
	reply_fini(&reply);
}

static void test_no_core(void **state)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	struct err err = ERR_INIT;
	bool was_sent = true;

	(void)state;
	assert_int_equal(client_call_tracked(path, &call, clock_monotonic() + 120 * USEC_PER_MSEC,
					     true, &was_sent, &reply, &err),
			 -ERR_UNAVAILABLE);
	assert_false(was_sent);
	assert_int_equal(client_call(path, &call, 0, true, &reply, NULL), -ERR_UNAVAILABLE);
	for (int i = 0; i <= FIELDS_COUNT_MAX; i++)
		fields_add(&call.head, "a", "b");
	assert_int_equal(client_call(path, &call, 0, true, &reply, &err), -ERR_LIMIT);
	call_fini(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_core_comes_up),
		cmocka_unit_test(test_no_core),
	};

	snprintf(path, sizeof(path), "/tmp/lodge-test-client-%d", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
