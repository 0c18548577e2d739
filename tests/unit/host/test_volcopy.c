/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job volcopy and its undo, between two temporary dir storages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/jobs.h"
#include "agent/task/host/volume.h"
#include "storage/volid/storage_cfg.h"

#define IMAGE (8u << 20)

static char path[64];

static char *at(const char *below)
{
	return xasprintf("%s/%s", path, below);
}

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/lodge-volcopy-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	static const char *const folders[] = {"a", "b", "a/images/101", "a/template/iso", "a/dump"};
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		autofree char *folder = at(folders[i]);
		assert_int_equal(dir_make(folder, 0755, NULL), 0);
	}
	setenv("LODGE_RUN_DIR", path, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(path, NULL);
}

static void put(const char *below, const char *text)
{
	autofree char *file = at(below);
	assert_int_equal(file_write_atomic(file, text, strlen(text), 0644, NULL), 0);
}

static bool is_there(const char *below)
{
	autofree char *file = at(below);
	return access(file, F_OK) == 0;
}

/* An image with two words far apart, and holes. */
static void put_image(const char *below)
{
	autofree char *file = at(below);
	autofd int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, IMAGE), 0);
	assert_int_equal(pwrite(fd, "begin", 5, 0), 5);
	assert_int_equal(pwrite(fd, "end", 3, IMAGE - 3), 3);
}

static size_t count_names(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t n = 0;
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void check_image(const char *below)
{
	char text[6] = "";
	struct stat st;
	autofree char *file = at(below);
	autofd int fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, text, 5, 0), 5);
	assert_string_equal(text, "begin");
	assert_int_equal(pread(fd, text, 5, IMAGE - 3), 3);
	assert_memory_equal(text, "end", 3);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size == IMAGE && st.st_blocks * 512 < IMAGE / 2);
}

static void add_storage(struct fields *args, const char *prefix, const char *id)
{
	autofields plain = FIELDS_INIT;
	struct storage_def def = {.type = xstrdup("dir"), .id = xasprintf("st%s", id)};
	autofree char *folder = at(id);
	fields_add(&def.keys, "path", folder);
	fields_add(&def.keys, "content", "iso,vztmpl,images,rootdir,backup");
	storage_def_encode(&def, &plain);
	storage_def_fini(&def);
	for (size_t i = 0; i < plain.count; i++) {
		autofree char *name = xasprintf("%s%s", prefix, plain.items[i].name);
		fields_add(args, name, plain.items[i].value);
	}
}

static void fill(struct task_ctx *task, const char *volid, const char *target, const char *content)
{
	add_storage(&task->args, "", "a");
	add_storage(&task->args, "to.", "b");
	fields_add(&task->args, "volid", volid);
	fields_add(&task->args, "target", target);
	fields_add(&task->args, "content", content);
}

static int copy(const char *volid, const char *target, const char *content, struct err *err)
{
	struct task_ctx task = {0};
	fill(&task, volid, target, content);
	*err = ERR_INIT;
	int r = job_volcopy(&task, err);
	fields_fini(&task.args);
	return r;
}

