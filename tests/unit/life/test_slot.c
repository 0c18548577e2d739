/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places for jobs that fill volumes: who waits takes whichever comes free, and a storage that hangs leaves one to the
 * others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/task/guest/slot.h"
#include "agent/task/internal.h"

#define ALL	 32 /* never more */
#define PATIENCE 30

static char folder[64];
static int taken[ALL];

static int take(const char *name)
{
	autofree char *path = path_join(path_run(), "slots/%s", name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
	return fd;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/life-slot-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *slots = path_join(path_run(), "slots");

	assert_int_equal(dir_make(slots, 0700, NULL), 0);
	for (unsigned i = 0; i < ALL; i++) {
		autofree char *name = xasprintf("%u", i);

		taken[i] = take(name);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++)
		if (taken[i] >= 0)
			close(taken[i]);
	return dir_remove_tree(folder, NULL);
}

/* A job in a process of its own, which ends with 0 once it has a place; *ret_log is its log. */
static pid_t enter(unsigned guest, const char *from, const char *to, int *ret_log)
{
	int log[2];
	pid_t pid;

	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		struct task_ctx task = {.guest = guest};

		dup2(log[1], STDOUT_FILENO);
		close_range(3, ~0u, 0);
		task_cancel_init();
		alarm(PATIENCE);
		_exit(task_slot_enter(&task, from, to, NULL) == 0 ? 0 : 1);
	}
	close(log[1]);
	*ret_log = log[0];
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void await_waiting(int log)
{
	char byte;

	assert_int_equal(read(log, &byte, 1), 1); /* the only line is the one about waiting */
}

static void takes_whichever_comes_free(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) { /* as many as there are on any node */
		int kept = take("a:a");
		autofd int log = -1;
		pid_t pid = enter(100, "a", "a", &log);

		await_waiting(log);
		close(taken[i]);
		assert_int_equal(end_of(pid), 0);
		autofree char *name = xasprintf("%u", i);

		taken[i] = take(name);
		close(kept);
	}
}

static void other_storages_go_on(void **state)
{
	int kept = take("a:dead");
	autofd int log = -1, other_log = -1;
	pid_t pid = enter(100, "a", "dead", &log);

	(void)state;
	await_waiting(log);
	assert_int_equal(end_of(enter(101, "a", "b", &other_log)), 0);
	close(kept);
	assert_int_equal(end_of(pid), 0);
}

static void can_be_cancelled(void **state)
{
	int kept = take("a:b");
	autofd int log = -1;
	pid_t pid = enter(100, "a", "b", &log);

	(void)state;
	await_waiting(log);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(end_of(pid), 1);
	close(kept);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_whichever_comes_free),
		TEST(other_storages_go_on),
		TEST(can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
