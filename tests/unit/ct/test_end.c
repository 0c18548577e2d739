/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's end: what is told of it, and when it counts as over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

#define NOBODY 0x7ffffff0 /* beyond any process number */
#define MOMENT 300	  /* ms that an unmount takes */

static char folder[64];
static pid_t monitor;

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/end-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return setenv("LODGE_RUN_DIR", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	if (monitor > 0) {
		kill(monitor, SIGKILL);
		waitpid(monitor, NULL, 0);
	}
	monitor = 0;
	return dir_remove_tree(folder, NULL);
}

static bool is_there(const char *name)
{
	autofree char *path = path_join(path_run(), "%s", name);

	return access(path, F_OK) == 0;
}

/* Unmounts, which takes a moment, and exits. */
static void start_monitor(struct ct_record *ret)
{
	autofree char *done = path_join(path_run(), "unmounted");

	monitor = fork();
	if (monitor == 0) {
		poll(NULL, 0, MOMENT);
		close(open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		_exit(0);
	}
	*ret = (struct ct_record){.pid = NOBODY,
				  .pid_start = 1,
				  .monitor = monitor,
				  .monitor_start = exec_pid_start(monitor)};
	assert_int_equal(ct_record_write(101, ret, NULL), 0);
}

static void is_over_once_its_monitor_is_gone(void **state)
{
	struct ct_record record, found;
	struct err err = ERR_INIT;

	(void)state;
	start_monitor(&record);
	ct_note_stopped(101, record.pid, "stop");
	assert_int_equal(ct_record_read(101, &found, NULL), -ERR_NOT_FOUND);
	assert_int_equal(ct_require_stopped(101, &err), 0);
	assert_true(is_there("unmounted"));
	ct_clean(101);
	assert_int_equal(ct_monitor_read(101, &found, NULL), -ERR_NOT_FOUND);
}

/* The hook of one that was ended by force, late: another one runs by now, or none does. */
static void is_told_of_none_but_its_own(void **state)
{
	const struct ct_record other = {.pid = getpid(), .pid_start = exec_pid_start(getpid())};
	struct ct_record found;

	(void)state;
	assert_int_equal(ct_record_write(101, &other, NULL), 0);
	ct_note_stopped(101, NOBODY, "stop");
	assert_true(ct_find_running(101, &found));
	assert_false(is_there("guests/101.stopped"));
	ct_record_remove(101);
	assert_int_equal(ct_monitor_read(101, &found, NULL), -ERR_NOT_FOUND);
}

static void write_script(const char *text, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%s/script", folder);
	assert_int_equal(file_write_atomic(ret_path, text, strlen(text), 0700, NULL), 0);
}

static int post_stop(const char *target)
{
	char hook[] = "post-stop", vmid[] = "101", *argv[] = {hook, vmid, NULL};

	setenv("LXC_PID", "2147483632", 1); /* NOBODY */
	setenv("LXC_TARGET", target, 1);
	return hook_main(2, argv);
}

static void told(struct fields *ret)
{
	autofree char *path = path_join(path_run(), "guests/101.stopped");
	autobuf text = BUF_INIT;

	assert_int_equal(file_read(path, 4096, &text, NULL), 0);
	struct cursor c = cursor_on(text.data, text.size);

	assert_int_equal(fields_decode(&c, ret, NULL), 0);
}

/* Whoever is told starts it again, and must not find its volumes in use. */
static void is_told_after_the_script(void **state)
{
	struct ct_record record = {.pid = NOBODY, .pid_start = 1};
	autofields f = FIELDS_INIT;

	(void)state;
	write_script("#!/bin/sh\ncd ${0%/*} && [ -e guests/101 ] && [ ! -e guests/101.stopped ] && "
		     ": >early\n",
		     record.script, sizeof(record.script));
	assert_int_equal(ct_record_write(101, &record, NULL), 0);
	assert_int_not_equal(post_stop("reboot"), 0);
	assert_true(is_there("early"));
	assert_false(is_there("guests/101"));
	told(&f);
	assert_string_equal(fields_get(&f, "target"), "reboot");
}

/* Its user reboots it while a job shuts it down, or ends all guests of the node. */
static void stays_down_when_a_job_asked_for_that(void **state)
{
	struct ct_record record = {.pid = NOBODY, .pid_start = 1};
	autofields f = FIELDS_INIT;

	(void)state;
	assert_int_equal(ct_record_write(101, &record, NULL), 0);
	assert_int_equal(ct_asked_write(101, NULL), 0);
	assert_int_not_equal(post_stop("reboot"), 0); /* liblxc starts it no more either */
	told(&f);
	assert_string_equal(fields_get(&f, "target"), "stop");
}

/* That job was killed, long ago maybe. */
static void reboots_when_nobody_waits_for_its_end(void **state)
{
	struct ct_record record = {.pid = NOBODY, .pid_start = 1};
	autofields f = FIELDS_INIT;
	pid_t job = fork();

	(void)state;
	if (job == 0)
		_exit(ct_asked_write(101, NULL) == 0 ? 0 : 1);
	int status;

	assert_int_equal(waitpid(job, &status, 0), job);
	assert_int_equal(status, 0);
	assert_true(is_there("guests/101.asked"));
	assert_int_equal(ct_record_write(101, &record, NULL), 0);
	post_stop("reboot");
	told(&f);
	assert_string_equal(fields_get(&f, "target"), "reboot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_over_once_its_monitor_is_gone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(is_told_of_none_but_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(is_told_after_the_script, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stays_down_when_a_job_asked_for_that, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reboots_when_nobody_waits_for_its_end, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
