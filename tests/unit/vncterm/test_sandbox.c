/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process that was taken over would try: each attempt is one that the kernel allows a process outside of the
 * sandbox, so that only the sandbox can refuse it. Each runs in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/sandbox.h"

#define CAME_BACK 64 /* plus errno: how a child ends that has made its attempt */

static int pair[2];
static char folder[] = "/tmp/lodge-unit-sandbox-XXXXXX";
static int file;

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	return 0;
}

static int tear_down(void **state)
{
	char path[sizeof(folder) + 10];

	(void)state;
	close(file);
	close(pair[0]);
	close(pair[1]);
	snprintf(path, sizeof(path), "%s/vncterm", folder);
	rmdir(path);
	rmdir(folder);
	return 0;
}

/* Without what a sanitizer does before calls that do not return. */
static void leave(int status)
{
	syscall(SYS_exit_group, status);
}

/* What an attempt in a new sandbox comes to: 0, or the errno. */
static int outcome(int (*attempt)(void))
{
	pid_t parent = getpid(), pid = fork();
	int status;

	if (pid == 0) {
		if (sandbox_enter(parent, NULL) < 0)
			leave(1);
		leave(CAME_BACK + (attempt() < 0 ? errno : 0));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) >= CAME_BACK);
	return WEXITSTATUS(status) - CAME_BACK;
}

/* -- attempts ------------------------------------------------------------------------------------- */

static int limit(pid_t pid, int resource)
{
	const struct rlimit now = {.rlim_cur = 1000, .rlim_max = 1000};

	return (int)syscall(SYS_prlimit64, pid, resource, &now, NULL);
}

static int limit_itself(void)
{
	return limit(0, RLIMIT_CPU);
}

static int limit_by_pid(void)
{
	return limit(getpid(), RLIMIT_CPU);
}

static int read_limits_of_another(void)
{
	struct rlimit old;

	return (int)syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &old);
}

static int own_signals(void)
{
	return fcntl(pair[0], F_SETOWN, getpid());
}

static int choose_signal(void)
{
	return fcntl(pair[0], F_SETSIG, SIGUSR1);
}

static int signal_on_input(void)
{
	return fcntl(pair[0], F_SETFL, O_NONBLOCK | O_ASYNC);
}

static int signal_on_input_by_ioctl(void)
{
	return ioctl(pair[0], FIOASYNC, &(int){1});
}

static int lease_a_file(void)
{
	return fcntl(file, F_SETLEASE, F_RDLCK);
}

static int signal_itself(void)
{
	return (int)syscall(SYS_kill, getpid(), 0);
}

static int open_root(void)
{
	return open("/", O_RDONLY | O_CLOEXEC);
}

static void test_refused(void **state)
{
	int (*const attempts[])(void) = {
		limit_itself,  limit_by_pid,	read_limits_of_another,	  own_signals,
		choose_signal, signal_on_input, signal_on_input_by_ioctl, lease_a_file,
		signal_itself, open_root,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		int is = outcome(attempts[i]);

		if (is != EPERM)
			fail_msg("attempt %zu: %s", i, strerror(is));
	}
}

/* -- what it needs -------------------------------------------------------------------------------- */

static int copies_descriptors(void)
{
	return fcntl(pair[0], F_DUPFD_CLOEXEC, 4);
}

static int stops_blocking(void)
{
	int flags = fcntl(pair[0], F_GETFL);

	return flags < 0 ? -1 : fcntl(pair[0], F_SETFL, flags | O_NONBLOCK);
}

static int closes_on_exec(void)
{
	int flags = fcntl(pair[0], F_GETFD);

	return flags < 0 ? -1 : fcntl(pair[0], F_SETFD, flags | FD_CLOEXEC);
}

static int reads_its_stack_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_STACK, &limit);
}

static int says_something(void)
{
	return (int)write(pair[0], "x", 1);
}

static void test_allowed(void **state)
{
	int (*const needs[])(void) = {copies_descriptors, stops_blocking, closes_on_exec,
				      reads_its_stack_limit, says_something};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		int is = outcome(needs[i]);

		if (is != 0)
			fail_msg("need %zu: %s", i, strerror(is));
	}
}

/* -- bounds --------------------------------------------------------------------------------------- */

static int fills_a_file(void)
{
	signal(SIGXFSZ, SIG_IGN); /* else that is its end */
	return (int)write(file, "x", 1);
}

static int has_all_memory(void)
{
	return mmap(NULL, 1u << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? -1
		       : 0;
}

static void test_bounds(void **state)
{
	(void)state;
	assert_int_equal(outcome(fills_a_file), EFBIG);
#ifndef __SANITIZE_ADDRESS__
	assert_int_equal(outcome(has_all_memory), ENOMEM);
#else
	(void)has_all_memory;
#endif
}

/* -- its parent ----------------------------------------------------------------------------------- */

static void test_parent_has_ended(void **state)
{
	pid_t pid = fork();
	struct err err = ERR_INIT;
	int status;

	(void)state;
	if (pid == 0)
		leave(sandbox_enter(1 << 30, &err) == -ERR_UNAVAILABLE ? CAME_BACK : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), CAME_BACK);
}

/* A server that takes no notice of any signal, started by a process that ends: the pipe closes with the server. */
static void test_parent_ends(void **state)
{
	int said[2];
	struct pollfd end = {.events = POLLIN};
	char byte;

	(void)state;
	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	end.fd = said[0];
	pid_t job = fork();

	if (job == 0) {
		pid_t parent = getpid();

		if (fork() != 0) {
			pause();
			leave(0);
		}
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		if (sandbox_enter(parent, NULL) < 0)
			leave(1);
		(void)!write(said[1], "x", 1);
		poll(NULL, 0, 20000); /* nobody is left to end one that failed the test */
		leave(0);
	}
	close(said[1]);
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(said[0], &byte, 1), 1);
	kill(job, SIGKILL);
	waitpid(job, NULL, 0);
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(said[0], &byte, 1), 0);
	close(said[0]);
}

/* -- who it is ------------------------------------------------------------------------------------ */

static int has_a_user_of_its_own(void)
{
	return getuid() == SANDBOX_UID_FIRST + (uid_t)getpid() ? 0 : (errno = EPERM, -1);
}

static void test_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(outcome(has_a_user_of_its_own), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_bounds),	    cmocka_unit_test(test_parent_has_ended),
		cmocka_unit_test(test_parent_ends), cmocka_unit_test(test_user),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
