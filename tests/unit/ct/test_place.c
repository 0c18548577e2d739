/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places of mounts: links of the root's own mount lead on below it; a name that became a link in a tree that others
 * write in, which is a mount of its own, leads nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/place.h"

#define RACES 3000

struct dirs {
	char base[64];
	char *shared, *secret; /* what the container writes in; what it must not get at */
	int root;
};

static bool has_mounts; /* this process has a mount namespace of its own */

static int set_up(void **state)
{
	struct dirs *d = xcalloc(1, sizeof(*d));
	autofree char *inside = NULL, *canary = NULL;

	strcpy(d->base, "/tmp/place-test-XXXXXX");
	assert_non_null(mkdtemp(d->base));
	d->shared = xasprintf("%s/shared", d->base);
	d->secret = xasprintf("%s/secret", d->base);
	inside = xasprintf("%s/b", d->shared);
	canary = xasprintf("%s/canary", d->secret);
	assert_int_equal(mkdir(d->shared, 0755), 0);
	assert_int_equal(mkdir(d->secret, 0755), 0);
	assert_int_equal(mkdir(inside, 0755), 0);
	assert_int_equal(file_write_atomic(canary, "x", 1, 0600, NULL), 0);
	if (has_mounts)
		assert_int_equal(mount(d->shared, d->shared, NULL, MS_BIND, NULL), 0);
	d->root = open(d->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct dirs *d = *state;

	close(d->root);
	if (has_mounts)
		assert_int_equal(umount2(d->shared, MNT_DETACH), 0);
	assert_int_equal(dir_remove_tree(d->base, NULL), 0);
	free(d->shared);
	free(d->secret);
	free(d);
	return 0;
}

static bool is_secret(const struct dirs *d, int fd)
{
	struct stat a, b;

	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(stat(d->secret, &b), 0);
	return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static void become_link(const struct dirs *d, const char *to)
{
	assert_int_equal(unlinkat(d->root, "shared/b", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat(to, d->root, "shared/b"), 0);
}

static void a_source_is_no_link(void **state)
{
	struct dirs *d = *state;
	autofree char *path = xasprintf("%s/b", d->shared);
	autofree char *below = xasprintf("%s/b/c", d->shared);
	struct err err = ERR_INIT;
	autofd int fd = ct_place_source(path, &err);

	assert_true(fd >= 0);
	become_link(d, d->secret);
	assert_int_equal(ct_place_source(path, &err), -ERR_INVALID);
	assert_non_null(strstr(err.message, "symbolic link"));
	assert_int_equal(mkdirat(d->root, "secret/c", 0755), 0);
	assert_int_equal(ct_place_source(below, &err), -ERR_INVALID);
	assert_int_equal(ct_place_source("/none/at/all", &err), -ERR_NOT_FOUND);
}

static void a_source_is_a_folder(void **state)
{
	struct dirs *d = *state;
	autofree char *path = xasprintf("%s/canary", d->secret);

	assert_true(ct_place_source(path, NULL) < 0);
}

static void makes_what_is_missing(void **state)
{
	struct dirs *d = *state;
	struct err err = ERR_INIT;
	struct stat st;
	autofd int folder = ct_place_make(d->root, "/new/deep/place", false, &err);
	autofd int file = ct_place_make(d->root, "/dev/dri/card0", true, &err);

	assert_true(folder >= 0 && file >= 0);
	assert_int_equal(fstat(folder, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(fstat(file, &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 0);
	/* and takes what is there */
	autofd int again = ct_place_make(d->root, "/new/deep/place", false, &err);
	autofd int same = ct_place_make(d->root, "/dev/dri/card0", true, &err);
	assert_true(again >= 0 && same >= 0);
	assert_true(ct_place_make(d->root, "/new/deep", true, &err) < 0);
	assert_true(ct_place_make(d->root, "/dev/dri/card0", false, &err) < 0);
}

static void a_target_follows_no_link(void **state)
{
	struct dirs *d = *state;
	static const char *const links[] = {"../secret", "/secret", "../../../../../etc"};
	struct err err = ERR_INIT;

	if (!has_mounts)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		become_link(d, links[i]);
		assert_int_equal(ct_place_make(d->root, "/shared/b", false, &err), -ERR_INVALID);
		assert_int_equal(ct_place_make(d->root, "/shared/b/c", false, &err), -ERR_INVALID);
		assert_int_equal(ct_place_make(d->root, "/shared/b/f", true, &err), -ERR_INVALID);
		assert_non_null(strstr(err.message, "guest's /shared/b/f"));
		assert_non_null(strstr(err.message, "symbolic link"));
		assert_int_not_equal(faccessat(d->root, "secret/c", F_OK, 0), 0);
		assert_int_not_equal(faccessat(d->root, "secret/f", F_OK, 0), 0);
		assert_int_equal(unlinkat(d->root, "shared/b", 0), 0);
		assert_int_equal(mkdirat(d->root, "shared/b", 0755), 0);
	}
}

static void a_file_is_no_link_either(void **state)
{
	struct dirs *d = *state;

	if (!has_mounts)
		skip();
	assert_int_equal(symlinkat("../secret/canary", d->root, "shared/f"), 0);
	assert_int_equal(ct_place_make(d->root, "/shared/f", true, &ERR_INIT), -ERR_INVALID);
	assert_int_equal(symlinkat("../secret/made", d->root, "shared/g"), 0);
	assert_int_equal(ct_place_make(d->root, "/shared/g", true, &ERR_INIT), -ERR_INVALID);
	assert_int_not_equal(faccessat(d->root, "secret/made", F_OK, 0), 0);
}

static void no_way_up(void **state)
{
	struct dirs *d = *state;
	struct err err = ERR_INIT;

	assert_int_equal(ct_place_make(d->root, "/shared/../secret", false, &err), -ERR_INVALID);
	assert_int_equal(ct_place_make(d->root, "/", false, &err), -ERR_INVALID);
}

static void the_parent_follows_no_link(void **state)
{
	struct dirs *d = *state;
	struct err err = ERR_INIT;
	autofree char *name = NULL, *none = NULL;
	autofd int fd = ct_place_parent(d->root, "/shared/b", &name, &err);

	if (!has_mounts)
		skip();
	assert_true(fd >= 0);
	assert_string_equal(name, "b");
	assert_int_equal(ct_place_parent(d->root, "/shared/none/c", &none, &err), -ERR_NOT_FOUND);
	become_link(d, "../secret");
	assert_int_equal(ct_place_parent(d->root, "/shared/b/c", &none, &err), -ERR_INVALID);
}

static void expect_at(const struct dirs *d, const char *path, const char *where)
{
	struct err err = ERR_INIT;
	struct stat made, there;
	autofd int fd = ct_place_make(d->root, path, false, &err);

	if (fd < 0)
		fail_msg("%s: %s", path, err.message);
	assert_int_equal(fstat(fd, &made), 0);
	assert_int_equal(fstatat(d->root, where, &there, 0), 0);
	assert_true(made.st_ino == there.st_ino && made.st_dev == there.st_dev);
}

/* As they are on every system with a merged /usr. */
static void links_of_the_root_are_followed(void **state)
{
	struct dirs *d = *state;
	struct err err = ERR_INIT;
	autofree char *name = NULL, *lib = NULL;

	assert_int_equal(mkdirat(d->root, "usr", 0755), 0);
	assert_int_equal(mkdirat(d->root, "usr/lib", 0755), 0);
	assert_int_equal(mkdirat(d->root, "run", 0755), 0);
	assert_int_equal(mkdirat(d->root, "var", 0755), 0);
	assert_int_equal(symlinkat("usr/lib", d->root, "lib"), 0);
	assert_int_equal(symlinkat("/run", d->root, "var/run"), 0);
	assert_int_equal(symlinkat("../../../..", d->root, "var/up"), 0);
	expect_at(d, "/lib/modules", "usr/lib/modules");
	expect_at(d, "/var/run/a/b", "run/a/b");
	expect_at(d, "/var/run", "run");
	expect_at(d, "/lib", "usr/lib");
	expect_at(d, "/var/up/top", "top"); /* no way out of it */
	autofd int parent = ct_place_parent(d->root, "/lib", &name, &err);

	assert_true(parent >= 0);
	assert_string_equal(name, "lib");
	assert_int_equal(faccessat(parent, "lib/modules", F_OK, 0), 0);
	autofd int below = ct_place_parent(d->root, "/lib/modules", &lib, &err);

	assert_true(below >= 0);
	assert_string_equal(lib, "modules");
}

static void not_into_another_mount(void **state)
{
	struct dirs *d = *state;
	struct err err = ERR_INIT;

	if (!has_mounts)
		skip();
	assert_int_equal(symlinkat("shared", d->root, "into"), 0);
	assert_int_equal(ct_place_make(d->root, "/into/b", false, &err), -ERR_INVALID);
	assert_non_null(strstr(err.message, "symbolic link"));
	assert_int_equal(symlinkat("shared/b", d->root, "deep"), 0);
	assert_int_equal(ct_place_make(d->root, "/deep/c", false, &err), -ERR_INVALID);
	assert_int_not_equal(faccessat(d->root, "shared/b/c", F_OK, 0), 0);
	/* nor back out of one */
	become_link(d, "/secret");
	assert_int_equal(ct_place_make(d->root, "/shared/b/c", false, &err), -ERR_INVALID);
	assert_int_equal(ct_place_make(d->root, "/shared/b", false, &err), -ERR_INVALID);
	assert_int_not_equal(faccessat(d->root, "secret/c", F_OK, 0), 0);
}

static void links_without_an_end_are_refused(void **state)
{
	struct dirs *d = *state;

	assert_int_equal(symlinkat("two", d->root, "one"), 0);
	assert_int_equal(symlinkat("one", d->root, "two"), 0);
	assert_int_equal(symlinkat("nothing", d->root, "three"), 0);
	assert_true(ct_place_make(d->root, "/one", false, NULL) < 0);
	assert_true(ct_place_make(d->root, "/one/a", false, NULL) < 0);
	assert_true(ct_place_make(d->root, "/three/a", false, NULL) < 0);
}

/* The container: its folder and a link to the secret change places without end. */
static pid_t exchange_for_ever(const struct dirs *d)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;)
		(void)renameat2(d->root, "shared/b", d->root, "shared/link", RENAME_EXCHANGE);
}

static void an_exchange_meanwhile_leads_nowhere(void **state)
{
	struct dirs *d = *state;
	autofree char *path = xasprintf("%s/b", d->shared);
	unsigned refused = 0, taken = 0;
	pid_t pid;

	if (!has_mounts)
		skip();
	assert_int_equal(symlinkat("../secret", d->root, "shared/link"), 0);
	pid = exchange_for_ever(d);
	for (int i = 0; i < RACES; i++) {
		struct err err = ERR_INIT;
		autofd int source = ct_place_source(path, &err);
		autofd int target = ct_place_make(d->root, "/shared/b", false, &err);

		assert_false(source >= 0 && is_secret(d, source));
		assert_false(target >= 0 && is_secret(d, target));
		taken += source >= 0;
		refused += source < 0;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_message("%u taken, %u refused\n", taken, refused);
}

/* In a mount namespace of a process of its own: what a bind mount of a link mounts. */
static void the_mount_is_of_the_folder(void **state)
{
	struct dirs *d = *state;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	become_link(d, d->secret);
	if ((pid = fork()) == 0) {
		autofree char *path = xasprintf("%s/b", d->shared);
		autofree char *target = xasprintf("%s/target", d->base);
		autofree char *canary = xasprintf("%s/canary", target);
		autofree char *run = xasprintf("%s/ct", d->base);
		struct err err = ERR_INIT;

		(void)mkdir(run, 0700);
		setenv("LODGE_RUN_DIR", d->base, 1);
		if (ct_mount_isolate(&err) < 0)
			_exit(77);
		if (ct_mount_folder(path, target, 0, &err) != -ERR_INVALID)
			_exit(1);
		_exit(ct_mount_folder(d->secret, target, 0, &err) == 0 && access(canary, F_OK) == 0
			      ? 0
			      : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_source_is_no_link),	       T(a_source_is_a_folder),
		T(makes_what_is_missing),      T(a_target_follows_no_link),
		T(a_file_is_no_link_either),   T(no_way_up),
		T(the_parent_follows_no_link), T(an_exchange_meanwhile_leads_nowhere),
		T(the_mount_is_of_the_folder), T(links_of_the_root_are_followed),
		T(not_into_another_mount),     T(links_without_an_end_are_refused),
	};

	has_mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
