/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files inside a hostile root: links never lead out, and what is written replaces links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/rootdir.h"

struct dirs {
	char base[64];
	char *outside; /* a folder beside the root that must stay empty */
	int root;
};

static int set_up(void **state)
{
	struct dirs *d = xcalloc(1, sizeof(*d));
	autofree char *root = NULL;

	strcpy(d->base, "/tmp/rootdir-test-XXXXXX");
	assert_non_null(mkdtemp(d->base));
	root = xasprintf("%s/root", d->base);
	d->outside = xasprintf("%s/outside", d->base);
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(mkdir(d->outside, 0755), 0);
	d->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->root >= 0);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct dirs *d = *state;

	assert_int_equal(dir_remove_tree(d->base, NULL), 0);
	close(d->root);
	free(d->outside);
	free(d);
	return 0;
}

static void expect_text(struct dirs *d, const char *path, const char *expected)
{
	autobuf text = BUF_INIT;

	assert_int_equal(rootdir_read(d->root, path, 4096, &text, NULL), 0);
	assert_string_equal(buf_str(&text), expected);
}

static void expect_outside_untouched(struct dirs *d)
{
	assert_int_equal(rmdir(d->outside), 0); /* only an empty folder goes */
	assert_int_equal(mkdir(d->outside, 0755), 0);
}

static void writes_and_makes_parents(void **state)
{
	struct dirs *d = *state;
	struct stat st;

	assert_int_equal(rootdir_write(d->root, "/etc/a/b", "one", 3, 0640, NULL), 0);
	expect_text(d, "/etc/a/b", "one");
	assert_int_equal(fstatat(d->root, "etc/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* an existing file keeps its mode */
	assert_int_equal(rootdir_write(d->root, "/etc/a/b", "two", 3, 0600, NULL), 0);
	assert_int_equal(fstatat(d->root, "etc/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	expect_text(d, "/etc/a/b", "two");
}

static void equal_content_is_not_written(void **state)
{
	struct dirs *d = *state;
	struct stat before, after;

	assert_int_equal(rootdir_write(d->root, "/f", "same", 4, 0644, NULL), 0);
	assert_int_equal(fstatat(d->root, "f", &before, 0), 0);
	assert_int_equal(rootdir_write(d->root, "/f", "same", 4, 0644, NULL), 0);
	assert_int_equal(fstatat(d->root, "f", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void folder_links_stay_inside(void **state)
{
	struct dirs *d = *state;
	static const char *const links[] = {"../outside", "../../../../../../tmp", NULL};

	for (size_t i = 0; links[i]; i++) {
		unlinkat(d->root, "etc", 0);
		assert_int_equal(symlinkat(links[i], d->root, "etc"), 0);
		(void)rootdir_write(d->root, "/etc/x", "x", 1, 0644, NULL);
		expect_outside_untouched(d);
	}
	unlinkat(d->root, "etc", 0);
	assert_int_equal(symlinkat(d->outside, d->root, "etc"), 0);
	assert_true(rootdir_write(d->root, "/etc/x", "x", 1, 0644, NULL) < 0);
	assert_true(rootdir_make(d->root, "/etc/x", 0755, NULL) < 0);
	expect_outside_untouched(d);
}

static void a_link_to_itself_is_an_error(void **state)
{
	struct dirs *d = *state;

	assert_int_equal(symlinkat("/etc", d->root, "etc"), 0);
	assert_true(rootdir_write(d->root, "/etc/x", "x", 1, 0644, NULL) < 0);
}

static void absolute_links_mean_the_root(void **state)
{
	struct dirs *d = *state;

	assert_int_equal(mkdirat(d->root, "real", 0755), 0);
	assert_int_equal(symlinkat("/real", d->root, "etc"), 0);
	assert_int_equal(rootdir_write(d->root, "/etc/x", "x", 1, 0644, NULL), 0);
	expect_text(d, "/real/x", "x");
}

static void file_links_are_replaced(void **state)
{
	struct dirs *d = *state;
	autofree char *victim = xasprintf("%s/victim", d->base);
	autobuf text = BUF_INIT;
	struct stat st;

	assert_int_equal(file_write_atomic(victim, "mine", 4, 0644, NULL), 0);
	assert_int_equal(symlinkat("../victim", d->root, "f"), 0);
	assert_int_equal(rootdir_write(d->root, "/f", "x", 1, 0644, NULL), 0);
	assert_int_equal(fstatat(d->root, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(file_read(victim, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "mine");
}

static void reads_only_regular_files(void **state)
{
	struct dirs *d = *state;
	autobuf text = BUF_INIT;

	assert_int_equal(mkfifoat(d->root, "pipe", 0644), 0);
	assert_true(rootdir_read(d->root, "/pipe", 100, &text, NULL) < 0);
	assert_int_equal(symlinkat("/proc/self/root/etc/passwd", d->root, "magic"), 0);
	assert_true(rootdir_read(d->root, "/magic", 100, &text, NULL) < 0);
	assert_int_equal(rootdir_write(d->root, "/long", "0123456789", 10, 0644, NULL), 0);
	assert_true(rootdir_read(d->root, "/long", 5, &text, NULL) < 0);
}

static void removing(void **state)
{
	struct dirs *d = *state;

	assert_int_equal(rootdir_write(d->root, "/a/f", "x", 1, 0644, NULL), 0);
	assert_int_equal(rootdir_remove(d->root, "/a/f", NULL), 0);
	assert_int_equal(rootdir_remove(d->root, "/a/f", NULL), 0);
	assert_int_equal(rootdir_remove(d->root, "/none/f", NULL), 0);
}

/* Opening a device may act on it: only regular files are opened. */
static void devices_are_not_opened(void **state)
{
	struct dirs *d = *state;
	autofree char *path = xasprintf("%s/root/pipe", d->base);
	struct inotify_event event; /* of a file: without a name */
	autobuf text = BUF_INIT;
	autofd int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	assert_int_equal(mkfifo(path, 0644), 0);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	assert_int_equal(rootdir_read(d->root, "/pipe", 4096, &text, NULL), -ERR_INVALID);
	assert_int_equal(rootdir_write(d->root, "/pipe", "x", 1, 0644, NULL), 0);
	while (read(watch, &event, sizeof(event)) > 0)
		assert_false(event.mask & IN_OPEN);
	expect_text(d, "/pipe", "x");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(writes_and_makes_parents),	 T(equal_content_is_not_written),
		T(folder_links_stay_inside),	 T(a_link_to_itself_is_an_error),
		T(absolute_links_mean_the_root), T(file_links_are_replaced),
		T(reads_only_regular_files),	 T(removing),
		T(devices_are_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
