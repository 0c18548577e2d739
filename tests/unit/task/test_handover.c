/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors from a helper program to its job. The program is this one, started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/task/handover.h"

#define PATIENCE (20 * USEC_PER_SEC)

static int helper(const char *what)
{
	struct err err = ERR_INIT;
	int fds[HANDOVER_FDS_MAX];

	if (str_eq(what, "silent"))
		return 3;
	if (str_eq(what, "fork"))
		(void)!fork();
	if (str_eq(what, "hang") || str_eq(what, "fork"))
		for (;;)
			pause();
	if (str_eq(what, "refuse"))
		err_set(&err, ERR_BUSY, "all are in use");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return 1;
	return handover_send(fds, str_eq(what, "one") ? 1 : 2, &err);
}

static int run(const char *what, usec_t timeout, int fds[2], struct err *err)
{
	const char *argv[] = {"/proc/self/exe", "helper", what, NULL};

	return handover_run(argv, timeout, fds, 2, err);
}

static void gives(void **state)
{
	char got[4] = "";
	int fds[2];

	(void)state;
	assert_int_equal(run("two", PATIENCE, fds, NULL), 0);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	assert_int_equal(read(fds[0], got, 3), 3);
	assert_string_equal(got, "abc");
	close(fds[0]);
	close(fds[1]);
}

static void fails(void **state)
{
	static const struct {
		const char *what;
		usec_t timeout;
		int code;
		const char *message;
	} cases[] = {
		{"refuse", PATIENCE, ERR_BUSY, "all are in use"},
		{"silent", PATIENCE, ERR_INTERNAL, "its helper ended without a word"},
		{"one", PATIENCE, ERR_INTERNAL, "its helper ended without a word"},
		{"hang", 200 * USEC_PER_MSEC, ERR_TIMEOUT, "no answer in time"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		int fds[2] = {-7, -7}, before = dup(0);

		close(before);
		assert_int_equal(run(cases[i].what, cases[i].timeout, fds, &err), -cases[i].code);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(fds[0], -7);
		int after = dup(0);

		assert_int_equal(after, before); /* nothing is left open */
		close(after);
	}
}

/* What it started hangs as well: the end of a pipe that both inherit shows that neither is left. */
static void leaves_no_process(void **state)
{
	int fds[2], ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(run("fork", 500 * USEC_PER_MSEC, fds, NULL), -ERR_TIMEOUT);
	close(ends[1]);
	struct pollfd end = {.fd = ends[0], .events = POLLIN};

	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void no_program(void **state)
{
	const char *argv[] = {"/nowhere/program", NULL};
	int fds[2];

	(void)state;
	assert_int_equal(handover_run(argv, PATIENCE, fds, 2, NULL), -ERR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives),
		cmocka_unit_test(fails),
		cmocka_unit_test(leaves_no_process),
		cmocka_unit_test(no_program),
	};

	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
