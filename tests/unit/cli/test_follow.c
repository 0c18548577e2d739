/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is printed of a call that starts a task, and what becomes of its end. The core is a process that knows one task. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/cli/cli.h"
#include "tests/unit/serve_calls.h"

#define UPID "UPID:n1:7FFFFFF0:00000001:00000001:vzstart:101:root@pam:"

/* Shared with the core's process. */
static struct {
	char result[160];   /* of the call, as JSON */
	char exit_text[32]; /* of the task */
	unsigned runs_for;  /* questions after its state that find it running */
	unsigned looks;	    /* such questions so far */
} * script;

static char folder[64];
static pid_t core;

static void answer(struct call *call, struct reply *reply)
{
	const char *path = fields_get(&call->head, "path");

	reply->status = 200;
	if (str_eq(path, "/cluster/status"))
		buf_add_str(&reply->body,
			    "{\"data\":[{\"type\":\"node\",\"local\":1,\"name\":\"n1\"}]}");
	else if (str_ends(path, "/log"))
		buf_add_str(&reply->body, "{\"data\":[{\"n\":1,\"t\":\"a line of its log\"}]}");
	else if (!str_ends(path, "/status"))
		buf_addf(&reply->body, "{\"data\":%s}",
			 str_ends(path, "/kvm") ? "{\"usable\":1}" : script->result);
	else if (script->looks++ < script->runs_for)
		buf_add_str(&reply->body, "{\"data\":{\"status\":\"running\"}}");
	else
		buf_addf(&reply->body, "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"%s\"}}",
			 script->exit_text);
}

static int setup(void **state)
{
	autofree char *path = NULL;
	int fd = -1;

	(void)state;
	strcpy(folder, "/tmp/lodge-follow-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	script = mmap(NULL, sizeof(*script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(script != MAP_FAILED);
	path = path_join(path_run(), CORE_SOCKET);
	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &fd, NULL), 0);
	core = fork();
	if (core == 0)
		serve_calls(fd, answer);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kill(core, SIGKILL);
	waitpid(core, NULL, 0);
	munmap(script, sizeof(*script));
	dir_remove_tree(folder, NULL);
	return 0;
}

/* A command with what it prints. */
static int run(int (*command)(struct cli *cli, struct err *err), struct cli *cli, struct buf *ret)
{
	autofree char *path = xasprintf("%s/out", folder);
	int saved = dup(STDOUT_FILENO), r;
	struct err err = ERR_INIT;

	fflush(stdout);
	assert_non_null(freopen(path, "w", stdout));
	r = command(cli, &err);
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	buf_clear(ret);
	assert_int_equal(file_read(path, 65536, ret, NULL), 0);
	return r;
}

static void a_task(void **state)
{
	static const struct {
		const char *result, *exit_text;
		bool wants_json, no_wait;
		int code;
		const char *printed;
		unsigned looks;
	} cases[] = {
		{"\"" UPID "\"", "OK", false, false, 0, "a line of its log\n", 3},
		{"\"" UPID "\"", "no", false, false, -ERR_IO, "a line of its log\n", 3},
		{"\"" UPID "\"", "OK", false, true, 0, UPID "\n", 0},
		{"\"" UPID "\"", "OK", true, false, 0, "\"" UPID "\"\n", 3},
		{"\"" UPID "\"", "WARNINGS: 1", true, false, 0, "\"" UPID "\"\n", 3},
		{"\"" UPID "\"", "no", true, false, -ERR_IO, "\"" UPID "\"\n", 3},
		{"\"" UPID "\"", "no", true, true, 0, "\"" UPID "\"\n", 0},
		{"null", "", false, false, 0, "", 0},
		{"null", "", true, false, 0, "null\n", 0},
		{"\"done\"", "", false, false, 0, "\"done\"\n", 0},
		{"\"done\"", "", true, false, 0, "\"done\"\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli cli = {.options = FIELDS_INIT,
				  .wants_json = cases[i].wants_json,
				  .no_wait = cases[i].no_wait};
		autobuf out = BUF_INIT;

		str_copy(script->result, sizeof(script->result), cases[i].result);
		str_copy(script->exit_text, sizeof(script->exit_text), cases[i].exit_text);
		script->looks = 0;
		script->runs_for = 2;
		assert_int_equal(run(cli_startall, &cli, &out), cases[i].code);
		assert_string_equal(buf_str(&out), cases[i].printed);
		assert_int_equal(script->looks, cases[i].looks);
	}
}

/* Its result is more than its end. */
static void the_verdict_on_kvm(void **state)
{
	struct cli cli = {.options = FIELDS_INIT, .wants_json = true};
	autobuf out = BUF_INIT;
	autojson *printed = NULL;

	(void)state;
	str_copy(script->result, sizeof(script->result), "\"" UPID "\"");
	str_copy(script->exit_text, sizeof(script->exit_text), "OK");
	assert_int_equal(run(cli_kvm_check, &cli, &out), 0);
	printed = json_tokener_parse(buf_str(&out));
	assert_int_equal(cli_member_int(printed, "usable"), 1);
	assert_int_equal(script->looks, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_task, setup, teardown),
		cmocka_unit_test_setup_teardown(the_verdict_on_kvm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
