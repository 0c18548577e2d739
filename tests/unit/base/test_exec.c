/* SPDX-License-Identifier: GPL-2.0-or-later */
/* External programs: output, failure, deadlines, and what is left behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static usec_t soon(void)
{
	return clock_monotonic() + 20 * USEC_PER_SEC;
}

static int run(const char *script, struct exec_run spec, struct exec_result *ret, struct err *err)
{
	const char *argv[] = {"sh", "-c", script, NULL};

	spec.argv = argv;
	if (!spec.deadline)
		spec.deadline = soon();
	return exec_run(&spec, ret, err);
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_output(void **state)
{
	struct exec_result result = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run("echo out; echo err >&2; echo $LC_ALL $PATH", (struct exec_run){0},
			     &result, &err),
			 0);
	assert_string_equal(buf_str(&result.output),
			    "out\nC.UTF-8 /usr/sbin:/usr/bin:/sbin:/bin\n");
	assert_string_equal(buf_str(&result.errors), "err\n");
	exec_result_fini(&result);
	assert_no_children();
}

static void test_failures(void **state)
{
	const char *const missing[] = {"no-such-program", NULL};
	struct exec_result result = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		run("echo why >&2; echo more >&2; exit 3", (struct exec_run){0}, &result, &err),
		-ERR_IO);
	assert_string_equal(err.message, "sh failed (3): why");
	assert_int_equal(WEXITSTATUS(result.status), 3);
	exec_result_fini(&result);
	assert_int_equal(run("kill -9 $$", (struct exec_run){0}, NULL, &err), -ERR_IO);
	assert_non_null(strstr(err.message, "signal 9"));
	assert_int_equal(
		exec_run(&(struct exec_run){.argv = missing, .deadline = soon()}, NULL, &err),
		-ERR_NOT_FOUND);
	assert_no_children();
}

/* more than any pipe holds, in all directions at once */
static void test_large(void **state)
{
	size_t size = 3 * 1024 * 1024;
	autofree char *input = xmalloc(size);
	struct exec_result result = {0};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < size; i++)
		input[i] = (char)(i * 7);
	assert_int_equal(
		run("cat",
		    (struct exec_run){.input = input, .input_size = size, .output_max = size},
		    &result, &err),
		0);
	assert_int_equal(result.output.size, size);
	assert_memory_equal(result.output.data, input, size);
	exec_result_fini(&result);
	assert_int_equal(
		run("cat",
		    (struct exec_run){.input = input, .input_size = size, .output_max = size - 1},
		    &result, &err),
		-ERR_LIMIT);
	assert_int_equal(result.output.size, size - 1);
	exec_result_fini(&result);
}

/* SIGPIPE would end this test */
static void test_input_not_wanted(void **state)
{
	size_t size = 1024 * 1024;
	autofree char *input = xcalloc(1, size);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run("exec <&-; echo done",
			     (struct exec_run){.input = input, .input_size = size}, NULL, &err),
			 0);
	assert_no_children();
}

/* A helper that is killed while its program runs: the program ends as well, whatever its process group is. It holds the
 * pipe, whose end is the event. */
static void test_ends_with_us(void **state)
{
	int pipes[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		close(pipes[0]);
		run("echo >&2; exec sleep 1000", (struct exec_run){.errors_fd = pipes[1]}, NULL,
		    NULL);
		_exit(0);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1); /* it runs */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	alarm(20);
	assert_int_equal(read(pipes[0], &byte, 1), 0);
	alarm(0);
	close(pipes[0]);
}

static void test_not_executable(void **state)
{
	char path[] = "/tmp/lodge-exec-XXXXXX";
	const char *const argv[] = {path, NULL};
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(fchmod(fd, 0700), 0);
	assert_int_equal(write(fd, "\x7f", 1), 1);
	close(fd);
	assert_int_equal(exec_run(&(struct exec_run){.argv = argv, .deadline = soon()}, NULL, &err),
			 -ERR_IO);
	assert_int_equal(err.errnum, ENOEXEC);
	unlink(path);
	assert_no_children();
}

static void test_deadline_kills_group(void **state)
{
	struct exec_result result = {0};
	struct err err = ERR_INIT;
	uint64_t pid = 0;
	usec_t before = clock_monotonic();

	(void)state;
	assert_int_equal(run("trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 60; done' & "
			     "echo $!; wait",
			     (struct exec_run){.deadline = before + 300 * USEC_PER_MSEC}, &result,
			     &err),
			 -ERR_TIMEOUT);
	assert_true(clock_monotonic() - before < 10 * USEC_PER_SEC);
	buf_str(&result.output);
	result.output.data[strcspn(result.output.data, "\n")] = '\0';
	assert_true(str_to_u64(result.output.data, &pid));
	/* the grandchild is gone, or a zombie of init that is about to be reaped */
	while (exec_pid_start((pid_t)pid) != 0)
		assert_true(clock_monotonic() - before < 20 * USEC_PER_SEC);
	exec_result_fini(&result);
	assert_no_children();
}

