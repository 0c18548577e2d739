/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The relay of a terminal against a viewer and a guest that are sockets here: log-in, order, a viewer that does
 * not read, ends on either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/core/console_job.h"
#include "agent/task/console/terminal.h"

struct run {
	int viewer, guest; /* our ends */
	struct viewer v;
	struct terminal t;
	const char *secret;
	int login, relayed;
	struct err err;
	pthread_t thread;
};

static void *relay_main(void *ctx)
{
	struct run *run = ctx;

	run->login = viewer_await(&run->v, &run->err);
	if (run->login == 0)
		run->login = viewer_login(&run->v, run->secret, &run->err);
	if (run->login == 0)
		run->relayed = terminal_relay(&run->v, &run->t, &run->err);
	close(run->v.fd);
	terminal_fini(&run->t);
	viewer_fini(&run->v);
	return NULL;
}

/* process: readable once the guest has ended, or -1 */
static void begin_with(struct run *run, const char *secret, int process)
{
	int viewer[2], guest[2];

	*run = (struct run){.secret = secret, .t = TERMINAL_NONE};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, viewer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, guest), 0);
	run->viewer = viewer[0];
	run->guest = guest[0];
	run->v.fd = viewer[1];
	run->t.fd = guest[1];
	run->t.guest = process;
	termproxy_init(&run->v.parser);
	fd_set_nonblock(run->v.fd, true);
	assert_int_equal(pthread_create(&run->thread, NULL, relay_main, run), 0);
}

static void begin(struct run *run, const char *secret)
{
	begin_with(run, secret, -1);
}

static void end(struct run *run)
{
	pthread_join(run->thread, NULL);
	close(run->viewer);
	close(run->guest);
}

static void say(int fd, const char *text)
{
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
}

static void hear(int fd, const char *text)
{
	char got[256];
	size_t size = strlen(text);

	assert_true(size < sizeof(got));
	assert_int_equal(recv(fd, got, size, MSG_WAITALL), size);
	got[size] = '\0';
	assert_string_equal(got, text);
}

static void hear_end(int fd)
{
	char byte;

	assert_true(recv(fd, &byte, 1, 0) <= 0); /* reset, if something was left unread */
}

static void test_conversation(void **state)
{
	struct run run;

	(void)state;
	begin(&run, "u:t");
	say(run.viewer, "!u:t\n0:5:early");
	hear(run.viewer, "OK");
	hear(run.guest, "early");
	say(run.guest, "answer");
	hear(run.viewer, "answer");
	say(run.viewer, "1:80:24:20:4:more");
	hear(run.guest, "more");
	shutdown(run.viewer, SHUT_RDWR);
	hear_end(run.guest);
	end(&run);
	assert_int_equal(run.relayed, 0);
}

