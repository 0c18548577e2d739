/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes both ways between two sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/relay.h"

struct run {
	int left, right; /* our ends */
	int a, b, cancel;
	int r;
	pthread_t thread;
};

static void *relay_main(void *ctx)
{
	struct run *run = ctx;

	run->r = relay_run(run->a, run->b, run->cancel, NULL);
	close(run->a);
	close(run->b);
	return NULL;
}

static void connect_both(struct run *run, int cancel)
{
	int left[2], right[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, left), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, right), 0);
	*run = (struct run){left[0], right[0], left[1], right[1], cancel, 0, 0};
}

static void start(struct run *run)
{
	assert_int_equal(pthread_create(&run->thread, NULL, relay_main, run), 0);
}

static void begin(struct run *run, int cancel)
{
	connect_both(run, cancel);
	start(run);
}

static int end(struct run *run)
{
	pthread_join(run->thread, NULL);
	close(run->left);
	close(run->right);
	return run->r;
}

static void both_ways(void **state)
{
	char got[8];
	struct run run;

	(void)state;
	begin(&run, -1);
	assert_int_equal(send(run.left, "there", 5, 0), 5);
	assert_int_equal(recv(run.right, got, 5, MSG_WAITALL), 5);
	assert_memory_equal(got, "there", 5);
	assert_int_equal(send(run.right, "back", 4, 0), 4);
	assert_int_equal(recv(run.left, got, 4, MSG_WAITALL), 4);
	assert_memory_equal(got, "back", 4);
	shutdown(run.left, SHUT_RDWR);
	assert_int_equal(recv(run.right, got, 1, 0), 0);
	assert_int_equal(end(&run), 0);
}

/* More than all buffers hold, the reader late: nothing is lost, also not what was sent right before the end. */
static void everything_arrives(void **state)
{
	enum { TOTAL = 3 * 1024 * 1024 };
	unsigned char *sent = malloc(TOTAL), *got = malloc(TOTAL);
	struct run run;
	size_t size = 0, out = 0;

	(void)state;
	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (unsigned char)(i * 7 + i / 251);
	begin(&run, -1);
	while (size < TOTAL) {
		ssize_t n =
			out < TOTAL ? send(run.right, sent + out, TOTAL - out, MSG_DONTWAIT) : 0;

		out += n > 0 ? (size_t)n : 0;
		if (out == TOTAL)
			shutdown(run.right, SHUT_RDWR);
		n = recv(run.left, got + size, TOTAL - size, out < TOTAL ? MSG_DONTWAIT : 0);
		assert_true(n != 0 || out < TOTAL);
		size += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(sent, got, TOTAL);
	assert_int_equal(end(&run), 0);
	free(sent);
	free(got);
}

static void cancelled(void **state)
{
	struct run run;
	int cancel = eventfd(0, EFD_CLOEXEC);

	(void)state;
	begin(&run, cancel);
	assert_int_equal(eventfd_write(cancel, 1), 0);
	assert_int_equal(end(&run), -ERR_CANCELLED);
	close(cancel);
}

/* A side that is gone while there is something for it. */
static void nobody_takes_it(void **state)
{
	struct run run;

	(void)state;
	begin(&run, -1);
	shutdown(run.left, SHUT_RD);
	send(run.right, "x", 1, MSG_NOSIGNAL);
	assert_int_equal(end(&run), 0);
}

/* A side that left, and takes nothing any more, had its say before: more than the relay holds. */
static void last_words_arrive_while_there_is_something_for_who_said_them(void **state)
{
	enum { WORDS = 2 * RELAY_BUFFER };
	char *sent = calloc(1, WORDS), *got = malloc(WORDS);
	struct run run;

	(void)state;
	memset(sent + WORDS / 2, 'w', WORDS / 2);
	connect_both(&run, -1);
	assert_int_equal(send(run.right, sent, WORDS, MSG_DONTWAIT), WORDS);
	assert_int_equal(send(run.left, "to nobody", 9, 0), 9);
	close(run.right);
	run.right = -1;
	start(&run);
	assert_int_equal(recv(run.left, got, WORDS, MSG_WAITALL), WORDS);
	assert_memory_equal(sent, got, WORDS);
	assert_int_equal(end(&run), 0);
	free(sent);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(everything_arrives),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(nobody_takes_it),
		cmocka_unit_test(last_words_arrive_while_there_is_something_for_who_said_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
