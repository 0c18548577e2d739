/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The btrfs driver on a real file system. */
#include "tests/unit/storage/btrfs_test.h"

static int join(const char *name, uint64_t ctime, void *ctx)
{
	assert_true(ctime > 1000000000);
	buf_addf(ctx, "%s ", name);
	return 0;
}

static void expect_snapshots(const struct volid *volume, const char *names)
{
	autobuf text = BUF_INIT;
	assert_int_equal(driver->snapshots(&def, volume, join, &text, NULL), 0);
	assert_string_equal(buf_str(&text), names);
}

static void test_names(void **state)
{
	char a[VOLID_MAX], b[VOLID_MAX], c[VOLID_MAX];
	struct volid volume;
	struct volume_info info;
	struct err err = ERR_INIT;
	(void)state;
	SKIP_UNMOUNTED();
	make(101, VOLUME_IMAGES, 8 * MIB, a);
	make(101, VOLUME_ROOTDIR, 16 * MIB, b);
	make(101, VOLUME_IMAGES, 8 * MIB, c);
	assert_string_equal(a, "pool:101/vm-101-disk-0.raw");
	assert_string_equal(b, "pool:101/subvol-101-disk-1.subvol");
	assert_string_equal(c, "pool:101/vm-101-disk-2.raw");
	assert_int_equal(volumes(), 3);
	parse(b, &volume);
	assert_int_equal(driver->info(&def, &volume, &info, NULL), 0);
	assert_int_equal(info.size, 16 * MIB);
	parse("pool:101/vm-101-disk-7.raw", &volume);
	assert_int_equal(driver->info(&def, &volume, &info, &err), -ERR_NOT_FOUND);
	const struct volume_alloc again = {
		.vmid = 101, .content = VOLUME_IMAGES, .name = "vm-101-disk-0.raw", .size = MIB};
	assert_int_equal(driver->alloc(&def, &again, a, &err), -ERR_EXISTS);
	assert_int_equal(volumes(), 3);
	for (size_t i = 0; i < 3; i++) {
		parse(i == 0 ? "pool:101/vm-101-disk-0.raw" : i == 1 ? b : c, &volume);
		assert_int_equal(driver->free(&def, &volume, NULL), 0);
	}
	assert_int_equal(volumes(), 0);
	autofree char *owner = xasprintf("%s/root/images/101", folder);
	assert_int_equal(access(owner, F_OK), -1);
}

static void snapshots_of(const char *volid)
{
	struct volid volume;
	struct err err = ERR_INIT;
	parse(volid, &volume);
	put(&volume, "one");
	assert_int_equal(driver->snapshot(&def, &volume, "first", NULL), 0);
	put(&volume, "two");
	assert_int_equal(driver->snapshot(&def, &volume, "alpha", NULL), 0);
	put(&volume, "now");
	assert_int_equal(driver->snapshot(&def, &volume, "first", &err), -ERR_EXISTS);
	assert_int_equal(driver->snapshot(&def, &volume, "no/such", &err), -ERR_INVALID);
	expect_snapshots(&volume, "first alpha ");
	expect(&volume, "first", "one");
	expect(&volume, "alpha", "two");
	expect(&volume, NULL, "now");
	assert_int_equal(driver->rollback(&def, &volume, "nothing", &err), -ERR_NOT_FOUND);
	assert_int_equal(driver->rollback(&def, &volume, "first", NULL), 0);
	expect(&volume, NULL, "one");
	put(&volume, "new"); /* it is writable, and the snapshot stays as it was */
	expect(&volume, "first", "one");
	expect_snapshots(&volume, "first alpha ");
	assert_int_equal(driver->snapshot_delete(&def, &volume, "first", NULL), 0);
	assert_int_equal(driver->snapshot_delete(&def, &volume, "first", NULL), 0);
	expect_snapshots(&volume, "alpha ");
	assert_int_equal(volumes(), 1);
}

static void test_snapshots(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	(void)state;
	SKIP_UNMOUNTED();
	for (int i = 0; i < 2; i++) {
		make(102, i ? VOLUME_ROOTDIR : VOLUME_IMAGES, 16 * MIB, volid);
		snapshots_of(volid);
		parse(volid, &volume);
		assert_int_equal(driver->free(&def, &volume, NULL), 0);
		assert_int_equal(volumes(), 0);
	}
}

/* A second name for a volume would get past whoever looks for its use by the first, and one with '@' would be a
 * snapshot. */
