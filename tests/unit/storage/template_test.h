/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives and a room to unpack them in: beside the root lies a folder that must never change.
 * Included by one test file each. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/template/template.h"

#define MTIME 1000000000

struct room {
	char path[64];
	int root_fd;
	struct stat passwd; /* of /etc/passwd, before */
};

struct item {
	const char *name;
	mode_t kind; /* AE_IF…; 0 with link: a hard link */
	const char *link, *data;
	mode_t mode;
	int64_t uid, gid;
};

static inline int setup(void **state)
{
	struct room *room = xcalloc(1, sizeof(*room));
	strcpy(room->path, "/tmp/lodge-unpack-XXXXXX");
	assert_non_null(mkdtemp(room->path));
	autofree char *root = xasprintf("%s/root", room->path);
	autofree char *outside = xasprintf("%s/outside", room->path);
	autofree char *victim = xasprintf("%s/outside/victim", room->path);
	assert_int_equal(mkdir(root, 0700) | mkdir(outside, 0777), 0);
	assert_int_equal(file_write_atomic(victim, "untouched", 9, 0666, NULL), 0);
	assert_int_equal(stat("/etc/passwd", &room->passwd), 0);
	room->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(room->root_fd >= 0);
	*state = room;
	return 0;
}

/* Nothing outside changed: neither files nor their modes, owners and link counts. */
static inline void assert_outside_untouched(const struct room *room)
{
	autofree char *outside = xasprintf("%s/outside", room->path);
	autofree char *victim = xasprintf("%s/outside/victim", room->path);
	autobuf text = BUF_INIT;
	struct stat st;
	size_t count = 0;
	DIR *dir = opendir(outside);
	while (readdir(dir))
		count++;
	closedir(dir);
	assert_int_equal(count, 3);
	assert_int_equal(file_read(victim, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "untouched");
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(st.st_uid, geteuid());
	dir = opendir(room->path);
	for (count = 0; readdir(dir);)
		count++;
	closedir(dir);
	assert_int_equal(count, 4);
	assert_int_equal(stat("/etc/passwd", &st), 0);
	assert_int_equal(st.st_nlink, room->passwd.st_nlink);
	assert_int_equal(st.st_ctim.tv_sec, room->passwd.st_ctim.tv_sec);
	assert_int_equal(st.st_size, room->passwd.st_size);
}

static inline int teardown(void **state)
{
	struct room *room = *state;
	assert_outside_untouched(room);
	close(room->root_fd);
	dir_remove_tree(room->path, NULL);
	free(room);
	return 0;
}

static inline int make_fd(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static inline struct archive *writer_new(int fd, int filter)
{
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	if (filter)
		assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	return a;
}

static inline struct archive_entry *entry_new(const struct item *item)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname(e, item->name);
	archive_entry_set_filetype(e, item->kind ? item->kind : AE_IFREG);
	archive_entry_set_perm(e, item->mode ? item->mode : 0644);
	archive_entry_set_uid(e, item->uid);
	archive_entry_set_gid(e, item->gid);
	archive_entry_set_mtime(e, MTIME, 0);
	archive_entry_set_size(e, item->data ? (int64_t)strlen(item->data) : 0);
	if (item->link && item->kind == AE_IFLNK)
		archive_entry_set_symlink(e, item->link);
	else if (item->link)
		archive_entry_set_hardlink(e, item->link);
	if (item->kind == AE_IFCHR || item->kind == AE_IFBLK)
		archive_entry_set_rdev(e, makedev(1, 3));
	return e;
}

static inline void write_item(struct archive *a, const struct item *item)
{
	struct archive_entry *e = entry_new(item);
	assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
	if (item->data)
		assert_true(archive_write_data(a, item->data, strlen(item->data)) >= 0);
	archive_entry_free(e);
}

static inline int make_archive(const struct item *items, int filter)
{
	int fd = make_fd();
	struct archive *a = writer_new(fd, filter);
	for (; items->name; items++)
		write_item(a, items);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline int unpack_fd(const struct room *room, int fd, const struct template_limits *limits,
			    struct template_report *ret, struct err *err)
{
	*err = ERR_INIT;
	return template_unpack(fd, room->root_fd, limits, NULL, NULL, ret, err);
}

static inline int unpack(const struct room *room, const struct item *items, struct err *err)
{
	autofd int fd = make_archive(items, 0);
	struct template_report report;
	return unpack_fd(room, fd, NULL, &report, err);
}

static inline bool stat_in(const struct room *room, const char *name, struct stat *ret)
{
	return fstatat(room->root_fd, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void assert_text(const struct room *room, const char *name, const char *expected)
{
	autofd int fd = openat(room->root_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autobuf text = BUF_INIT;
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 4096, &text, NULL), 0);
	assert_string_equal(buf_str(&text), expected);
}

/* A template as it should be. */
static const struct item honest[] = {
	{"./", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	{"./usr/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	{"./usr/bin/", AE_IFDIR, NULL, NULL, 0555, 0, 0},
	{"./bin", AE_IFLNK, "usr/bin", NULL, 0777, 0, 0},
	{"./bin/su", AE_IFREG, NULL, "su", 04755, 0, 0},
	{"./usr/bin/su2", 0, "./bin/su", NULL, 0, 0, 0},
	{"./etc/shadow", AE_IFREG, NULL, "secret", 0640, 0, 42},
	{"./home/a", AE_IFREG, NULL, "a", 0600, 65535, 65535},
	{"./run/pipe", AE_IFIFO, NULL, NULL, 0620, 5, 6},
	{"./dev/null", AE_IFCHR, NULL, NULL, 0666, 0, 0},
	{"./dev/sda", AE_IFBLK, NULL, NULL, 0660, 0, 0},
	{"./abs", AE_IFLNK, "/etc/shadow", NULL, 0777, 0, 0},
	{0},
};

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* False, with a word of it, where owners cannot be set. */
static inline bool is_run_by_root(void)
{
	if (geteuid() == 0)
		return true;
	puts("skipped: owners can only be set by root");
	return false;
}
