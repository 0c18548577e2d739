/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dir driver on a real file system, in a temporary folder. */
#include "tests/unit/storage/dir_test.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/wait.h>

static int setup(void **state)
{
	return room_open(state, "iso,vztmpl,snippets,import,backup,images,rootdir");
}

static void put(const struct room *room, const char *name, const char *text)
{
	autofree char *path = xasprintf("%s/%s", room->path, name);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static bool is_there(const struct room *room, const char *name)
{
	struct stat st;
	autofree char *path = xasprintf("%s/%s", room->path, name);
	return lstat(path, &st) == 0;
}

static mode_t mode_of(const struct room *room, const char *name)
{
	struct stat st;
	autofree char *path = xasprintf("%s/%s", room->path, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static int alloc(const struct room *room, unsigned vmid, uint64_t size, const char *format,
		 const char *name, char ret[VOLID_MAX], struct err *err)
{
	struct volume_alloc what = {.vmid = vmid,
				    .content = VOLUME_ROOTDIR,
				    .format = format,
				    .name = name,
				    .size = size};
	*err = ERR_INIT;
	return room->driver->alloc(&room->def, &what, ret, err);
}

static void parse(const char *text, struct volid *ret)
{
	assert_int_equal(volid_parse(text, ret, NULL), 0);
}

static void test_activate(void **state)
{
	static const char *const folders[] = {"images",	  "template/iso", "template/cache",
					      "snippets", "import",	  "dump"};
	struct room *room = *state;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		assert_true(is_there(room, folders[i]));
	assert_int_equal(mode_of(room, "dump"), 0700);
	assert_int_equal(room->driver->activate(&room->def, NULL), 0);
	fields_set(&room->def.keys, "is_mountpoint", "yes");
	assert_int_equal(room->driver->activate(&room->def, &err), -ERR_UNAVAILABLE);
	fields_set(&room->def.keys, "is_mountpoint", "/proc");
	assert_int_equal(room->driver->activate(&room->def, &err), 0);
	fields_set(&room->def.keys, "path", "relative");
	assert_int_equal(room->driver->activate(&room->def, &err), -ERR_INVALID);
	fields_set(&room->def.keys, "path", "/proc/version");
	assert_true(room->driver->activate(&room->def, &err) < 0);
}

static void test_no_mkdir(void **state)
{
	struct room *room = *state;
	struct err err = ERR_INIT;
	autofree char *path = xasprintf("%s/absent", room->path);
	fields_set(&room->def.keys, "path", path);
	fields_set(&room->def.keys, "mkdir", "0");
	assert_int_equal(room->driver->activate(&room->def, &err), -ERR_NOT_FOUND);
	assert_false(is_there(room, "absent"));
}

static void test_status(void **state)
{
	struct room *room = *state;
	struct storage_space space;
	assert_int_equal(room->driver->status(&room->def, &space, NULL), 0);
	assert_true(space.total > 0 && space.used <= space.total && space.available <= space.total);
}

static void test_alloc(void **state)
{
	struct room *room = *state;
	struct volume_info info;
	struct volid v;
	struct err err;
	autobuf path = BUF_INIT;
	char volid[VOLID_MAX];
	assert_int_equal(alloc(room, 101, 64 * MIB + 1, NULL, NULL, volid, &err), 0);
	assert_string_equal(volid, "local:101/vm-101-disk-0.raw");
	assert_int_equal(mode_of(room, "images/101"), 0700);
	assert_int_equal(mode_of(room, "images/101/vm-101-disk-0.raw"), 0600);
	parse(volid, &v);
	assert_int_equal(room->driver->info(&room->def, &v, &info, NULL), 0);
	assert_int_equal(info.size, 64 * MIB + 1024); /* rounded up */
	assert_true(info.used < MIB);		      /* sparse */
	assert_int_equal(room->driver->path(&room->def, &v, &path, NULL), 0);
	assert_true(str_starts(buf_str(&path), room->path));
	assert_true(str_ends(buf_str(&path), "/images/101/vm-101-disk-0.raw"));

	assert_int_equal(alloc(room, 101, MIB, "raw", NULL, volid, &err), 0);
	assert_string_equal(volid, "local:101/vm-101-disk-1.raw");
	put(room, "images/101/base-101-disk-2.qcow2", "x"); /* its number is taken */
	assert_int_equal(alloc(room, 101, MIB, "raw", NULL, volid, &err), 0);
	assert_string_equal(volid, "local:101/vm-101-disk-3.raw");
	assert_int_equal(alloc(room, 101, MIB, "raw", "vm-101-data.raw", volid, &err), 0);
	assert_int_equal(alloc(room, 101, MIB, "raw", "vm-101-data.raw", volid, &err), -ERR_EXISTS);
}

static void test_alloc_bad(void **state)
{
	static const struct {
		unsigned vmid;
		uint64_t size;
		const char *format, *name;
		int result;
	} cases[] = {
		{99, MIB, NULL, NULL, -ERR_INVALID},
		{101, 0, NULL, NULL, -ERR_INVALID},
		{101, UINT64_MAX, NULL, NULL, -ERR_INVALID},
		{101, 1ULL << 60, NULL, NULL, -ERR_NO_SPACE},
		{101, MIB, "vmdk", NULL, -ERR_UNSUPPORTED},
		{101, MIB, "qcow2", NULL, -ERR_UNSUPPORTED}, /* for containers */
		{101, MIB, "subvol", NULL, -ERR_UNSUPPORTED},
		{101, MIB, NULL, "vm-102-disk-0.raw", -ERR_INVALID},
		{101, MIB, NULL, "../102/vm-101-disk-0.raw", -ERR_INVALID},
		{101, MIB, NULL, "vm-101-disk-0.qcow2", -ERR_INVALID},
	};
	struct room *room = *state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char volid[VOLID_MAX] = "untouched";
		struct err err;
		assert_int_equal(alloc(room, cases[i].vmid, cases[i].size, cases[i].format,
				       cases[i].name, volid, &err),
				 cases[i].result);
		assert_true(err.message[0]);
		assert_string_equal(volid, "untouched");
	}
	assert_false(is_there(room, "images/101/vm-101-disk-0.raw"));
	fields_set(&room->def.keys, "content", "iso");
	char volid[VOLID_MAX];
	struct err err;
	assert_int_equal(alloc(room, 101, MIB, NULL, NULL, volid, &err), -ERR_INVALID);
}

/* Of machines. What is left of one that could not be made: nothing. */
static void test_alloc_qcow2(void **state)
{
	struct room *room = *state;
	struct volume_alloc what = {.vmid = 101,
				    .content = VOLUME_IMAGES,
				    .format = "qcow2",
				    .name = "vm-101-disk-0.raw",
				    .size = 64 * MIB};
	struct volume_info info;
	struct volid v;
	struct err err = ERR_INIT;
	char volid[VOLID_MAX];

	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	assert_int_equal(room->driver->alloc(&room->def, &what, volid, &err), -ERR_INVALID);
	what.name = NULL;
	if (room->driver->alloc(&room->def, &what, volid, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(volid, "local:101/vm-101-disk-0.qcow2");
	assert_int_equal(mode_of(room, "images/101/vm-101-disk-0.qcow2"), 0600);
	parse(volid, &v);
	assert_int_equal(room->driver->info(&room->def, &v, &info, NULL), 0);
	assert_int_equal(info.size, 64 * MIB);
	assert_string_equal(info.format, "qcow2");
	what.format = "raw"; /* numbers are for all formats */
	assert_int_equal(room->driver->alloc(&room->def, &what, volid, &err), 0);
	assert_string_equal(volid, "local:101/vm-101-disk-1.raw");
}

/* Two processes take numbers at once: none is given twice. */
static void test_alloc_race(void **state)
{
	struct room *room = *state;
	struct err err;
	char volid[VOLID_MAX], path[256];
	pid_t child = fork();
	for (int i = 0; i < 40; i++)
		if (alloc(room, 200, MIB, NULL, NULL, volid, &err) != 0 && child == 0)
			_exit(1);
	if (child == 0)
		_exit(0);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int i = 0; i < 80; i++) {
		snprintf(path, sizeof(path), "images/200/vm-200-disk-%d.raw", i);
		assert_true(is_there(room, path));
	}
}

static void test_remove(void **state)
{
	struct room *room = *state;
	struct volid v;
	struct err err;
	char one[VOLID_MAX], two[VOLID_MAX];
	assert_int_equal(alloc(room, 101, MIB, NULL, NULL, one, &err), 0);
	assert_int_equal(alloc(room, 101, MIB, NULL, NULL, two, &err), 0);
	parse(one, &v);
	assert_int_equal(room->driver->free(&room->def, &v, NULL), 0);
	assert_true(is_there(room, "images/101/vm-101-disk-1.raw"));
	assert_int_equal(room->driver->free(&room->def, &v, &err), -ERR_NOT_FOUND);
	parse(two, &v);
	assert_int_equal(room->driver->free(&room->def, &v, NULL), 0);
	assert_false(is_there(room, "images/101"));
	assert_int_equal(room->driver->free(&room->def, &v, &err), -ERR_NOT_FOUND);
	put(room, "template/iso/a.iso", "x");
	parse("local:iso/a.iso", &v);
	assert_int_equal(room->driver->free(&room->def, &v, NULL), 0);
	assert_false(is_there(room, "template/iso/a.iso"));
	parse("local:vm-101-disk-0", &v); /* of a block storage */
	assert_int_equal(room->driver->free(&room->def, &v, &err), -ERR_INVALID);
}

/* A link put where a volume should be leads nowhere. */
static void test_links(void **state)
{
	struct room *room = *state;
	struct volid v;
	struct volume_info info;
	struct err err = ERR_INIT;
	autofree char *link = xasprintf("%s/template/iso/evil.iso", room->path);
	autofree char *owner = xasprintf("%s/images/101", room->path);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(symlink("/etc", owner), 0);
	parse("local:iso/evil.iso", &v);
	assert_int_equal(room->driver->info(&room->def, &v, &info, &err), -ERR_NOT_FOUND);
	assert_int_equal(room->driver->free(&room->def, &v, &err), -ERR_NOT_FOUND);
	parse("local:101/vm-101-disk-0.raw", &v);
	assert_true(room->driver->info(&room->def, &v, &info, &err) < 0);
	assert_true(room->driver->resize(&room->def, &v, MIB, &err) < 0);
	char volid[VOLID_MAX];
	assert_true(alloc(room, 101, MIB, NULL, NULL, volid, &err) < 0);
	assert_true(access("/etc/vm-101-disk-0.raw", F_OK) < 0);
}

/* A folder that is a link leads below the path, or nowhere. */
static void test_folder_links(void **state)
{
	struct room *room = *state;
	static const char *const out[] = {"/tmp", "..", "../..", "template/../../x",
					  "/proc/self/cwd"};
	autofree char *snippets = xasprintf("%s/snippets", room->path);
	struct volid volume;
	struct err err = ERR_INIT;
	autobuf path = BUF_INIT;
	assert_int_equal(volid_parse("local:snippets/a.yaml", &volume, NULL), 0);
	assert_int_equal(rmdir(snippets), 0);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		char temp[256];
		int fd = -1;
		assert_int_equal(symlink(out[i], snippets), 0);
		assert_true(room->driver->import_begin(&room->def, VOLUME_SNIPPETS, "a.yaml", &fd,
						       temp, &err) < 0);
		assert_true(room->driver->path(&room->def, &volume, &path, &err) < 0);
		assert_true(room->driver->activate(&room->def, &err) < 0);
		assert_int_equal(path.size, 0);
		assert_int_equal(unlink(snippets), 0);
	}
	assert_int_equal(symlink("/tmp", snippets), 0);
	assert_int_equal(room->driver->path(&room->def, &volume, &path, &err), -ERR_INVALID);
	assert_non_null(strstr(err.message, "'snippets' is a link that leads out of"));
	assert_int_equal(unlink(snippets), 0);
	assert_int_equal(symlink("template/iso", snippets), 0);
	assert_int_equal(room->driver->path(&room->def, &volume, &path, &err), 0);
	assert_int_equal(unlink(snippets), 0);
}

/* Nor are folders made where one on the way leads. */
static void test_folders_are_made_below(void **state)
{
	struct room *room = *state;
	autofree char *outside = xasprintf("%s-outside", room->path);
	autofree char *made = xasprintf("%s/b", outside);
	autofree char *link = xasprintf("%s/a", room->path);
	struct err err = ERR_INIT;
	assert_int_equal(mkdir(outside, 0755), 0);
	assert_int_equal(symlink(outside, link), 0);
	fields_add(&room->def.keys, "content-dirs", "snippets=a/b");
	assert_int_equal(room->driver->activate(&room->def, &err), -ERR_INVALID);
	assert_int_not_equal(access(made, F_OK), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(room->driver->activate(&room->def, &err), 0);
	assert_true(is_there(room, "a/b"));
	assert_int_equal(rmdir(outside), 0);
}

static void test_resize(void **state)
{
	struct room *room = *state;
	struct volid v;
	struct volume_info info;
	struct err err;
	char volid[VOLID_MAX];
	assert_int_equal(alloc(room, 101, 4 * MIB, NULL, NULL, volid, &err), 0);
	parse(volid, &v);
	assert_int_equal(room->driver->resize(&room->def, &v, 8 * MIB, NULL), 0);
	assert_int_equal(room->driver->info(&room->def, &v, &info, NULL), 0);
	assert_int_equal(info.size, 8 * MIB);
	assert_int_equal(room->driver->resize(&room->def, &v, 4 * MIB, &err), -ERR_INVALID);
	assert_string_equal(err.message, "unable to shrink disk size");
	assert_int_equal(room->driver->resize(&room->def, &v, 1ULL << 60, &err), -ERR_NO_SPACE);
	assert_int_equal(room->driver->info(&room->def, &v, &info, NULL), 0);
	assert_int_equal(info.size, 8 * MIB);
}

static int collect(const struct volume_info *info, void *ctx)
{
	buf_addf(ctx, "%s %s %s %llu %u\n", info->volid, info->content, info->format,
		 (unsigned long long)info->size, info->vmid);
	return 0;
}

static void test_list(void **state)
{
	static const char qcow2[33] =
		"QFI\xfb\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\x10\0\0";
	static const char *const expected[] = {
		"local:101/vm-101-disk-0.raw images raw 1048576 101\n",
		"local:101/vm-101-disk-1.qcow2 images qcow2 1048576 101\n",
		"local:iso/a.iso iso iso 3 0\n",
		"local:vztmpl/b.tar.gz vztmpl tgz 2 0\n",
		"local:backup/vzdump-lxc-105-x.tar.zst backup tar.zst 1 105\n",
	};
	struct room *room = *state;
	struct err err;
	char volid[VOLID_MAX];
	autobuf all = BUF_INIT;
	size_t lines = 0;
	assert_int_equal(alloc(room, 101, MIB, NULL, NULL, volid, &err), 0);
	autofree char *path = xasprintf("%s/images/101/vm-101-disk-1.qcow2", room->path);
	assert_int_equal(file_write_atomic(path, qcow2, 32, 0600, NULL), 0);
	put(room, "template/iso/a.iso", "abc");
	put(room, "template/cache/b.tar.gz", "ab");
	put(room, "dump/vzdump-lxc-105-x.tar.zst", "a");
	/* what is no volume */
	put(room, "template/iso/.hidden.iso", "x");
	put(room, "template/iso/with space.iso", "x");
	put(room, "template/iso/a.txt", "x");
	put(room, "dump/vzdump-lxc-105-x.log", "x");
	put(room, "images/101/other.raw", "x");
	put(room, "images/stray", "x");
	autofree char *folder = xasprintf("%s/template/iso/folder.iso", room->path);
	assert_int_equal(mkdir(folder, 0755), 0);
	autofree char *pipe = xasprintf("%s/template/iso/pipe.iso", room->path);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(room->driver->list(&room->def, collect, &all, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		if (!strstr(buf_str(&all), expected[i]))
			fail_msg("lacks %s in:\n%s", expected[i], buf_str(&all));
	for (size_t i = 0; i < all.size; i++)
		lines += all.data[i] == '\n';
	assert_int_equal(lines, ARRAY_SIZE(expected));
}

static void test_list_content(void **state)
{
	struct room *room = *state;
	autobuf all = BUF_INIT;
	put(room, "template/iso/a.iso", "abc");
	put(room, "template/cache/b.tar.gz", "ab");
	fields_set(&room->def.keys, "content", "vztmpl,import");
	autofree char *import = xasprintf("%s/import", room->path);
	assert_int_equal(rmdir(import), 0); /* an absent folder is an empty one */
	assert_int_equal(room->driver->list(&room->def, collect, &all, NULL), 0);
	assert_string_equal(buf_str(&all), "local:vztmpl/b.tar.gz vztmpl tgz 2 0\n");
}

static void count_files(const struct room *room, const char *folder, size_t *ret)
{
	autofree char *path = xasprintf("%s/%s", room->path, folder);
	DIR *dir = opendir(path);
	*ret = 0;
	for (struct dirent *e; (e = readdir(dir));)
		*ret += !str_eq(e->d_name, ".") && !str_eq(e->d_name, "..");
	closedir(dir);
}

static int begin(const struct room *room, const char *file, char temp[256], struct err *err)
{
	int fd, r = room->driver->import_begin(&room->def, VOLUME_ISO, file, &fd, temp, err);
	if (r < 0)
		return r;
	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	return 0;
}

static void test_import(void **state)
{
	struct room *room = *state;
	struct err err = ERR_INIT;
	autobuf all = BUF_INIT;
	char temp[256], second[256];
	size_t count;
	assert_int_equal(begin(room, "a.iso", temp, &err), 0);
	assert_int_equal(begin(room, "a.iso", second, &err), 0);
	assert_int_equal(room->driver->activate(&room->def, NULL), 0); /* its owner lives */
	assert_int_equal(room->driver->list(&room->def, collect, &all, NULL), 0);
	assert_int_equal(all.size, 0); /* nothing to be seen yet */
	assert_int_equal(room->driver->import_commit(&room->def, VOLUME_ISO, temp, "a.iso", &err),
			 0);
	assert_int_equal(room->driver->import_commit(&room->def, VOLUME_ISO, second, "a.iso", &err),
			 -ERR_EXISTS);
	room->driver->import_abort(&room->def, VOLUME_ISO, second);
	assert_int_equal(begin(room, "a.iso", temp, &err), -ERR_EXISTS);
	assert_int_equal(begin(room, "../a.iso", temp, &err), -ERR_INVALID);
	assert_int_equal(begin(room, "a.tar", temp, &err), -ERR_INVALID);
	count_files(room, "template/iso", &count);
	assert_int_equal(count, 1);
	room->driver->import_abort(&room->def, VOLUME_ISO, "a.iso"); /* no temporary name */
	assert_true(is_there(room, "template/iso/a.iso"));
}

static void test_import_sweep(void **state)
{
	struct room *room = *state;
	struct err err;
	char temp[256];
	size_t count;
	pid_t child = fork();
	if (child == 0) {
		int r = begin(room, "a.iso", temp, &err);
		autofree char *parts = xasprintf("%s/template/iso/%s.parts/deep", room->path, temp);
		_exit(r == 0 && dir_make(parts, 0700, NULL) == 0 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	put(room, "template/iso/.lodge-import+elsewhere+0+1+1+0", "x"); /* another node's */
	count_files(room, "template/iso", &count);
	assert_int_equal(count, 3);
	assert_int_equal(room->driver->activate(&room->def, NULL), 0);
	count_files(room, "template/iso", &count);
	assert_int_equal(count, 1);
	assert_true(is_there(room, "template/iso/.lodge-import+elsewhere+0+1+1+0"));
}

static void test_unknown_type(void **state)
{
	(void)state;
	assert_null(storage_driver_find("zfspool"));
	assert_null(storage_driver_find(""));
	assert_null(storage_driver_find(NULL));
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_activate),
		IN_ROOM(test_no_mkdir),
		IN_ROOM(test_status),
		IN_ROOM(test_alloc),
		IN_ROOM(test_alloc_bad),
		IN_ROOM(test_alloc_race),
		IN_ROOM(test_alloc_qcow2),
		IN_ROOM(test_remove),
		IN_ROOM(test_links),
		IN_ROOM(test_folder_links),
		IN_ROOM(test_folders_are_made_below),
		IN_ROOM(test_resize),
		IN_ROOM(test_list),
		IN_ROOM(test_list_content),
		IN_ROOM(test_import),
		IN_ROOM(test_import_sweep),
		cmocka_unit_test(test_unknown_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
