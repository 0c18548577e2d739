/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real btrfs on a loop device, seen by this process alone, and the driver on it. Needs root. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/copy.h"
#include "storage/storage.h"

#define MIB (1024ULL * 1024)

static char folder[64];
static bool is_mounted;
static struct storage_def def;
static const struct storage_driver *driver;

static inline int run(const char *const *argv)
{
	struct err err = ERR_INIT;
	int r = exec_run(
		&(struct exec_run){.argv = argv, .deadline = clock_monotonic() + 60 * USEC_PER_SEC},
		NULL, &err);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", argv[0], err.message);
	return r;
}

static inline bool can_mount(void)
{
	return geteuid() == 0 && access("/sbin/mkfs.btrfs", X_OK) == 0 &&
	       access("/dev/loop-control", R_OK | W_OK) == 0;
}

static inline int group_setup(void **state)
{
	(void)state;
	if (!can_mount())
		return 0;
	strcpy(folder, "/tmp/lodge-btrfs-XXXXXX");
	assert_non_null(mkdtemp(folder));
	autofree char *image = xasprintf("%s/image", folder);
	autofree char *root = xasprintf("%s/root", folder);
	autofd int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, 512 * MIB) == 0 && mkdir(root, 0755) == 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(run((const char *const[]){"mkfs.btrfs", "-q", image, NULL}), 0);
	assert_int_equal(
		run((const char *const[]){"mount", "-o", "loop,commit=1", image, root, NULL}), 0);
	is_mounted = true;
	def = (struct storage_def){.type = xstrdup("btrfs"), .id = xstrdup("pool")};
	fields_add(&def.keys, "path", root);
	fields_add(&def.keys, "content", "iso,vztmpl,images,rootdir");
	driver = storage_driver_find("btrfs");
	assert_int_equal(driver->activate(&def, NULL), 0);
	return 0;
}

static inline int group_teardown(void **state)
{
	(void)state;
	if (!is_mounted)
		return 0;
	autofree char *root = xasprintf("%s/root", folder);
	assert_int_equal(umount(root), 0); /* nothing is held open */
	storage_def_fini(&def);
	return dir_remove_tree(folder, NULL);
}

#define SKIP_UNMOUNTED()                                                                           \
	if (!is_mounted)                                                                           \
	skip()

static inline void parse(const char *text, struct volid *ret)
{
	assert_int_equal(volid_parse(text, ret, NULL), 0);
}

static inline void make(unsigned vmid, enum volume_content content, uint64_t size,
			char ret[VOLID_MAX])
{
	struct err err = ERR_INIT;
	const struct volume_alloc what = {.vmid = vmid, .content = content, .size = size};
	if (driver->alloc(&def, &what, ret, &err) < 0)
		fail_msg("%s", err.message);
}

/* "FILE" below the volume's folder, or the image itself */
static inline char *inside(const struct volid *volume, const char *snapshot, const char *file)
{
	autobuf path = BUF_INIT;
	int r = snapshot ? driver->snapshot_path(&def, volume, snapshot, &path, NULL)
			 : driver->path(&def, volume, &path, NULL);
	assert_int_equal(r, 0);
	if (str_eq(volume->format, "subvol"))
		buf_addf(&path, "/%s", file);
	return buf_steal(&path);
}

static inline void put(const struct volid *volume, const char *text)
{
	autofree char *path = inside(volume, NULL, "file");
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
}

static inline void expect(const struct volid *volume, const char *snapshot, const char *text)
{
	char got[64] = "";
	autofree char *path = inside(volume, snapshot, "file");
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, got, strlen(text)) == (ssize_t)strlen(text));
	assert_string_equal(got, text);
}

static inline int count(const struct volume_info *info, void *ctx)
{
	(void)info;
	++*(size_t *)ctx;
	return 0;
}

static inline size_t volumes(void)
{
	size_t found = 0;
	assert_int_equal(driver->list(&def, count, &found, NULL), 0);
	return found;
}

static inline void copy_through_stream(const char *volid, const char *snapshot, char ret[VOLID_MAX])
{
	struct volid volume;
	struct err err = ERR_INIT;
	autofree char *path = xasprintf("%s/stream", folder);
	autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	parse(volid, &volume);
	const struct volume_alloc as = {.vmid = 108, .content = volume.content};
	if (driver->export(&def, &volume, snapshot, fd, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	if (driver->import(&def, &as, fd, ret, &err) < 0)
		fail_msg("%s", err.message);
	/* cut short, it leaves nothing */
	struct stat st;
	char none[VOLID_MAX];
	size_t before = volumes();
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(driver->import(&def, &as, fd, none, &err) < 0);
	assert_int_equal(volumes(), before);
}