static void test_files(void **state)
{
	struct err err;
	(void)state;
	put("a/template/iso/x.iso", "content of x");
	assert_int_equal(copy("sta:iso/x.iso", "stb:iso/y.iso", "iso", &err), 0);
	autofree char *file = at("b/template/iso/y.iso");
	autobuf text = BUF_INIT;
	assert_int_equal(file_read(file, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "content of x");
	assert_int_equal(copy("sta:iso/x.iso", "stb:iso/y.iso", "iso", &err), -ERR_EXISTS);
	assert_int_equal(copy("sta:iso/none.iso", "stb:iso/z.iso", "iso", &err), -ERR_NOT_FOUND);
	autofree char *link = at("a/template/iso/l.iso");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_true(copy("sta:iso/l.iso", "stb:iso/l.iso", "iso", &err) < 0);
	assert_false(is_there("b/template/iso/l.iso"));
}

static void test_backup_with_notes(void **state)
{
	struct err err;
	(void)state;
	put("a/dump/vzdump-lxc-101-x.tar", "data");
	put("a/dump/vzdump-lxc-101-x.tar.notes", "kept well");
	assert_int_equal(copy("sta:backup/vzdump-lxc-101-x.tar", "stb:backup/vzdump-lxc-101-y.tar",
			      "backup", &err),
			 0);
	autofree char *file = at("b/dump/vzdump-lxc-101-y.tar.notes");
	autobuf text = BUF_INIT;
	assert_int_equal(file_read(file, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "kept well");
}

static void test_guest_volume(void **state)
{
	struct err err;
	(void)state;
	put_image("a/images/101/vm-101-disk-0.raw");
	assert_int_equal(
		copy("sta:101/vm-101-disk-0.raw", "stb:102/vm-102-disk-3.raw", "images", &err), 0);
	check_image("b/images/102/vm-102-disk-3.raw");
	/* what was there stays as it is, whatever a job with the same target does */
	assert_int_equal(
		copy("sta:101/vm-101-disk-0.raw", "stb:102/vm-102-disk-3.raw", "images", &err),
		-ERR_EXISTS);
	struct task_ctx task = {0};
	fill(&task, "sta:101/vm-101-disk-0.raw", "stb:102/vm-102-disk-3.raw", "images");
	assert_int_equal(job_volcopy_undo(&task, &err), 0);
	check_image("b/images/102/vm-102-disk-3.raw");
	fields_fini(&task.args);
	assert_true(is_there("a/images/101/vm-101-disk-0.raw"));
}

static int count(const struct volume_info *info, void *ctx)
{
	(void)info;
	++*(size_t *)ctx;
	return 0;
}

/* A copy under way is not listed; the undo of its job removes it once the job is gone, and nothing else. */
static void test_killed(void **state)
{
	struct err err = ERR_INIT;
	struct task_ctx task = {0};
	autotarget to = {0};
	char name[256];
	size_t listed = 0;
	(void)state;
	put_image("a/images/101/vm-101-disk-0.raw");
	fill(&task, "sta:101/vm-101-disk-0.raw", "stb:102/vm-102-disk-3.raw", "images");
	pid_t child = fork();
	if (child == 0) {
		storage_copy_name(102, "raw", name);
		autofree char *left = xasprintf("b/images/102/%s", name);
		autofree char *mine = at("b/images/102");
		_exit(dir_make(mine, 0700, NULL) < 0 || (put_image(left), false));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	storage_copy_name(102, "raw", name); /* of one that lives */
	autofree char *mine = xasprintf("b/images/102/%s", name);
	put_image(mine);
	put_image("b/images/102/vm-102-disk-3.raw"); /* another one's, of the same name */
	autofields plain = FIELDS_INIT;
	add_storage(&plain, "", "b");
	assert_int_equal(volume_target_storage(&plain, &to, &err), 0);
	assert_int_equal(to.driver->list(&to.def, count, &listed, &err), 0);
	assert_int_equal(listed, 1);
	assert_int_equal(job_volcopy_undo(&task, &err), 0);
	check_image("b/images/102/vm-102-disk-3.raw");
	assert_true(is_there(mine));
	autofree char *folder = at("b/images/102");
	assert_int_equal(count_names(folder), 2);
	fields_fini(&task.args);
}

static void test_guest_volume_refused(void **state)
{
	struct err err;
	(void)state;
	assert_int_equal(
		copy("sta:101/vm-101-disk-9.raw", "stb:102/vm-102-disk-0.raw", "images", &err),
		-ERR_NOT_FOUND);
	put_image("a/images/101/vm-101-disk-0.raw");
	assert_int_equal(copy("sta:101/vm-101-disk-0.raw", "stb:102/subvol-102-disk-0.subvol",
			      "rootdir", &err),
			 -ERR_UNSUPPORTED);
	assert_false(is_there("b/images/102/vm-102-disk-0.raw"));
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_files),
		IN_ROOM(test_backup_with_notes),
		IN_ROOM(test_guest_volume),
		IN_ROOM(test_killed),
		IN_ROOM(test_guest_volume_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
