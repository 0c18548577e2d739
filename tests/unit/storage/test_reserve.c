/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Promised space: counted once, given back, and of dead processes not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "storage/reserve.h"

#define MIB (1024ULL * 1024)

static char folder[64];
static struct storage_def def;

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/lodge-reserve-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	def = (struct storage_def){.type = xstrdup("dir"), .id = xstrdup("local")};
	fields_add(&def.keys, "path", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	storage_def_fini(&def);
	return dir_remove_tree(folder, NULL);
}

static uint64_t available(void)
{
	struct storage_space space;
	assert_int_equal(storage_driver_find("dir")->status(&def, &space, NULL), 0);
	return space.available;
}

static void test_promise(void **state)
{
	struct reservation a, b;
	(void)state;
	assert_int_equal(reserve_begin(&def, 5 * MIB, NULL, &a, NULL), 0);
	assert_int_equal(reserve_begin(&def, 3 * MIB, NULL, &b, NULL), 0);
	assert_int_equal(reserve_total(&def), 8 * MIB);
	reserve_end(&a);
	assert_int_equal(reserve_total(&def), 3 * MIB);
	reserve_end(&b);
	reserve_end(&b); /* twice is fine */
	assert_int_equal(reserve_total(&def), 0);
	assert_int_equal(reserve_begin(&def, 0, NULL, &a, NULL), 0);
	assert_null(a.path);
}

/* Two that fit alone do not fit together. */
static void test_no_room_for_two(void **state)
{
	struct reservation a, b;
	struct err err = ERR_INIT;
	uint64_t half = available() / 10 * 6;
	(void)state;
	assert_int_equal(reserve_begin(&def, half, NULL, &a, NULL), 0);
	assert_int_equal(reserve_begin(&def, half, NULL, &b, &err), -ERR_NO_SPACE);
	assert_null(b.path);
	reserve_end(&a);
	assert_int_equal(reserve_begin(&def, half, NULL, &b, NULL), 0);
	reserve_end(&b);
	assert_int_equal(reserve_begin(&def, UINT64_MAX, NULL, &b, &err), -ERR_NO_SPACE);
}

/* What is written already is gone from the promise: the file system counts it. */
static void test_written_part(void **state)
{
	struct reservation a;
	(void)state;
	autofree char *file = xasprintf("%s/file", folder);
	autofree char *data = xcalloc(1, MIB);
	memset(data, 'x', MIB);
	assert_int_equal(reserve_begin(&def, 5 * MIB, file, &a, NULL), 0);
	assert_int_equal(reserve_total(&def), 5 * MIB);
	autofd int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, data, MIB, NULL), 0);
	assert_int_equal(fsync(fd), 0);
	assert_in_range(reserve_total(&def), 4 * MIB - 65536, 4 * MIB);
	reserve_end(&a);
}

/* A file that was given its room beforehand needs no more of it. */
static void test_preallocated(void **state)
{
	struct reservation a;
	struct err err = ERR_INIT;
	autofree char *file = xasprintf("%s/file", folder);
	autofd int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)state;
	if (posix_fallocate(fd, 0, 256 * MIB) != 0)
		skip();
	uint64_t size = available() + 128 * MIB;
	if (reserve_begin(&def, size, file, &a, &err) < 0)
		fail_msg("%s", err.message);
	assert_in_range(reserve_total(&def), size - 257 * MIB, size - 255 * MIB);
	reserve_end(&a);
	assert_int_equal(reserve_begin(&def, size, NULL, &a, &err), -ERR_NO_SPACE);
	assert_int_equal(reserve_begin(&def, size + 256 * MIB, file, &a, &err), -ERR_NO_SPACE);
}

static void test_dead_owner(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		struct reservation a;
		_exit(reserve_begin(&def, 7 * MIB, NULL, &a, NULL) == 0 &&
				      reserve_total(&def) == 7 * MIB
			      ? 0
			      : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(reserve_total(&def), 0);
}

static void test_bad_records(void **state)
{
	static const char *const names[] = {"1-1-x", "x", "99999999-1-0", "-1-1-1"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *at = xasprintf("%s/reserve/local", folder);
		autofree char *path = xasprintf("%s/%s", at, names[i]);
		assert_int_equal(dir_make(at, 0700, NULL), 0);
		assert_int_equal(file_write_atomic(path, "12345", 5, 0600, NULL), 0);
	}
	assert_int_equal(reserve_total(&def), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_promise),	 TEST(test_no_room_for_two), TEST(test_written_part),
		TEST(test_preallocated), TEST(test_dead_owner),	     TEST(test_bad_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
