/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of a job, as a real process: names of log and status, the run record, last lines,
 * waiting for the job before, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/task.h"

#define START_TIME 0x65000001 /* its last digit names the folder */

static char base[64];
static uint64_t job_start; /* start time of the process of the last spawn() */

static int run_ok(struct task_ctx *task, struct err *err)
{
	(void)err;
	task_log("guest %u on %s by %s\nnot a second line", task->guest, task->node, task->user);
	return 0;
}

static int run_warn(struct task_ctx *task, struct err *err)
{
	(void)err;
	task_warn(task, "first");
	task_warn(task, "second");
	return 0;
}

static int run_fail(struct task_ctx *task, struct err *err)
{
	(void)task;
	return err_set(err, ERR_BUSY, "CT %d already running", 7);
}

static int run_leave(struct task_ctx *task, struct err *err)
{
	task_leave(task, "could not remove everything");
	return err_set(err, ERR_IO, "no space\nleft");
}

static int run_thaw(struct task_ctx *task, struct err *err)
{
	(void)err;
	task_leave(task, "it stands still");
	return 0;
}

static int run_unknown(struct task_ctx *task, struct err *err)
{
	(void)task;
	return err_set(err, ERR_UNKNOWN, "whether the change was made is unknown");
}

static const struct task_command commands[] = {
	{"ok", run_ok},	    {"warn", run_warn},	      {"fail", run_fail}, {"leave", run_leave},
	{"thaw", run_thaw}, {"unknown", run_unknown}, {NULL, NULL}};

static int set_up(void **state)
{
	autofree char *run = NULL, *st = NULL;

	(void)state;
	strcpy(base, "/tmp/task-test-XXXXXX");
	assert_non_null(mkdtemp(base));
	run = xasprintf("%s/run", base);
	st = xasprintf("%s/state", base);
	setenv("LODGE_RUN_DIR", run, 1);
	setenv("LODGE_STATE_DIR", st, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return dir_remove_tree(base, NULL);
}

static char *file(const char *folder, const char *name)
{
	return xasprintf("%s/%s%s", base, folder, name);
}

static const char *undo = "ok"; /* of the job; NULL: none */

/* A child that runs task_main() with these arguments, its log in tasks/new-S. */
static pid_t spawn(const char *command, const char *after)
{
	autofields args = FIELDS_INIT;
	autobuf data = BUF_INIT;
	autofree char *log = file("state/tasks/", "new-S"), *tasks = file("state/", "tasks");
	int input[2];
	pid_t pid;

	fields_add(&args, "serial", "S");
	fields_add(&args, "node", "n1");
	fields_add(&args, "user", "root@pam");
	fields_add(&args, "type", "vztest");
	fields_add(&args, "id", "101");
	fields_add(&args, "guest", "101");
	fields_add(&args, "undo", undo);
	fields_addf(&args, "starttime", "%d", START_TIME);
	fields_add(&args, "after", after);
	fields_add(&args, "rootfs", "local:1");
	fields_add(&args, "password", "geheim");
	fields_encode(&args, &data);
	assert_int_equal(dir_make(tasks, 0755, NULL), 0);
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {(char *)"job", (char *)command, NULL};

		dup2(input[0], 0);
		dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0644), 1);
		dup2(1, 2);
		close_range(3, ~0u, 0); /* as after an exec */
		_exit(task_main(2, argv, commands));
	}
	job_start = exec_pid_start(pid); /* it cannot end before its arguments did */
	assert_int_equal(fd_write_all(input[1], data.data, data.size, NULL), 0);
	close(input[1]);
	close(input[0]); /* last: a job that refuses its command never reads them */
	return pid;
}

static char *upid_of(pid_t pid, uint64_t pid_start)
{
	struct upid upid = {.node = "n1", .type = "vztest", .id = "101", .user = "root@pam"};
	char text[UPID_MAX];

	upid.pid = pid;
	upid.pid_start = pid_start;
	upid.start_time = START_TIME;
	assert_int_equal(upid_format(&upid, text, NULL), 0);
	return xstrdup(text);
}

static void expect_file(const char *folder, const char *name, const char *expected)
{
	autofree char *path = file(folder, name);
	autobuf text = BUF_INIT;

	if (file_read(path, 65536, &text, NULL) < 0)
		fail_msg("%s is not there", path);
	assert_non_null(strstr(buf_str(&text), expected));
}

