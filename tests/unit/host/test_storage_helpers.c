/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The storage helpers' answers, and the jobs imgdel and imgcopy, on a temporary dir storage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/helper.h"
#include "agent/task/host/jobs.h"
#include "storage/volid/storage_cfg.h"

static char path[64];

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/lodge-helpers-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	setenv("LODGE_RUN_DIR", path, 1); /* reservations */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(path, NULL);
}

static void args_init(struct fields *args)
{
	struct storage_def def = {.type = xstrdup("dir"), .id = xstrdup("local")};
	fields_add(&def.keys, "path", path);
	fields_add(&def.keys, "content", "iso,vztmpl,images,rootdir,snippets");
	storage_def_encode(&def, args);
	storage_def_fini(&def);
}

/* Adds name, value pairs up to NULL, and runs. */
static int ask(helper_fn helper, struct buf *out, struct err *err, ...)
{
	autofields args = FIELDS_INIT;
	va_list ap;
	args_init(&args);
	va_start(ap, err);
	for (const char *name; (name = va_arg(ap, const char *));)
		fields_add(&args, name, va_arg(ap, const char *));
	va_end(ap);
	buf_clear(out);
	*err = ERR_INIT;
	return helper(&args, out, err);
}

static void test_questions(void **state)
{
	autobuf out = BUF_INIT;
	struct err err;
	(void)state;
	assert_int_equal(ask(helper_storage_status, &out, &err, NULL), 0);
	assert_true(str_starts(buf_str(&out), "{\"active\":1,\"total\":"));
	assert_int_equal(
		ask(helper_storage_alloc, &out, &err, "vmid", "101", "size", "1048576", NULL), 0);
	assert_string_equal(buf_str(&out), "\"local:101/vm-101-disk-0.raw\"");
	assert_int_equal(
		ask(helper_storage_alloc, &out, &err, "vmid", "102", "size", "1048576", NULL), 0);
	assert_int_equal(
		ask(helper_storage_info, &out, &err, "volid", "local:101/vm-101-disk-0.raw", NULL),
		0);
	assert_non_null(strstr(buf_str(&out), "\"size\":1048576"));
	assert_non_null(strstr(buf_str(&out), "/images/101/vm-101-disk-0.raw\""));

	assert_int_equal(ask(helper_storage_content, &out, &err, NULL), 0);
	assert_non_null(strstr(buf_str(&out), "local:101/"));
	assert_non_null(strstr(buf_str(&out), "local:102/"));
	assert_int_equal(ask(helper_storage_content, &out, &err, "vmid", "102", NULL), 0);
	assert_null(strstr(buf_str(&out), "local:101/"));
	assert_int_equal(ask(helper_storage_content, &out, &err, "content", "iso", NULL), 0);
	assert_string_equal(buf_str(&out), "[]");
	assert_int_equal(ask(helper_storage_content, &out, &err, "content", "rootdir", "containers",
			     "100,102", NULL),
			 0);
	assert_null(strstr(buf_str(&out), "local:101/"));
	assert_non_null(strstr(buf_str(&out), "\"content\":\"rootdir\""));
	assert_non_null(strstr(buf_str(&out), "local:102/"));
	assert_int_equal(ask(helper_storage_content, &out, &err, "content", "images", "containers",
			     "", NULL),
			 0);
	assert_non_null(strstr(buf_str(&out), "local:102/"));
}

static void test_bad_questions(void **state)
{
	autobuf out = BUF_INIT;
	struct err err;
	(void)state;
	assert_int_equal(ask(helper_storage_content, &out, &err, "content", "x", NULL),
			 -ERR_INVALID);
	assert_string_equal(err.field, "content");
	assert_int_equal(ask(helper_storage_content, &out, &err, "vmid", "1x", NULL), -ERR_INVALID);
	assert_string_equal(err.field, "vmid");
	assert_int_equal(ask(helper_storage_info, &out, &err, NULL), -ERR_INVALID);
	assert_int_equal(ask(helper_storage_info, &out, &err, "volid", "other:iso/a.iso", NULL),
			 -ERR_INVALID);
	assert_int_equal(ask(helper_storage_info, &out, &err, "volid", "local:iso/a.iso", NULL),
			 -ERR_NOT_FOUND);
	assert_int_equal(ask(helper_storage_status, &out, &err, "storage-type", "zfspool", NULL),
			 -ERR_UNSUPPORTED);
	assert_int_equal(
		ask(helper_storage_alloc, &out, &err, "vmid", "4294967397", "size", "1", NULL),
		-ERR_INVALID);
	assert_string_equal(err.field, "vmid");
}

