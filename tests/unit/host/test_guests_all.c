/* SPDX-License-Identifier: GPL-2.0-or-later */
/* startall and stopall with a core that goes away, refuses, and says what became of whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/task/host/jobs.h"
#include "agent/task/internal.h"
#include "tests/unit/serve_calls.h"

/* What the core shall say, and what it was asked; shared with its process. */
struct script {
	uint16_t answers[8]; /* to requests for jobs; 0: the core dies instead of answering */
	unsigned asked;
	char request[8][80];
	char mark[8][80];
	unsigned looks;	   /* questions after the state */
	unsigned runs_for; /* looks that find it running */
};

static struct script *script;
static char folder[64];

static uint16_t start_job(const struct call *call, struct reply *reply)
{
	unsigned at = script->asked++;

	str_copy(script->request[at], sizeof(script->request[at]),
		 fields_get(&call->head, "request") ?: "");
	str_copy(script->mark[at], sizeof(script->mark[at]), fields_get(&call->head, "mark") ?: "");
	if (script->answers[at] == 0)
		_exit(0);
	fields_add(&reply->head, "upid",
		   "UPID:n1:7FFFFFF0:00000001:00000001:vzshutdown:101:root@pam:");
	return script->answers[at];
}

static void answer(struct call *call, struct reply *reply)
{
	reply->status = 200;
	if (call->op == CALL_GUEST_JOB)
		reply->status = start_job(call, reply);
	else
		fields_add(&reply->head, "state",
			   script->looks++ < script->runs_for ? "running" : "stopped");
}

/* A core that is started again whenever it dies. */
static pid_t start_core(void)
{
	autofree char *path = path_join(path_run(), CORE_SOCKET);
	int fd = -1;
	pid_t pid;

	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &fd, NULL), 0);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		for (;;) {
			pid_t core = fork();

			if (core == 0)
				serve_calls(fd, answer);
			waitpid(core, NULL, 0);
		}
	}
	setpgid(pid, pid);
	close(fd);
	return pid;
}

static int run(int (*job)(struct task_ctx *, struct err *), unsigned *ret_warnings, struct err *err)
{
	struct task_ctx task = {.node = "n1", .user = "root@pam"};
	pid_t core = start_core();
	int r;

	fields_add(&task.args, "guests", "101 any 1 7.9\n");
	r = job(&task, err);
	kill(-core, SIGKILL);
	waitpid(core, NULL, 0);
	fields_fini(&task.args);
	*ret_warnings = task.warnings;
	return r;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/guests-all-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	setenv("LODGE_STATE_DIR", folder, 1);
	script = mmap(NULL, sizeof(*script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return script == MAP_FAILED;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(script, sizeof(*script));
	return dir_remove_tree(folder, NULL);
}

/* Whether the job began is not known: the same request finds out. */
static void an_answer_that_is_lost_is_asked_for_again(void **state)
{
	static const uint16_t answers[] = {0, 202, 200};
	struct err err = ERR_INIT;
	unsigned warnings;

	(void)state;
	memcpy(script->answers, answers, sizeof(answers));
	assert_int_equal(run(job_stopall, &warnings, &err), 0);
	assert_int_equal(script->asked, 3);
	assert_int_equal(strlen(script->request[0]), 32);
	assert_string_equal(script->request[1], script->request[0]);
	assert_string_equal(script->request[2], script->request[0]);
	assert_string_equal(script->mark[0], "7.9");
	assert_int_equal(script->looks, 1);
}

static void one_that_stops_late_is_waited_for(void **state)
{
	struct err err = ERR_INIT;
	unsigned warnings;

	(void)state;
	script->answers[0] = 200;
	script->runs_for = 2;
	assert_int_equal(run(job_stopall, &warnings, &err), 0);
	assert_int_equal(script->looks, 3);
}

static void one_that_still_runs_fails_it(void **state)
{
	struct err err = ERR_INIT;
	unsigned warnings;

	(void)state;
	script->answers[0] = 403;
	script->runs_for = 1000;
	assert_int_equal(run(job_stopall, &warnings, &err), -ERR_BUSY);
	assert_string_equal(err.message, "not stopped: 101");
	assert_int_equal(warnings, 1);
}

static void expect_skipped(uint16_t answer)
{
	struct err err = ERR_INIT;
	unsigned warnings;

	script->answers[0] = answer;
	script->runs_for = 1000;
	assert_int_equal(run(job_stopall, &warnings, &err), 0);
	assert_int_equal(warnings, 0);
	assert_int_equal(script->looks, 0);
}

static void one_that_is_gone_is_skipped(void **state)
{
	(void)state;
	expect_skipped(404);
}

static void so_is_another_one_with_its_id(void **state)
{
	(void)state;
	expect_skipped(409);
}

static void a_start_asks_for_no_end(void **state)
{
	struct err err = ERR_INIT;
	unsigned warnings;

	(void)state;
	script->answers[0] = 200;
	assert_int_equal(run(job_startall, &warnings, &err), 0);
	assert_int_equal(script->looks, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(an_answer_that_is_lost_is_asked_for_again),
		T(one_that_stops_late_is_waited_for),
		T(one_that_still_runs_fails_it),
		T(one_that_is_gone_is_skipped),
		T(so_is_another_one_with_its_id),
		T(a_start_asks_for_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