/* a daemon that keeps the pipes open does not hold us up */
static void test_grandchild_holds_pipes(void **state)
{
	struct exec_result result = {0};
	struct err err = ERR_INIT;
	usec_t before = clock_monotonic();
	uint64_t pid = 0;

	(void)state;
	assert_int_equal(run("sleep 60 & echo $!", (struct exec_run){0}, &result, &err), 0);
	assert_true(clock_monotonic() - before < 10 * USEC_PER_SEC);
	buf_str(&result.output);
	result.output.data[strcspn(result.output.data, "\n")] = '\0';
	assert_true(str_to_u64(result.output.data, &pid));
	kill((pid_t)pid, SIGKILL);
	exec_result_fini(&result);
}

/* no descriptor, no blocked signal; a session of its own */
static void test_spawn_inherits_nothing(void **state)
{
	const char *const argv[] = {"sh", "-c",
				    "test -e /proc/self/fd/$0 && echo leak; grep SigBlk "
				    "/proc/self/status; cut -d' ' -f6 /proc/$$/stat",
				    "97", NULL};
	autofree char *wanted = NULL;
	int out[2], status;
	autobuf text = BUF_INIT;
	sigset_t all, before;
	struct err err = ERR_INIT;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(dup3(out[0], 97, O_CLOEXEC), 97);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	assert_int_equal(exec_spawn(&(struct exec_spawn){.argv = argv,
							 .stdin_fd = -1,
							 .stdout_fd = out[1],
							 .stderr_fd = -1,
							 .new_session = true},
				    &pid, &err),
			 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(out[1]);
	assert_int_equal(fd_read_all(out[0], 4096, &text, &err), 0);
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	wanted = xasprintf("SigBlk:\t0000000000000000\n%d\n", (int)pid);
	assert_string_equal(buf_str(&text), wanted);
	close(97);
}

/* Also one that is 3 already, and would be closed on exec. */
static void test_passed_descriptor(void **state)
{
	static const int places[] = {3, 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *const argv[] = {"sh", "-c", "read -r word <&3 && test $word = hello",
					    NULL};
		int ends[2], status = -1;
		pid_t pid;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(write(ends[1], "hello\n", 6), 6);
		close(ends[1]);
		if (ends[0] != places[i]) {
			assert_int_equal(dup3(ends[0], places[i], O_CLOEXEC), places[i]);
			close(ends[0]);
		}
		const struct exec_spawn spec = {.argv = argv,
						.stdin_fd = -1,
						.stdout_fd = -1,
						.stderr_fd = -1,
						.passed_fd = places[i]};
		assert_int_equal(exec_spawn(&spec, &pid, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close(places[i]);
	}
}

static void test_facts(void **state)
{
	(void)state;
	assert_true(exec_pid_start(getpid()) > 0);
	assert_int_equal(exec_pid_start(0x7ffffff0), 0);
	assert_int_equal(strlen(exec_boot_id()), 36);
}

static void test_arguments(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo; read x", "name,rest", "last", NULL};
	int ends[2];
	pid_t pid;
	char line;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(exec_spawn(&(struct exec_spawn){.argv = argv,
							 .stdin_fd = ends[0],
							 .stdout_fd = ends[0],
							 .stderr_fd = -1},
				    &pid, NULL),
			 0);
	/* its arguments are there a moment after posix_spawn() returned */
	assert_int_equal(read(ends[1], &line, 1), 1);
	assert_true(exec_pid_has_argument(pid, "last", '\0'));
	assert_true(exec_pid_has_argument(pid, "name", ','));
	assert_false(exec_pid_has_argument(pid, "name", '\0'));
	assert_false(exec_pid_has_argument(pid, "nam", ','));
	assert_false(exec_pid_has_argument(pid, "rest", ','));
	close(ends[0]);
	close(ends[1]); /* ends it */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(exec_pid_has_argument(pid, "last", '\0'));
}

/* A job may end before its parent looks at it. */
static void test_start_of_an_ended_child(void **state)
{
	const char *const argv[] = {"true", NULL};
	const struct exec_spawn spec = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
	siginfo_t info;
	pid_t pid;

	(void)state;
	assert_int_equal(exec_spawn(&spec, &pid, NULL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(exec_pid_start(pid), 0);
	assert_true(exec_child_start(pid) > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(exec_child_start(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_input_not_wanted),
		cmocka_unit_test(test_ends_with_us),
		cmocka_unit_test(test_not_executable),
		cmocka_unit_test(test_deadline_kills_group),
		cmocka_unit_test(test_grandchild_holds_pipes),
		cmocka_unit_test(test_spawn_inherits_nothing),
		cmocka_unit_test(test_passed_descriptor),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_start_of_an_ended_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
