/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a child, as the hooks of liblxc's monitor find it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/guest/ct/init_end.h"

static pid_t child(int signal)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (signal)
			raise(signal);
		_exit(7);
	}
	return pid;
}

static void is_init(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	setenv("LXC_PID", text, 1);
}

static void end_is_noted(void **state)
{
	pid_t init = child(SIGKILL);
	int status = 0;

	(void)state;
	is_init(init);
	assert_int_equal(ct_init_status(init), -1);
	assert_int_equal(waitpid(init, &status, 0), init);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(ct_init_status(init), SIGKILL);
}

static void others_change_nothing(void **state)
{
	pid_t before = child(SIGKILL), init = child(0), after = child(SIGKILL);

	(void)state;
	is_init(init);
	assert_int_equal(waitpid(before, NULL, 0), before);
	assert_int_equal(ct_init_status(before), -1);
	assert_int_equal(waitpid(init, NULL, 0), init);
	assert_int_equal(waitpid(after, NULL, 0), after);
	assert_int_equal(ct_init_status(after), -1);
	assert_int_equal(WEXITSTATUS(ct_init_status(init)), 7);
}

static void nothing_to_wait_for(void **state)
{
	int status = 77;

	(void)state;
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(status, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_is_noted),
		cmocka_unit_test(others_change_nothing),
		cmocka_unit_test(nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