static int wait_exit(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *run(const char *command, const char *after, int expected_exit)
{
	pid_t pid = spawn(command, after);
	char *upid = upid_of(pid, job_start);

	assert_int_equal(wait_exit(pid), expected_exit);
	return upid;
}

static void success(void **state)
{
	autofree char *upid = run("ok", NULL, 0);
	autofree char *status = xasprintf("%s.status", upid);
	autofree char *first = file("state/tasks/", "new-S");

	(void)state;
	expect_file("state/tasks/1/", upid,
		    "guest 101 on n1 by root@pam not a second line\nTASK OK\n");
	expect_file("state/tasks/1/", status, " OK\n");
	assert_int_not_equal(access(first, F_OK), 0);
}

static void record(void **state)
{
	autofree char *upid = run("ok", NULL, 0);
	autofree char *path = file("run/jobs/", upid);
	autobuf data = BUF_INIT;
	autofields f = FIELDS_INIT;
	struct cursor c;

	(void)state;
	assert_int_equal(file_read(path, 65536, &data, NULL), 0);
	c = cursor_on(data.data, data.size);
	assert_int_equal(fields_decode(&c, &f, NULL), 0);
	assert_string_equal(fields_get(&f, "boot"), exec_boot_id());
	assert_string_equal(fields_get(&f, "command"), "ok");
	assert_string_equal(fields_get(&f, "guest"), "101");
	assert_string_equal(fields_get(&f, "undo"), "ok");
	assert_string_equal(fields_get(&f, "arg.rootfs"), "local:1");
	assert_null(fields_get(&f, "arg.password"));
	assert_null(fields_get(&f, "password"));
}

static void endings(void **state)
{
	static const struct {
		const char *command, *last, *status;
		int code;
	} cases[] = {
		{"warn", "WARN: first\nWARN: second\nTASK WARNINGS: 2\n", " WARNINGS: 2\n", 0},
		{"fail", "TASK ERROR: CT 7 already running\n", " CT 7 already running\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *upid = run(cases[i].command, NULL, cases[i].code);
		autofree char *status = xasprintf("%s.status", upid);

		expect_file("state/tasks/1/", upid, cases[i].last);
		expect_file("state/tasks/1/", status, cases[i].status);
	}
}

static void expect_status(const char *command, int code, const char *end)
{
	autofree char *upid = run(command, NULL, code);
	autofree char *status = xasprintf("%s.status", upid);
	autofree char *path = file("state/tasks/1/", status);
	autobuf text = BUF_INIT;

	assert_int_equal(file_read(path, 65536, &text, NULL), 0);
	assert_true(str_ends(buf_str(&text), end));
}

/* What was not put back is the undo's, if there is one; what the task shows is the job's. */
static void says_that_something_is_left(void **state)
{
	(void)state;
	expect_status("fail", 1, " CT 7 already running\n");
	expect_status("leave", 1, " no space left\nundo\n");
	expect_status("thaw", 0, " WARNINGS: 1\nundo\n");
	expect_status("unknown", 1, " whether the change was made is unknown\nundo\n");
	undo = NULL;
	expect_status("leave", 1, " no space left\n");
	expect_status("unknown", 1, " whether the change was made is unknown\n");
	undo = "ok";
}

static void unknown_command(void **state)
{
	pid_t pid = spawn("nonsense", NULL);

	(void)state;
	assert_int_equal(wait_exit(pid), 2);
}

static void does_not_wait_for_the_dead(void **state)
{
	/* our own pid with another start time: somebody else now */
	autofree char *other = upid_of(getpid(), exec_pid_start(getpid()) + 1);
	autofree char *upid = run("ok", other, 0);
	autofree char *path = file("state/tasks/1/", upid);
	autobuf text = BUF_INIT;

	(void)state;
	assert_int_equal(file_read(path, 65536, &text, NULL), 0);
	assert_null(strstr(buf_str(&text), "waiting"));
}

/* Blocks until the job's log has a line with this text. */
static void await_line(const char *path, const char *text)
{
	for (int i = 0; i < 1000; i++) {
		autobuf log = BUF_INIT;

		if (file_read(path, 65536, &log, NULL) == 0 && strstr(buf_str(&log), text))
			return;
		usleep(5000);
	}
	fail_msg("no '%s' in %s", text, path);
}

/* With an undo it leaves no status: whoever started it undoes what was done before it began. */
static void waits_and_is_cancelled(void **state)
{
	autofree char *us = upid_of(getpid(), exec_pid_start(getpid()));
	pid_t pid = spawn("ok", us);
	autofree char *upid = upid_of(pid, job_start);
	autofree char *path = file("state/tasks/1/", upid);
	autofree char *status = xasprintf("%s.status", upid);
	autofree char *status_path = file("state/tasks/1/", status);

	(void)state;
	await_line(path, us);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(wait_exit(pid), 1);
	assert_int_not_equal(access(status_path, F_OK), 0);
}

static void waits_and_is_cancelled_without_undo(void **state)
{
	autofree char *us = upid_of(getpid(), exec_pid_start(getpid()));

	undo = NULL;
	pid_t pid = spawn("ok", us);

	undo = "ok";
	autofree char *upid = upid_of(pid, job_start);
	autofree char *path = file("state/tasks/1/", upid);
	autofree char *status = xasprintf("%s.status", upid);

	(void)state;
	await_line(path, us);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(wait_exit(pid), 1);
	expect_file("state/tasks/1/", upid, "TASK ERROR: interrupted by signal\n");
	expect_file("state/tasks/1/", status, " interrupted by signal\n");
}

static void waits_for_the_job_before(void **state)
{
	int hold[2];
	pid_t before, pid;

	(void)state;
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	fflush(NULL);
	if ((before = fork()) == 0) {
		char c;

		close(hold[1]);
		_exit((int)read(hold[0], &c, 1)); /* until the parent closes its end */
	}
	autofree char *first = upid_of(before, exec_pid_start(before));
	pid = spawn("ok", first);
	autofree char *upid = upid_of(pid, job_start);
	autofree char *path = file("state/tasks/1/", upid);

	await_line(path, first);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	close(hold[1]);
	assert_int_equal(wait_exit(before), 0);
	assert_int_equal(wait_exit(pid), 0);
	expect_file("state/tasks/1/", upid, "TASK OK\n");
	close(hold[0]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(success),
		T(record),
		T(endings),
		T(says_that_something_is_left),
		T(unknown_command),
		T(does_not_wait_for_the_dead),
		T(waits_and_is_cancelled),
		T(waits_and_is_cancelled_without_undo),
		T(waits_for_the_job_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