static int alloc_named(const char *name, struct err *err)
{
	autobuf out = BUF_INIT;
	return ask(helper_storage_alloc, &out, err, "vmid", "101", "size", "1048576", "name", name,
		   NULL);
}

static void test_named_volumes(void **state)
{
	static const char *const wrong[] = {
		"base-101-disk-3.raw",
		"vm-101-copying+x.raw",
		"vm-102-disk-0.raw",
		"x",
		"../a.raw",
		"subvol-101-copying+.subvol",
		"basevol-101-disk-0.subvol",
	};
	autobuf out = BUF_INIT;
	struct err err;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(alloc_named(wrong[i], &err), -ERR_INVALID);
		assert_string_equal(err.field, "filename");
	}
	assert_int_equal(alloc_named("vm-101-disk-7.raw", &err), 0);
	assert_int_equal(alloc_named("vm-101-disk-7.raw", &err), -ERR_EXISTS);
	assert_int_equal(ask(helper_storage_content, &out, &err, NULL), 0);
	assert_non_null(strstr(buf_str(&out), "local:101/vm-101-disk-7.raw"));
	assert_null(strstr(buf_str(&out), "copying"));
}

/* Files of guest 101 with this in their names. */
static unsigned count_volumes(const char *part)
{
	autofree char *name = xasprintf("%s/images/101", path);
	unsigned count = 0;
	DIR *dir = opendir(name);
	for (struct dirent *e; dir && (e = readdir(dir));)
		count += strstr(e->d_name, part) != NULL;
	if (dir)
		closedir(dir);
	return count;
}

/* It dies in the midst of it, by a limit of file sizes: nothing has the name, and the next one takes the rest away. */
static void test_killed_helper(void **state)
{
	struct err err;
	int status;
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit limit = {4096, 4096}, none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGXFSZ, SIG_DFL);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(alloc_named("vm-101-disk-7.raw", &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(count_volumes("disk-7"), 0);
	assert_int_equal(count_volumes("copying"), 1);
	assert_int_equal(alloc_named("vm-101-disk-7.raw", &err), 0);
	assert_int_equal(count_volumes("copying"), 0);
	assert_int_equal(count_volumes("disk-7"), 1);
}

/* Names in the folder of templates, hidden ones too. */
static size_t count_files(const char *folder)
{
	size_t count = 0;
	autofree char *name = xasprintf("%s/template/%s", path, folder);
	DIR *dir = opendir(name);
	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));)
		count += !str_eq(e->d_name, ".") && !str_eq(e->d_name, "..");
	closedir(dir);
	return count;
}

/* A job with data on descriptor 3. */
static int run_copy(const char *content, const char *file, const void *data, size_t size,
		    const char *algorithm, const char *sum, struct err *err)
{
	struct task_ctx task = {0};
	int fd = memfd_create("upload", MFD_CLOEXEC);
	assert_int_equal(fd_write_all(fd, data, size, NULL), 0);
	if (fd != 3) {
		assert_int_equal(dup2(fd, 3), 3);
		close(fd);
	}
	args_init(&task.args);
	fields_add(&task.args, "content", content);
	fields_add(&task.args, "filename", file);
	fields_add(&task.args, "checksum-algorithm", algorithm);
	fields_add(&task.args, "checksum", sum);
	*err = ERR_INIT;
	int r = job_imgcopy(&task, err);
	fields_fini(&task.args);
	close(3);
	return r;
}

/* The smallest tar: one empty file. */
static void make_tar(char ret[2048])
{
	unsigned sum = 0;
	memset(ret, 0, 2048);
	strcpy(ret, "file");
	strcpy(ret + 100, "0000644");
	strcpy(ret + 108, "0000000");
	strcpy(ret + 116, "0000000");
	strcpy(ret + 124, "00000000000");
	strcpy(ret + 136, "07346545000");
	memset(ret + 148, ' ', 8);
	ret[156] = '0';
	memcpy(ret + 257, "ustar\00000", 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)ret[i];
	snprintf(ret + 148, 8, "%06o", sum);
}

