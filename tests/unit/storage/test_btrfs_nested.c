/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subvolumes that a guest made inside of its own: they go where it goes, and their quota groups with them. */
#include "tests/unit/storage/btrfs_test.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>

static void make_nested(const struct volid *volume)
{
	autofree char *deep = inside(volume, NULL, "a");
	autofree char *nested = inside(volume, NULL, "a/nested");
	autofree char *more = inside(volume, NULL, "a/nested/more");
	autofree char *link = inside(volume, NULL, "link");
	assert_int_equal(mkdir(deep, 0755), 0);
	assert_int_equal(symlink("/", link), 0);
	assert_int_equal(run((const char *const[]){"btrfs", "subvolume", "create", nested, NULL}),
			 0);
	assert_int_equal(run((const char *const[]){"btrfs", "subvolume", "create", more, NULL}), 0);
}

/* What a guest made inside goes with the volume, and a link leads nowhere. */
static void test_nested(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	(void)state;
	SKIP_UNMOUNTED();
	make(106, VOLUME_ROOTDIR, 0, volid);
	parse(volid, &volume);
	make_nested(&volume);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
	assert_int_equal(volumes(), 0);
}

static void expect_nested(const char *volid)
{
	struct volid volume;
	parse(volid, &volume);
	autofree char *file = inside(&volume, NULL, "a/nested/more/file");
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
}

/* A copy that leaves out what a guest put into subvolumes of its own loses it, once the original goes. */
static void test_copy_of_nested(void **state)
{
	char volid[VOLID_MAX], copy[VOLID_MAX];
	struct volid volume;
	(void)state;
	SKIP_UNMOUNTED();
	make(112, VOLUME_ROOTDIR, 0, volid);
	parse(volid, &volume);
	make_nested(&volume);
	autofree char *path = inside(&volume, NULL, "a/nested/more/file");
	assert_int_equal(file_write_atomic(path, "x", 1, 0600, NULL), 0);
	const struct volume_copy what = {.from = &def,
					 .volume = &volume,
					 .to = &def,
					 .as = {.vmid = 113, .content = VOLUME_ROOTDIR}};
	assert_int_equal(volume_copy(&what, copy, NULL), 0);
	expect_nested(copy);
	copy_through_stream(volid, NULL, copy);
	expect_nested(copy);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
}

/* Text of a file in the volume, "" if it is not there. */
static void expect_file(const struct volid *volume, const char *snapshot, const char *name,
			const char *text)
{
	char got[64] = "";
	autofree char *path = inside(volume, snapshot, name);
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	if (strcmp(got, text) != 0)
		fail_msg("%s: '%s' instead of '%s'", path, got, text);
}

static int put_file(const struct volid *volume, const char *name, const char *text)
{
	autofree char *path = inside(volume, NULL, name);
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

static void btrfs_tool(const char *a, const char *b, const struct volid *volume, const char *path,
		       const char *more)
{
	autofree char *full = inside(volume, NULL, path);
	assert_int_equal(run((const char *const[]){"btrfs", a, b, full, more, NULL}), 0);
}

static void read_only(const struct volid *volume, const char *path)
{
	autofree char *full = inside(volume, NULL, path);
	assert_int_equal(run((const char *const[]){"btrfs", "property", "set", "-ts", full, "ro",
						   "true", NULL}),
			 0);
}

/* a/nested, a/nested/more, and frozen, which the guest made read-only */
static void make_guest(unsigned vmid, struct volid *ret)
{
	char volid[VOLID_MAX];
	make(vmid, VOLUME_ROOTDIR, 0, volid);
	parse(volid, ret);
	make_nested(ret);
	btrfs_tool("subvolume", "create", ret, "frozen", NULL);
	assert_int_equal(put_file(ret, "top", "one"), 0);
	assert_int_equal(put_file(ret, "a/nested/file", "one"), 0);
	assert_int_equal(put_file(ret, "a/nested/more/file", "one"), 0);
	assert_int_equal(put_file(ret, "frozen/file", "one"), 0);
	read_only(ret, "frozen");
}

static void change_guest(const struct volid *volume)
{
	assert_int_equal(put_file(volume, "top", "two"), 0);
	assert_int_equal(put_file(volume, "a/nested/file", "two"), 0);
	assert_int_equal(put_file(volume, "a/nested/more/file", "two"), 0);
}

static void expect_guest(const struct volid *volume, const char *snapshot, const char *text)
{
	expect_file(volume, snapshot, "top", text);
	expect_file(volume, snapshot, "a/nested/file", text);
	expect_file(volume, snapshot, "a/nested/more/file", text);
	expect_file(volume, snapshot, "frozen/file", "one");
}

/* What could be written can be, what could not cannot. */
static void expect_writable(const struct volid *volume)
{
	assert_int_equal(put_file(volume, "top", "new"), 0);
	assert_int_equal(put_file(volume, "a/nested/file", "new"), 0);
	assert_int_equal(put_file(volume, "a/nested/more/file", "new"), 0);
	assert_int_equal(put_file(volume, "frozen/file", "new"), -EROFS);
}

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->message);
}

