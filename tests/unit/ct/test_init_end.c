/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a child, as the hooks of liblxc's monitor find it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void ends_are_noted(void **state)
{
	pid_t first = child(SIGKILL), second = child(0);
	int status = 0;

	(void)state;
	assert_int_equal(waitpid(first, &status, 0), first);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(ct_init_status(first), SIGKILL);
	assert_int_equal(ct_init_status(second), -1);
	assert_int_equal(waitpid(second, NULL, 0), second);
	assert_int_equal(WEXITSTATUS(ct_init_status(second)), 7);
	assert_int_equal(ct_init_status(first), -1);
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
		cmocka_unit_test(ends_are_noted),
		cmocka_unit_test(nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