static void test_imgcopy(void **state)
{
	struct err err;
	char tar[2048];
	(void)state;
	make_tar(tar);
	if (run_copy("vztmpl", "a.tar", tar, sizeof(tar), NULL, NULL, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(
		run_copy("iso", "a.iso", "abc", 3, "md5", "900150983CD24FB0D6963F7D28E17F72", &err),
		0);
	assert_int_equal(run_copy("iso", "a.iso", "abc", 3, NULL, NULL, &err), -ERR_EXISTS);
	assert_int_equal(count_files("cache"), 1);
	assert_int_equal(count_files("iso"), 1);
}

static void test_imgcopy_refused(void **state)
{
	static const struct {
		const char *content, *file, *data, *algorithm, *sum;
		int result;
	} cases[] = {
		{"vztmpl", "a.tar.zst", "no archive", NULL, NULL, -ERR_CORRUPT},
		{"vztmpl", "a.iso", "abc", NULL, NULL, -ERR_INVALID},
		{"iso", "../a.iso", "abc", NULL, NULL, -ERR_INVALID},
		{"iso", NULL, "abc", NULL, NULL, -ERR_INVALID},
		{"iso", "a.iso", "", NULL, NULL, -ERR_INVALID},
		{"iso", "a.iso", "abc", "md5", "900150983cd24fb0d6963f7d28e17f73", -ERR_CORRUPT},
		{"iso", "a.iso", "abc", "md5", "9001", -ERR_INVALID},
		{"iso", "a.iso", "abc", "md4", "900150983cd24fb0d6963f7d28e17f72", -ERR_INVALID},
		{"iso", "a.iso", "abc", "sha256", NULL, -ERR_INVALID},
		{"iso", "a.iso", "abc", NULL, "9001", -ERR_INVALID},
		{"images", "vm-101-disk-0.raw", "abc", NULL, NULL, -ERR_INVALID},
		{"backup", "vzdump-lxc-101-x.tar", "abc", NULL, NULL, -ERR_INVALID},
		{"x", "a.iso", "abc", NULL, NULL, -ERR_INVALID},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err;
		int r = run_copy(cases[i].content, cases[i].file, cases[i].data,
				 strlen(cases[i].data), cases[i].algorithm, cases[i].sum, &err);
		if (r != cases[i].result)
			fail_msg("case %zu: %d (%s)", i, r, err.message);
		assert_int_equal(count_files("cache") + count_files("iso"), 0);
	}
}

/* The write fails in the middle: nothing is left. */
static void test_imgcopy_write_fails(void **state)
{
	struct err err;
	struct rlimit before, small;
	size_t size = 3u << 20;
	autofree char *data = xcalloc(1, size);
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	int fd = memfd_create("upload", MFD_CLOEXEC);
	assert_int_equal(fd_write_all(fd, data, size, NULL), 0);
	if (fd != 3) {
		dup2(fd, 3);
		close(fd);
	}
	struct task_ctx task = {0};
	args_init(&task.args);
	fields_add(&task.args, "content", "iso");
	fields_add(&task.args, "filename", "a.iso");
	small.rlim_cur = 1u << 20;
	setrlimit(RLIMIT_FSIZE, &small);
	err = ERR_INIT;
	int r = job_imgcopy(&task, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	fields_fini(&task.args);
	close(3);
	assert_true(r < 0);
	assert_int_equal(count_files("iso"), 0);
}

/* As the gate sends it: frames, and the mark of the end or none. */
static int run_framed(const char *const *pieces, bool is_ended, struct err *err)
{
	int ends[2];
	struct task_ctx task = {0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	for (; *pieces; pieces++) {
		autobuf frame = BUF_INIT;
		buf_add_u32(&frame, (uint32_t)strlen(*pieces));
		buf_add_str(&frame, *pieces);
		assert_int_equal(fd_write_all(ends[1], frame.data, frame.size, NULL), 0);
	}
	if (is_ended)
		assert_int_equal(fd_write_all(ends[1], "\0\0\0", 4, NULL), 0);
	close(ends[1]);
	if (ends[0] != 3) {
		dup2(ends[0], 3);
		close(ends[0]);
	}
	args_init(&task.args);
	fields_add(&task.args, "content", "iso");
	fields_add(&task.args, "filename", "a.iso");
	fields_add(&task.args, "framed", "1");
	fields_add(&task.args, "announced", "4096");
	*err = ERR_INIT;
	int r = job_imgcopy(&task, err);
	fields_fini(&task.args);
	close(3);
	return r;
}

static void test_imgcopy_framed(void **state)
{
	static const char *const pieces[] = {"ab", "c", "defg", NULL};
	static const char *const none[] = {NULL};
	struct err err;
	struct stat st;
	(void)state;
	assert_int_equal(run_framed(pieces, false, &err), -ERR_CANCELLED);
	assert_string_equal(err.message, "the upload was broken off");
	assert_int_equal(count_files("iso"), 0);
	assert_int_equal(run_framed(none, true, &err), -ERR_INVALID);
	assert_int_equal(run_framed(pieces, true, &err), 0);
	autofree char *file = xasprintf("%s/template/iso/a.iso", path);
	autobuf text = BUF_INIT;
	assert_int_equal(file_read(file, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "abcdefg");
	/* what was announced and did not come takes no space */
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_blocks * 512 <= 4096);
}

static void test_imgdel(void **state)
{
	struct err err;
	struct task_ctx task = {0};
	(void)state;
	assert_int_equal(run_copy("iso", "a.iso", "abc", 3, NULL, NULL, &err), 0);
	args_init(&task.args);
	fields_add(&task.args, "volid", "local:iso/a.iso");
	assert_int_equal(job_imgdel(&task, &err), 0);
	assert_int_equal(count_files("iso"), 0);
	assert_int_equal(job_imgdel(&task, &err), -ERR_NOT_FOUND);
	fields_fini(&task.args);
}

static int protect(const char *volid, const char *limit, struct err *err)
{
	autofields args = FIELDS_INIT;
	autobuf out = BUF_INIT;
	struct storage_def def = {.type = xstrdup("dir"), .id = xstrdup("local")};
	fields_add(&def.keys, "path", path);
	fields_add(&def.keys, "content", "backup");
	fields_add(&def.keys, "max-protected-backups", limit);
	storage_def_encode(&def, &args);
	storage_def_fini(&def);
	fields_add(&args, "volid", volid);
	fields_add(&args, "protected", "1");
	fields_add(&args, "notes", "kept");
	*err = ERR_INIT;
	return helper_storage_attributes(&args, &out, err);
}

/* Five unless the definition says otherwise; doing it again to one of them is fine. */
static void test_protected_backups(void **state)
{
	struct err err;
	autobuf out = BUF_INIT;
	(void)state;
	autofree char *folder = xasprintf("%s/dump", path);
	assert_int_equal(dir_make(folder, 0700, NULL), 0);
	for (int i = 0; i < 7; i++) {
		autofree char *volid = xasprintf("local:backup/vzdump-lxc-101-%d.tar", i);
		autofree char *file = xasprintf("%s/vzdump-lxc-101-%d.tar", folder, i);
		assert_int_equal(file_write_atomic(file, "x", 1, 0600, NULL), 0);
		assert_int_equal(protect(volid, i < 6 ? NULL : "7", &err), i == 5 ? -ERR_LIMIT : 0);
	}
	assert_int_equal(protect("local:backup/vzdump-lxc-101-0.tar", "6", &err), 0);
	assert_int_equal(ask(helper_storage_info, &out, &err, "volid",
			     "local:backup/vzdump-lxc-101-0.tar", NULL),
			 0);
	assert_non_null(strstr(buf_str(&out), "\"protected\":1"));
	assert_non_null(strstr(buf_str(&out), "\"notes\":\"kept\""));
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_questions),
		IN_ROOM(test_bad_questions),
		IN_ROOM(test_named_volumes),
		IN_ROOM(test_killed_helper),
		IN_ROOM(test_imgcopy),
		IN_ROOM(test_imgcopy_refused),
		IN_ROOM(test_imgcopy_write_fails),
		IN_ROOM(test_protected_backups),
		IN_ROOM(test_imgcopy_framed),
		IN_ROOM(test_imgdel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
