/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that unpacks a template: what it is given, and what is made of its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/unpack.h"

#define PATIENCE (20 * USEC_PER_SEC)

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/unpack-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

/* Runs a shell script as the unpacker; its archive is a file that says "archive". */
static int run(const char *script, usec_t patience, struct err *err)
{
	autofree char *program = xasprintf("%s/program", folder);
	autofree char *archive_path = xasprintf("%s/archive", folder);
	autofree char *text = xasprintf("#!/bin/sh\n%s\n", script);

	assert_int_equal(file_write_atomic(program, text, strlen(text), 0755, NULL), 0);
	assert_int_equal(file_write_atomic(archive_path, "archive", 7, 0644, NULL), 0);
	autofd int archive = open(archive_path, O_RDONLY | O_CLOEXEC);
	autofd int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*err = ERR_INIT;
	const struct ct_unpack what = {.program = program,
				       .archive = archive,
				       .root = root,
				       .deadline = clock_monotonic() + patience};

	return ct_unpack(&what, err);
}

static void is_given_archive_root_and_parent(void **state)
{
	autofree char *script = xasprintf(
		"[ \"$1 $2\" = \"unpack %d\" ] && cat >/proc/self/fd/3/copy", (int)getpid());
	autofree char *copy = xasprintf("%s/copy", folder);
	autobuf text = BUF_INIT;
	struct err err;

	(void)state;
	assert_int_equal(run(script, PATIENCE, &err), 0);
	assert_int_equal(file_read(copy, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "archive");
}

static void its_errors_are_ours(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *message;
	} cases[] = {
		{"echo '13 entry x: No space left' >&2; exit 1", ERR_NO_SPACE,
		 "entry x: No space left"},
		{"echo '14 damaged' >&2; echo more >&2; exit 1", ERR_CORRUPT, "damaged"},
		{"echo '99 odd' >&2; exit 3", ERR_INTERNAL, "it failed without a reason (3)"},
		{"echo word >&2; exit 1", ERR_INTERNAL, "it failed without a reason (1)"},
		{"exit 2", ERR_INTERNAL, "it failed without a reason (2)"},
		{"kill -9 $$", ERR_INTERNAL, "it was killed by signal 9"},
		{"head -c 100000 /dev/zero >&2; exit 1", ERR_INTERNAL,
		 "it failed without a reason (1)"},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(run(cases[i].script, PATIENCE, &err), -cases[i].code);
		assert_string_equal(err.message, cases[i].message);
	}
}

static void has_a_deadline(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(run("exec sleep 1000", USEC_PER_SEC / 5, &err), -ERR_TIMEOUT);
}

static void must_be_installed(void **state)
{
	const struct ct_unpack what = {.program = "/nowhere/lodge-task",
				       .deadline = clock_monotonic() + PATIENCE};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(ct_unpack(&what, &err), -ERR_NOT_FOUND);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(is_given_archive_root_and_parent),
		WITH(its_errors_are_ours),
		WITH(has_a_deadline),
		WITH(must_be_installed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