static void test_snapshot(void **state)
{
	struct volid volume;
	struct err err = ERR_INIT;
	(void)state;
	SKIP_UNMOUNTED();
	make_guest(120, &volume);
	must(driver->snapshot(&def, &volume, "s1", &err), &err);
	change_guest(&volume);
	expect_guest(&volume, "s1", "one");
	expect_guest(&volume, NULL, "two");
	autofree char *file = inside(&volume, "s1", "a/nested/more/file");
	assert_int_equal(open(file, O_WRONLY | O_CLOEXEC), -1); /* a snapshot stays as it is */
	assert_int_equal(driver->snapshot(&def, &volume, "s1", &err), -ERR_EXISTS);
	expect_guest(&volume, "s1", "one");
	must(driver->rollback(&def, &volume, "s1", &err), &err);
	expect_guest(&volume, NULL, "one");
	expect_writable(&volume);
	/* and once more, as nothing of the first time is left */
	must(driver->snapshot(&def, &volume, "s2", &err), &err);
	must(driver->rollback(&def, &volume, "s1", &err), &err);
	expect_guest(&volume, NULL, "one");
	must(driver->snapshot_delete(&def, &volume, "s1", &err), &err);
	must(driver->free(&def, &volume, &err), &err);
	assert_int_equal(volumes(), 0);
}

static void clone_as(const struct volid *volume, const char *snapshot, unsigned vmid,
		     struct volid *ret)
{
	char volid[VOLID_MAX];
	struct err err = ERR_INIT;
	const struct volume_alloc as = {.vmid = vmid, .content = VOLUME_ROOTDIR};
	must(driver->clone(&def, volume, snapshot, &as, volid, &err), &err);
	parse(volid, ret);
}

static void test_clone(void **state)
{
	struct volid volume, of_snapshot, of_base;
	char base[VOLID_MAX];
	struct err err = ERR_INIT;
	(void)state;
	SKIP_UNMOUNTED();
	make_guest(121, &volume);
	must(driver->snapshot(&def, &volume, "s1", &err), &err);
	change_guest(&volume);
	clone_as(&volume, "s1", 122, &of_snapshot);
	expect_guest(&of_snapshot, NULL, "one");
	expect_writable(&of_snapshot);
	must(driver->snapshot_delete(&def, &volume, "s1", &err), &err);
	must(driver->to_base(&def, &volume, base, &err), &err);
	parse(base, &volume);
	clone_as(&volume, NULL, 123, &of_base);
	expect_guest(&of_base, NULL, "two");
	expect_writable(&of_base);
	expect_guest(&volume, NULL, "two");
	must(driver->free(&def, &volume, &err), &err);
	expect_file(&of_base, NULL, "a/nested/more/file", "new");
	must(driver->free(&def, &of_base, &err), &err);
	must(driver->free(&def, &of_snapshot, &err), &err);
	assert_int_equal(volumes(), 0);
}

