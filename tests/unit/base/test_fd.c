/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors, small files and trees, in a temporary folder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

static char folder[] = "/tmp/lodge-test-fd-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void test_write_and_read(void **state)
{
	autofree char *path = in_folder("file");
	autobuf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(file_write_atomic(path, "hello", 5, 0640, &err), 0);
	autofree char *longest = xasprintf("%s/%0*d", folder, 255, 1);
	assert_int_equal(file_write_atomic(longest, "hello", 5, 0640, &err), 0);
	assert_int_equal(file_remove(longest, &err), 0);
	assert_int_equal(file_write_atomic(path, "world", 5, 0640, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	buf_add_str(&b, "> ");
	assert_int_equal(file_read(path, 4, &b, &err), -ERR_LIMIT);
	assert_string_equal(buf_str(&b), "> ");
	assert_int_equal(file_read(path, 5, &b, &err), 0);
	assert_string_equal(buf_str(&b), "> world");
	assert_int_equal(file_read(path, SIZE_MAX, &b, &err), 0);
	assert_string_equal(buf_str(&b), "> worldworld");
	assert_int_equal(file_remove(path, &err), 0);
	assert_int_equal(file_remove(path, &err), 0);
	assert_int_equal(file_read(path, 5, &b, &err), -ERR_NOT_FOUND);
	assert_non_null(strstr(err.message, path));
}

static void test_failed_write_changes_nothing(void **state)
{
	autofree char *path = in_folder("taken"), *below = in_folder("none/file");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make(path, 0700, &err), 0);
	assert_true(file_write_atomic(path, "x", 1, 0600, &err) < 0); /* a folder is there */
	assert_int_equal(file_write_atomic(below, "x", 1, 0600, &err), -ERR_NOT_FOUND);
	assert_int_equal(rmdir(path), 0); /* still empty, and no temporary file beside it */
}

static void test_dir_make(void **state)
{
	autofree char *deep = in_folder("a/b/c/"), *file = in_folder("plain"),
		      *below = in_folder("plain/x");
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(dir_make(deep, 0700, &err), 0);
	assert_int_equal(dir_make(deep, 0700, &err), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_write_atomic(file, "", 0, 0600, &err), 0);
	assert_true(dir_make(file, 0700, &err) < 0);
	assert_true(dir_make(below, 0700, &err) < 0);
	assert_int_equal(dir_make("", 0700, &err), -ERR_INVALID);
}

static void test_remove_tree(void **state)
{
	autofree char *kept = in_folder("kept"), *link = in_folder("tree/link"),
		      *tree = in_folder("tree/");
	autofree char *file = in_folder("tree/sub/file"), *sub = in_folder("tree/sub");
	autofree char *outside = in_folder("kept/file"), *absent = in_folder("absent/too");

	(void)state;
	assert_int_equal(dir_make(kept, 0700, NULL), 0);
	assert_int_equal(dir_make(sub, 0700, NULL), 0);
	assert_int_equal(file_write_atomic(file, "x", 1, 0400, NULL), 0);
	assert_int_equal(file_write_atomic(outside, "x", 1, 0400, NULL), 0);
	assert_int_equal(symlink(kept, link), 0);
	assert_int_equal(dir_remove_tree(tree, NULL), 0);
	assert_false(is_there(tree));
	assert_true(is_there(outside));
	assert_int_equal(dir_remove_tree(tree, NULL), 0);
	assert_int_equal(dir_remove_tree(absent, NULL), 0);
	assert_int_equal(dir_remove_tree("", NULL), -ERR_INVALID);
	assert_int_equal(dir_remove_tree("..", NULL), -ERR_INVALID);
}

/* deeper than any path name, any descriptor table and any wish */
static void test_remove_deep_tree(void **state)
{
	autofree char *top = in_folder("deep");
	struct err err = ERR_INIT;
	int at;

	(void)state;
	assert_int_equal(mkdir(top, 0700), 0);
	at = open(top, O_PATH | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0700), 0);
		assert_int_equal(mkdirat(at, ".removed-1", 0700), 0);
		next = openat(at, "d", O_PATH | O_CLOEXEC);
		close(at);
		at = next;
		assert_true(at >= 0);
	}
	close(at);
	assert_int_equal(dir_remove_tree(top, &err), 0);
	assert_false(is_there(top));
}

static void test_memfd(void **state)
{
	autofd int sealed = -1, open_one = memfd_create("x", MFD_CLOEXEC),
		   plain = open("/dev/null", O_RDWR);
	autobuf b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(fd_memfd_sealed("t", "content", 7, &sealed, &err), 0);
	assert_int_equal(write(sealed, "x", 1), -1);
	assert_int_equal(fd_memfd_read(sealed, 6, &b, &err), -ERR_LIMIT);
	assert_int_equal(fd_memfd_read(sealed, 7, &b, &err), 0);
	assert_string_equal(buf_str(&b), "content");
	assert_int_equal(fd_memfd_read(open_one, 7, &b, &err), -ERR_CORRUPT);
	assert_int_equal(fd_memfd_read(plain, 7, &b, &err), -ERR_CORRUPT);
	assert_int_equal(fd_memfd_read(-1, 7, &b, &err), -ERR_CORRUPT);
	assert_int_equal(b.size, 7);
}

static void test_random(void **state)
{
	uint8_t a[300] = {0}, b[300] = {0};

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_failed_write_changes_nothing),
		cmocka_unit_test(test_dir_make),
		cmocka_unit_test(test_remove_tree),
		cmocka_unit_test(test_remove_deep_tree),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