static void test_terminal_ends(void **state)
{
	struct run run;

	(void)state;
	begin(&run, "u:t");
	say(run.viewer, "!u:t\n");
	say(run.guest, "last words");
	shutdown(run.guest, SHUT_RDWR);
	hear(run.viewer, "OKlast words");
	hear_end(run.viewer);
	end(&run);
	assert_int_equal(run.relayed, 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *said;
		int code;
	} cases[] = {
		{"!u:x\n", ERR_AUTH},
		{"!u:t \n", ERR_AUTH},
		{"!\n", ERR_AUTH},
		{"u:t\n", ERR_INTERNAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		begin(&run, "u:t");
		say(run.viewer, cases[i].said);
		hear_end(run.viewer);
		end(&run);
		assert_int_equal(run.login, -cases[i].code);
	}
}

static void test_no_secret_no_entry(void **state)
{
	struct run run;

	(void)state;
	begin(&run, NULL);
	say(run.viewer, "!\n");
	hear_end(run.viewer);
	end(&run);
	assert_int_equal(run.login, -ERR_AUTH);
}

static void test_nobody_comes(void **state)
{
	struct run run;

	(void)state;
	begin(&run, "u:t");
	shutdown(run.viewer, SHUT_RDWR);
	end(&run);
	assert_int_equal(run.login, -ERR_TIMEOUT);
	assert_string_equal(run.err.message, "no viewer came in time");
}

static void test_nonsense_ends_it(void **state)
{
	struct run run;

	(void)state;
	begin(&run, "u:t");
	say(run.viewer, "!u:t\nnonsense");
	hear(run.viewer, "OK");
	hear_end(run.viewer);
	end(&run);
	assert_int_equal(run.relayed, -ERR_INVALID);
}

/* The guest writes far more than all buffers hold; nobody reads meanwhile. */
static void test_viewer_does_not_read(void **state)
{
	enum { TOTAL = 4 * 1024 * 1024 };
	char *lines = malloc(TOTAL);
	autobuf got = BUF_INIT;
	struct run run;
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < TOTAL; i++)
		lines[i] = i % 64 == 63 ? '\n' : (char)('a' + i / 64 % 26);
	begin(&run, "u:t");
	say(run.viewer, "!u:t\n");
	hear(run.viewer, "OK");
	usec_t began = clock_monotonic();
	assert_int_equal(fd_write_all(run.guest, lines, TOTAL, NULL), 0);
	say(run.guest, "the prompt");
	assert_true(clock_monotonic() - began < 15 * USEC_PER_SEC);
	shutdown(run.guest, SHUT_WR);
	buf_reserve(&got, TOTAL * 2);
	while ((n = recv(run.viewer, got.data + got.size, 65536, 0)) > 0)
		got.size += (size_t)n;
	end(&run);
	assert_true(got.size >= TERMINAL_BACKLOG && got.size < TOTAL);
	assert_non_null(strstr(buf_str(&got), "bytes of output were skipped"));
	assert_string_equal(got.data + got.size - strlen("the prompt"), "the prompt");
	free(lines);
}

/* What the guest said before it ended is not lost, though the viewer held it up. */
static void test_guest_ends_before_its_output(void **state)
{
	enum { TOTAL = TERMINAL_BACKLOG + TERMINAL_BACKLOG / 2 };
	static char part[TOTAL];
	struct run run;
	int process[2];
	size_t got = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(process), 0);
	begin_with(&run, "u:t", process[0]);
	say(run.viewer, "!u:t\n");
	hear(run.viewer, "OK");
	/* all of it is taken: by the viewer's socket, by the relay, and the rest waits in the guest's */
	assert_int_equal(setsockopt(run.guest, SOL_SOCKET, SO_SNDBUF, &(int){TOTAL}, sizeof(int)),
			 0);
	assert_int_equal(fd_write_all(run.guest, part, sizeof(part), NULL), 0);
	close(process[1]);
	while ((n = recv(run.viewer, part, 4096, 0)) > 0)
		got += (size_t)n;
	end(&run);
	assert_int_equal(got, TOTAL);
}

/* A viewer that is a little slow loses nothing. */
static void test_viewer_reads_all(void **state)
{
	enum { TOTAL = 4 * 1024 * 1024 };
	static char part[16384];
	struct run run;
	size_t got = 0, sent = 0;

	(void)state;
	begin(&run, "u:t");
	say(run.viewer, "!u:t\n");
	hear(run.viewer, "OK");
	while (got < TOTAL) {
		struct pollfd fds[2] = {{.fd = run.guest, .events = sent < TOTAL ? POLLOUT : 0},
					{.fd = run.viewer, .events = POLLIN}};

		assert_true(poll(fds, 2, 10000) > 0);
		if (fds[0].revents & POLLOUT) {
			ssize_t n = send(run.guest, part, sizeof(part), MSG_DONTWAIT);
			sent += n > 0 ? (size_t)n : 0;
		}
		if (fds[1].revents) {
			ssize_t n = recv(run.viewer, part, sizeof(part), 0);
			assert_true(n > 0);
			got += (size_t)n;
		}
	}
	shutdown(run.viewer, SHUT_RDWR);
	end(&run);
	assert_int_equal(got, sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversation),
		cmocka_unit_test(test_terminal_ends),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_secret_no_entry),
		cmocka_unit_test(test_nobody_comes),
		cmocka_unit_test(test_nonsense_ends_it),
		cmocka_unit_test(test_viewer_does_not_read),
		cmocka_unit_test(test_guest_ends_before_its_output),
		cmocka_unit_test(test_viewer_reads_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