/* What a guest made read-only holds what is inside of it, and a path can be longer than any call takes. */
static void test_destroy_hostile(void **state)
{
	char volid[VOLID_MAX], name[201];
	struct volid volume;
	struct err err = ERR_INIT;
	(void)state;
	SKIP_UNMOUNTED();
	make(124, VOLUME_ROOTDIR, 0, volid);
	parse(volid, &volume);
	make_nested(&volume);
	read_only(&volume, "a/nested");
	autofree char *top = inside(&volume, NULL, "");
	autofd int at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 30; i++) {
		int next;
		assert_int_equal(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	autofree char *deep = xasprintf("/proc/%d/fd/%d/deep", (int)getpid(), at);
	assert_int_equal(run((const char *const[]){"btrfs", "subvolume", "create", deep, NULL}), 0);
	close(TAKE_FD(at));
	must(driver->snapshot(&def, &volume, "s1", &err), &err);
	must(driver->free(&def, &volume, &err), &err);
	assert_int_equal(volumes(), 0);
}

static int count_name(const char *name, uint64_t ctime, void *ctx)
{
	(void)name, (void)ctime;
	++*(size_t *)ctx;
	return 0;
}

/* More than can be taken along is refused, and nothing is left of the attempt. */
static void test_too_deep(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	struct err err = ERR_INIT;
	autobuf path = BUF_INIT;
	size_t names = 0;
	(void)state;
	SKIP_UNMOUNTED();
	make(125, VOLUME_ROOTDIR, 0, volid);
	parse(volid, &volume);
	for (int i = 0; i < 34; i++) {
		buf_addf(&path, "%sd", i ? "/" : "");
		btrfs_tool("subvolume", "create", &volume, buf_str(&path), NULL);
	}
	assert_int_equal(driver->snapshot(&def, &volume, "s1", &err), -ERR_LIMIT);
	assert_non_null(strstr(err.message, "nested them more than 32 deep"));
	assert_int_equal(driver->snapshots(&def, &volume, count_name, &names, NULL), 0);
	assert_int_equal(names, 0);
	must(driver->free(&def, &volume, &err), &err);
	autofree char *owner = xasprintf("%s/root/images/125", folder);
	assert_int_not_equal(access(owner, F_OK), 0);
}

/* -- quota groups ------------------------------------------------------------------------------------ */

static size_t groups(void)
{
	autofree char *root = xasprintf("%s/root", folder);
	const char *const argv[] = {"btrfs", "qgroup", "show", "--sync", root, NULL};
	const struct exec_run show = {.argv = argv,
				      .deadline = clock_monotonic() + 60 * USEC_PER_SEC};
	struct exec_result result = {0};
	size_t n = 0;
	assert_int_equal(exec_run(&show, &result, NULL), 0);
	for (const char *at = buf_str(&result.output); (at = strstr(at, "\n0/")); at++)
		n++;
	exec_result_fini(&result);
	return n;
}

/* The kernel is done with what was removed. */
static void settle(void)
{
	autofree char *root = xasprintf("%s/root", folder);
	assert_int_equal(run((const char *const[]){"btrfs", "subvolume", "sync", root, NULL}), 0);
	assert_int_equal(run((const char *const[]){"btrfs", "filesystem", "sync", root, NULL}), 0);
}

static bool switch_quota(uint64_t command)
{
	autofree char *root = xasprintf("%s/root", folder);
	autofd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct btrfs_ioctl_quota_ctl_args args = {.cmd = command};
	return ioctl(fd, BTRFS_IOC_QUOTA_CTL, &args) == 0;
}

static void remove_one(unsigned vmid)
{
	char volid[VOLID_MAX];
	struct volid volume;
	struct err err = ERR_INIT;
	make(vmid, VOLUME_ROOTDIR, 0, volid);
	parse(volid, &volume);
	must(driver->free(&def, &volume, &err), &err);
	settle();
}

/* Simple quota counts for the first writer what the clone still shares: that group ends after the clone. */
static void use_groups(void)
{
	char volid[VOLID_MAX];
	struct volid volume, clone;
	struct err err = ERR_INIT;
	remove_one(128); /* its group may stay until the next removal */
	size_t before = groups();
	make(126, VOLUME_ROOTDIR, 32 * MIB, volid);
	parse(volid, &volume);
	make_nested(&volume);
	autofree char *path = inside(&volume, NULL, "a/nested/big");
	autofree char *data = xcalloc(1, MIB);
	assert_int_equal(file_write_atomic(path, data, MIB, 0600, NULL), 0);
	must(driver->snapshot(&def, &volume, "s1", &err), &err);
	clone_as(&volume, NULL, 127, &clone);
	assert_int_equal(groups(), before + 9);
	must(driver->free(&def, &volume, &err), &err);
	settle();
	must(driver->free(&def, &clone, &err), &err);
	settle();
	remove_one(128);
	if (groups() != before)
		fail_msg("%zu quota groups instead of %zu", groups(), before);
}

#define CLASSIC BTRFS_QUOTA_CTL_ENABLE
#define SIMPLE	4
#define NO_MORE BTRFS_QUOTA_CTL_DISABLE

static void test_groups(void **state)
{
	static const uint64_t kinds[] = {CLASSIC, SIMPLE};
	(void)state;
	SKIP_UNMOUNTED();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!switch_quota(kinds[i]))
			continue; /* a kernel before 6.7 */
		use_groups();
		assert_true(switch_quota(NO_MORE));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),		cmocka_unit_test(test_copy_of_nested),
		cmocka_unit_test(test_snapshot),	cmocka_unit_test(test_clone),
		cmocka_unit_test(test_destroy_hostile), cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_groups),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