static void test_other_names(void **state)
{
	static const char *const others[] = {
		"pool:111/vm-111-disk-0.RAW", "pool:111/vm-111-disk-0.subvol",
		"pool:111/vm-111-disk-0@snap.raw", "pool:111/vm-111-disk-0@snap.subvol"};
	char volid[VOLID_MAX], base[VOLID_MAX], none[VOLID_MAX];
	struct volid volume;
	struct volume_info info;
	(void)state;
	SKIP_UNMOUNTED();
	make(111, VOLUME_IMAGES, 8 * MIB, volid);
	parse(volid, &volume);
	assert_int_equal(driver->snapshot(&def, &volume, "snap", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct volid other;
		autobuf path = BUF_INIT;
		struct err err = ERR_INIT;
		parse(others[i], &other);
		assert_int_equal(driver->free(&def, &other, &err), -ERR_INVALID);
		assert_int_equal(driver->info(&def, &other, &info, NULL), -ERR_INVALID);
		assert_int_equal(driver->path(&def, &other, &path, NULL), -ERR_INVALID);
		const struct volume_alloc as = {.vmid = 111,
						.content = other.content,
						.name = strchr(others[i], '/') + 1,
						.size = MIB};
		assert_true(driver->alloc(&def, &as, none, &err) < 0);
	}
	expect_snapshots(&volume, "snap ");
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
	const struct volume_alloc dotted = {
		.vmid = 111, .content = VOLUME_IMAGES, .name = "vm-111-a.b.raw", .size = MIB};
	assert_int_equal(driver->alloc(&def, &dotted, volid, NULL), 0);
	parse(volid, &volume);
	assert_int_equal(driver->to_base(&def, &volume, base, NULL), 0);
	parse(base, &volume);
	assert_int_equal(driver->info(&def, &volume, &info, NULL), 0);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
	assert_int_equal(volumes(), 0);
}

static void clones_of(const char *volid, enum volume_content content)
{
	struct volid volume, base, clone;
	char made[VOLID_MAX], base_id[VOLID_MAX];
	struct volume_info info;
	struct err err = ERR_INIT;
	const struct volume_alloc as = {.vmid = 104, .content = content};
	parse(volid, &volume);
	put(&volume, "origin");
	assert_int_equal(driver->snapshot(&def, &volume, "snap", NULL), 0);
	put(&volume, "change");
	assert_int_equal(driver->clone(&def, &volume, "snap", &as, made, NULL), 0);
	parse(made, &clone);
	expect(&clone, NULL, "origin");
	put(&clone, "cloned");
	expect(&volume, NULL, "change");
	assert_int_equal(driver->info(&def, &clone, &info, NULL), 0);
	assert_int_equal(info.size, 16 * MIB);
	assert_int_equal(driver->to_base(&def, &volume, base_id, &err), -ERR_BUSY);
	assert_int_equal(driver->snapshot_delete(&def, &volume, "snap", NULL), 0);
	assert_int_equal(driver->to_base(&def, &volume, base_id, NULL), 0);
	parse(base_id, &base);
	assert_true(volume_is_base(&base));
	assert_int_equal(driver->snapshot(&def, &base, "snap", &err), -ERR_UNSUPPORTED);
	assert_int_equal(driver->resize(&def, &base, 32 * MIB, &err), -ERR_UNSUPPORTED);
	autofree char *file = inside(&base, NULL, "file");
	assert_int_equal(open(file, O_WRONLY | O_CLOEXEC), -1); /* also for root */
	assert_int_equal(driver->free(&def, &clone, NULL), 0);
	assert_int_equal(driver->clone(&def, &base, NULL, &as, made, NULL), 0);
	parse(made, &clone);
	expect(&clone, NULL, "change");
	assert_int_equal(driver->free(&def, &base, NULL), 0); /* clones stand alone */
	put(&clone, "lives!");
	assert_int_equal(driver->free(&def, &clone, NULL), 0);
}

static void test_clones(void **state)
{
	char volid[VOLID_MAX];
	(void)state;
	SKIP_UNMOUNTED();
	make(103, VOLUME_IMAGES, 16 * MIB, volid);
	clones_of(volid, VOLUME_IMAGES);
	make(103, VOLUME_ROOTDIR, 16 * MIB, volid);
	assert_string_equal(volid, "pool:103/subvol-103-disk-0.subvol");
	clones_of(volid, VOLUME_ROOTDIR);
	assert_int_equal(volumes(), 0);
}

static int fill(const struct volid *volume, uint64_t size)
{
	autofree char *path = inside(volume, NULL, "big");
	autofree char *block = xcalloc(1, MIB);
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	memset(block, 'x', MIB);
	for (uint64_t i = 0; i < size; i += MIB)
		if (fd_write_all(fd, block, MIB, NULL) < 0)
			return -1;
	return fsync(fd);
}

/* The limit holds, grows, and comes back with a rollback. */
static void test_limit(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	struct volume_info info;
	(void)state;
	SKIP_UNMOUNTED();
	make(105, VOLUME_ROOTDIR, 24 * MIB, volid);
	parse(volid, &volume);
	assert_int_equal(driver->snapshot(&def, &volume, "small", NULL), 0);
	assert_int_equal(fill(&volume, 48 * MIB), -1);
	assert_int_equal(driver->resize(&def, &volume, 96 * MIB, NULL), 0);
	assert_int_equal(fill(&volume, 48 * MIB), 0);
	assert_int_equal(driver->info(&def, &volume, &info, NULL), 0);
	assert_int_equal(info.size, 96 * MIB);
	assert_true(info.used > 40 * MIB);
	assert_int_equal(driver->rollback(&def, &volume, "small", NULL), 0);
	assert_int_equal(driver->info(&def, &volume, &info, NULL), 0);
	assert_int_equal(info.size, 24 * MIB);
	assert_int_equal(fill(&volume, 48 * MIB), -1);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
}

static void test_stream(void **state)
{
	char volid[VOLID_MAX], copy[VOLID_MAX];
	struct volid volume, copied;
	struct volume_info info;
	(void)state;
	SKIP_UNMOUNTED();
	for (int i = 0; i < 2; i++) {
		make(107, i ? VOLUME_ROOTDIR : VOLUME_IMAGES, 64 * MIB, volid);
		parse(volid, &volume);
		put(&volume, "snapped");
		assert_int_equal(driver->snapshot(&def, &volume, "snap", NULL), 0);
		put(&volume, "changed");
		copy_through_stream(volid, "snap", copy);
		parse(copy, &copied);
		expect(&copied, NULL, "snapped");
		assert_int_equal(driver->info(&def, &copied, &info, NULL), 0);
		assert_int_equal(info.size, 64 * MIB);
		assert_true(info.used < MIB);
		assert_int_equal(driver->free(&def, &copied, NULL), 0);
		assert_int_equal(driver->free(&def, &volume, NULL), 0);
	}
}

/* A process that died in the middle leaves a subvolume under a temporary name. */
static void test_sweep(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	(void)state;
	SKIP_UNMOUNTED();
	make(109, VOLUME_ROOTDIR, 0, volid);
	char node[65] = "";
	assert_int_equal(gethostname(node, sizeof(node) - 1), 0);
	autofree char *stale =
		xasprintf("%s/root/images/109/.lodge-import+%s+old-boot+1+1+0", folder, node);
	assert_int_equal(run((const char *const[]){"btrfs", "subvolume", "create", stale, NULL}),
			 0);
	assert_int_equal(volumes(), 1);
	parse(volid, &volume);
	/* so does the undo of a snapshot that has no name yet */
	assert_int_equal(driver->snapshot_delete(&def, &volume, "none", NULL), 0);
	assert_int_equal(access(stale, F_OK), -1);
	assert_int_equal(run((const char *const[]){"btrfs", "subvolume", "create", stale, NULL}),
			 0);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
	assert_int_equal(access(stale, F_OK), -1);
}

/* Modes keep a container's programs out of reach, and let an emulator through. */
static void test_modes(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	struct stat st;
	(void)state;
	SKIP_UNMOUNTED();
	autofree char *owner = xasprintf("%s/root/images/110", folder);
	for (int i = 0; i < 2; i++) {
		make(110, i ? VOLUME_ROOTDIR : VOLUME_IMAGES, MIB, volid);
		assert_int_equal(stat(owner, &st), 0);
		assert_int_equal(st.st_mode & 0777, i ? 0700 : 0711);
		parse(volid, &volume);
		assert_int_equal(driver->free(&def, &volume, NULL), 0);
	}
}

static void test_nocow(void **state)
{
	char volid[VOLID_MAX];
	struct volid volume;
	struct exec_result result = {0};
	(void)state;
	SKIP_UNMOUNTED();
	fields_set(&def.keys, "nocow", "1");
	make(111, VOLUME_IMAGES, MIB, volid);
	fields_remove(&def.keys, "nocow");
	parse(volid, &volume);
	autofree char *path = inside(&volume, NULL, "");
	const char *const argv[] = {"lsattr", path, NULL};
	assert_int_equal(
		exec_run(&(struct exec_run){.argv = argv,
					    .deadline = clock_monotonic() + 30 * USEC_PER_SEC},
			 &result, NULL),
		0);
	assert_non_null(strchr(strtok((char *)buf_str(&result.output), " "), 'C'));
	exec_result_fini(&result);
	assert_int_equal(driver->free(&def, &volume, NULL), 0);
}

static void test_other_file_system(void **state)
{
	struct err err = ERR_INIT;
	struct storage_def other = {.type = xstrdup("btrfs"), .id = xstrdup("other")};
	(void)state;
	SKIP_UNMOUNTED();
	fields_add(&other.keys, "path", "/proc/self");
	fields_add(&other.keys, "mkdir", "0");
	assert_int_equal(driver->activate(&other, &err), -ERR_INVALID);
	assert_string_equal(err.field, "path");
	storage_def_fini(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_snapshots),
		cmocka_unit_test(test_other_names), cmocka_unit_test(test_clones),
		cmocka_unit_test(test_limit),	    cmocka_unit_test(test_stream),
		cmocka_unit_test(test_sweep),	    cmocka_unit_test(test_modes),
		cmocka_unit_test(test_nocow),	    cmocka_unit_test(test_other_file_system),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
