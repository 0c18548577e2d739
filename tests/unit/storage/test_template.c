/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacking of templates, honest and hostile. Beside the root lies a folder that must never change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
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

static int setup(void **state)
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
static void assert_outside_untouched(const struct room *room)
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

static int teardown(void **state)
{
	struct room *room = *state;
	assert_outside_untouched(room);
	close(room->root_fd);
	dir_remove_tree(room->path, NULL);
	free(room);
	return 0;
}

static int make_fd(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static struct archive *writer_new(int fd, int filter)
{
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	if (filter)
		assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	return a;
}

static struct archive_entry *entry_new(const struct item *item)
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

static void write_item(struct archive *a, const struct item *item)
{
	struct archive_entry *e = entry_new(item);
	assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
	if (item->data)
		assert_true(archive_write_data(a, item->data, strlen(item->data)) >= 0);
	archive_entry_free(e);
}

static int make_archive(const struct item *items, int filter)
{
	int fd = make_fd();
	struct archive *a = writer_new(fd, filter);
	for (; items->name; items++)
		write_item(a, items);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int unpack_fd(const struct room *room, int fd, const struct template_limits *limits,
		     struct template_report *ret, struct err *err)
{
	*err = ERR_INIT;
	return template_unpack(fd, room->root_fd, limits, NULL, NULL, ret, err);
}

static int unpack(const struct room *room, const struct item *items, struct err *err)
{
	autofd int fd = make_archive(items, 0);
	struct template_report report;
	return unpack_fd(room, fd, NULL, &report, err);
}

static bool stat_in(const struct room *room, const char *name, struct stat *ret)
{
	return fstatat(room->root_fd, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_text(const struct room *room, const char *name, const char *expected)
{
	autofd int fd = openat(room->root_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autobuf text = BUF_INIT;
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 4096, &text, NULL), 0);
	assert_string_equal(buf_str(&text), expected);
}

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

static void check_honest(const struct room *room)
{
	struct stat st, other;
	assert_text(room, "usr/bin/su", "su");
	assert_true(stat_in(room, "usr/bin/su", &st));
	assert_int_equal(st.st_mode & 07777, 04755);
	assert_int_equal(st.st_mtim.tv_sec, MTIME);
	assert_true(stat_in(room, "usr/bin/su2", &other));
	assert_int_equal(st.st_ino, other.st_ino);
	assert_true(stat_in(room, "usr/bin", &st));
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(st.st_mtim.tv_sec, MTIME); /* though files came after it */
	assert_int_equal(fstat(room->root_fd, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, MTIME);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_true(stat_in(room, "etc/shadow", &st));
	assert_int_equal(st.st_gid, 42);
	assert_true(stat_in(room, "home/a", &st));
	assert_int_equal(st.st_uid, 65535);
	assert_true(stat_in(room, "run/pipe", &st));
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0620);
	assert_int_equal(st.st_uid, 5);
	assert_false(stat_in(room, "dev/null", &st));
	assert_false(stat_in(room, "dev/sda", &st));
	assert_true(stat_in(room, "abs", &st));
	assert_true(S_ISLNK(st.st_mode));
}

static void test_honest(void **state)
{
	static const int filters[] = {0, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,
				      ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_BZIP2};
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct template_report report;
		struct err err;
		autofd int fd = make_archive(honest, filters[i]);
		/* again over what is there: replaces file by file */
		if (unpack_fd(*state, fd, NULL, &report, &err) < 0)
			fail_msg("filter %d: %s", filters[i], err.message);
		assert_int_equal(report.entries, ARRAY_SIZE(honest) - 1);
		assert_int_equal(report.skipped, 2);
		assert_int_equal(report.bytes, 9);
		check_honest(*state);
	}
}

/* Hostile archives. result 0: unpacked harmlessly within the root; inside: a file that must be
 * there. */
static const struct {
	const char *what;
	struct item items[6];
	int result;
	const char *inside, *text;
} hostile[] = {
	{"dot dot", {{"../outside/evil", AE_IFREG, NULL, "x", 0, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"inner dot dot",
	 {{"a/../../outside/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"dot dot alone", {{"..", AE_IFDIR, NULL, NULL, 0777, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"absolute", {{"/etc/lodge-evil", AE_IFREG, NULL, "x", 0, 0, 0}}, 0, "etc/lodge-evil", "x"},
	{"relative link as parent",
	 {{"out", AE_IFLNK, "../outside", NULL, 0, 0, 0},
	  {"out/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_EXISTS,
	 NULL,
	 NULL},
	{"link up and back",
	 {{"outside", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	  {"out", AE_IFLNK, "../../../../outside", NULL, 0, 0, 0},
	  {"out/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "outside/evil",
	 "x"},
	{"absolute link as parent",
	 {{"etc", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	  {"out", AE_IFLNK, "/etc", NULL, 0, 0, 0},
	  {"out/lodge-evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "etc/lodge-evil",
	 "x"},
	{"chain of links",
	 {{"a", AE_IFLNK, "b", NULL, 0, 0, 0},
	  {"b", AE_IFLNK, "a", NULL, 0, 0, 0},
	  {"a/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_IO,
	 NULL,
	 NULL},
	{"proc's magic links",
	 {{"out", AE_IFLNK, "/proc/self/root", NULL, 0, 0, 0},
	  {"out/lodge-evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_EXISTS,
	 NULL,
	 NULL},
	{"file through a link of its name",
	 {{"f", AE_IFLNK, "/etc/passwd", NULL, 0, 0, 0}, {"f", AE_IFREG, NULL, "x", 0666, 7, 7}},
	 0,
	 "f",
	 "x"},
	{"folder over a link",
	 {{"d", AE_IFLNK, "../outside", NULL, 0, 0, 0},
	  {"d", AE_IFDIR, NULL, NULL, 0700, 7, 7},
	  {"d/f", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "d/f",
	 "x"},
	{"hard link outside",
	 {{"h", 0, "../outside/victim", NULL, 0, 0, 0}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"hard link to a host's file",
	 {{"h", 0, "/etc/passwd", NULL, 0, 0, 0}},
	 -ERR_NOT_FOUND,
	 NULL,
	 NULL},
	{"hard link through a link",
	 {{"out", AE_IFLNK, "/etc", NULL, 0, 0, 0}, {"h", 0, "out/passwd", NULL, 0, 0, 0}},
	 -ERR_NOT_FOUND,
	 NULL,
	 NULL},
	{"write through a hard link of a link",
	 {{"l", AE_IFLNK, "../outside/victim", NULL, 0, 0, 0},
	  {"h", 0, "l", NULL, 0, 0, 0},
	  {"h", AE_IFREG, NULL, "x", 0600, 9, 9}},
	 0,
	 "h",
	 "x"},
	{"hard link to a folder",
	 {{"d", AE_IFDIR, NULL, NULL, 0755, 0, 0}, {"h", 0, "d", NULL, 0, 0, 0}},
	 -ERR_IO,
	 NULL,
	 NULL},
	{"file over the root", {{".", AE_IFREG, NULL, "x", 0, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"link over the root", {{"./", AE_IFLNK, "/etc", NULL, 0, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"file over a folder with files",
	 {{"d/f", AE_IFREG, NULL, "x", 0, 0, 0}, {"d", AE_IFREG, NULL, "y", 0, 0, 0}},
	 -ERR_IO,
	 "d/f",
	 "x"},
	{"owner beyond the range",
	 {{"f", AE_IFREG, NULL, "x", 0, 65536, 0}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"group beyond the range",
	 {{"f", AE_IFREG, NULL, "x", 0, 0, 100000}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"devices",
	 {{"b", AE_IFBLK, NULL, NULL, 0666, 0, 0},
	  {"c", AE_IFCHR, NULL, NULL, 0666, 0, 0},
	  {"f", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "f",
	 "x"},
	{"odd names",
	 {{"new\nline", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"-rf", AE_IFREG, NULL, "x", 0, 0, 0},
	  {".. ", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"...", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"a//.//b\\..\\c", AE_IFREG, NULL, "odd", 0, 0, 0}},
	 0,
	 "a/b\\..\\c",
	 "odd"},
	{"beyond ASCII",
	 {{"caf\xc3\xa9", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"latin-\xe9", AE_IFREG, NULL, "y", 0, 0, 0}},
	 0,
	 "caf\xc3\xa9",
	 "x"},
	{"replaced parent",
	 {{"d/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	  {"d", AE_IFLNK, "../outside", NULL, 0, 0, 0},
	  {"d/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_EXISTS,
	 NULL,
	 NULL},
	{"time of a replaced folder",
	 {{"d/", AE_IFDIR, NULL, NULL, 0755, 0, 0}, {"d", AE_IFLNK, "/etc", NULL, 0, 0, 0}},
	 0,
	 NULL,
	 NULL},
};

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct err err;
		void *room;
		setup(&room);
		int r = unpack(room, hostile[i].items, &err);
		if (r != hostile[i].result)
			fail_msg("%s: %d, expected %d (%s)", hostile[i].what, r, hostile[i].result,
				 err.message);
		if (r < 0 && !strstr(err.message, "entry '"))
			fail_msg("%s: names no entry: %s", hostile[i].what, err.message);
		if (hostile[i].inside)
			assert_text(room, hostile[i].inside, hostile[i].text);
		teardown(&room);
	}
	assert_true(access("/etc/lodge-evil", F_OK) < 0);
	assert_true(access("/lodge-evil", F_OK) < 0);
}

static void test_long_names(void **state)
{
	static char part[300], deep[8000];
	struct item items[2] = {{.name = part, .kind = AE_IFREG, .data = "x"}, {0}};
	struct err err;
	struct stat st;
	memset(part, 'a', 256); /* one more than a file system takes */
	assert_int_equal(unpack(*state, items, &err), -ERR_IO);
	for (size_t i = 0; i < 2000; i++)
		memcpy(deep + 2 * i, "d/", 2);
	memcpy(deep + 4000, "f", 2);
	items[0].name = deep;
	assert_int_equal(unpack(*state, items, &err), 0);
	assert_true(stat_in(*state, deep, &st));
	for (size_t i = 0; i < 3000; i++)
		memcpy(deep + 2 * i, "e/", 2);
	memcpy(deep + 6000, "f", 2);
	assert_int_equal(unpack(*state, items, &err), -ERR_INVALID);
	assert_false(stat_in(*state, "e", &st));
}

/* Cut anywhere, an archive is an error; also where only its end marker is missing. */
static void test_truncated(void **state)
{
	static const struct item items[] = {
		{"a", AE_IFREG, NULL, "one", 0, 0, 0},
		{"b", AE_IFREG, NULL, "two", 0, 0, 0},
		{"c/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
		{0},
	};
	static const int filters[] = {0, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,
				      ARCHIVE_FILTER_ZSTD};
	for (size_t f = 0; f < ARRAY_SIZE(filters); f++) {
		autofd int fd = make_archive(items, filters[f]);
		autobuf all = BUF_INIT;
		assert_int_equal(fd_read_all(fd, 1 << 20, &all, NULL), 0);
		/* plain: 5 blocks of entries, then zero blocks and padding */
		size_t end = filters[f] ? all.size : 5 * 512;
		size_t step = filters[f] ? 3 : 128;
		for (size_t cut = 0; cut < end; cut += step) {
			struct template_report report;
			struct err err;
			autofd int part = make_fd();
			assert_int_equal(fd_write_all(part, all.data, cut, NULL), 0);
			lseek(part, 0, SEEK_SET);
			int r = unpack_fd(*state, part, NULL, &report, &err);
			if (r == 0)
				fail_msg("filter %d cut at %zu of %zu was taken", filters[f], cut,
					 all.size);
			assert_true(err.message[0]);
		}
	}
}

static void test_no_end_marker(void **state)
{
	static const struct item items[] = {{"a", AE_IFREG, NULL, "one", 0, 0, 0}, {0}};
	struct template_report report;
	struct err err;
	autofd int fd = make_archive(items, 0);
	assert_int_equal(ftruncate(fd, 1024), 0);
	assert_int_equal(unpack_fd(*state, fd, NULL, &report, &err), -ERR_CORRUPT);
	assert_string_equal(err.message, "damaged archive: the end is missing");
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(ftruncate(fd, 2048), 0); /* two zero blocks */
	assert_int_equal(unpack_fd(*state, fd, NULL, &report, &err), 0);
}

static void test_no_archive(void **state)
{
	static const char *const texts[] = {"",
					    "x",
					    "#!/bin/sh\nexit 0\n",
					    "PK\003\004 a zip of sorts",
					    "\x1f\x8b\x08 not really gzip",
					    "\3757zXZ",
					    "070701 a cpio archive of sorts, which is no template"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct template_report report;
		struct err err;
		autofd int fd = make_fd();
		assert_int_equal(fd_write_all(fd, texts[i], strlen(texts[i]), NULL), 0);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(template_check(fd, &err), -ERR_CORRUPT);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(unpack_fd(*state, fd, NULL, &report, &err), -ERR_CORRUPT);
	}
	autofd int good = make_archive(honest, ARCHIVE_FILTER_ZSTD);
	assert_int_equal(template_check(good, NULL), 0);
}

static bool always(void)
{
	return true;
}

static void test_limits(void **state)
{
	static char zeros[1 << 20];
	struct item item = {"big", AE_IFREG, NULL, zeros, 0, 0, 0};
	struct template_limits limits = {.max_bytes = 512 * 1024};
	struct template_report report;
	struct err err;
	autofd int fd = make_fd();
	struct archive *a = writer_new(fd, ARCHIVE_FILTER_ZSTD);
	memset(zeros, 'z', sizeof(zeros) - 1);
	for (int i = 0; i < 8; i++)
		write_item(a, &item);
	archive_write_free(a);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(unpack_fd(*state, fd, &limits, &report, &err), -ERR_LIMIT);
	lseek(fd, 0, SEEK_SET);
	limits = (struct template_limits){.max_entries = 7};
	assert_int_equal(unpack_fd(*state, fd, &limits, &report, &err), -ERR_LIMIT);
	lseek(fd, 0, SEEK_SET);
	limits = (struct template_limits){.is_cancelled = always};
	assert_int_equal(unpack_fd(*state, fd, &limits, &report, &err), -ERR_CANCELLED);
}

static void count_progress(const struct template_report *so_far, void *ctx)
{
	(void)so_far;
	++*(unsigned *)ctx;
}

static void test_many(void **state)
{
	const struct room *room = *state;
	struct template_limits limits = {.max_entries = 20000};
	struct template_report report = {0};
	struct err err = ERR_INIT;
	unsigned calls = 0;
	autofd int fd = make_fd();
	struct archive *a = writer_new(fd, ARCHIVE_FILTER_ZSTD);
	for (int i = 0; i < 100000; i++) {
		char name[32];
		snprintf(name, sizeof(name), "d%d/f%d", i % 7, i);
		write_item(a, &(struct item){.name = name, .kind = AE_IFREG});
	}
	archive_write_free(a);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(
		template_unpack(fd, room->root_fd, &limits, count_progress, &calls, &report, &err),
		-ERR_LIMIT);
	assert_int_equal(calls, 10);
	assert_int_equal(report.entries, 0); /* left alone */
}

/* A ustar header, by hand: for what the library's writer does not write. */
static void write_header(int fd, const char *name, char type, size_t size)
{
	char h[512] = {0};
	unsigned sum = 0;
	strcpy(h, name);
	strcpy(h + 100, "0000600");
	strcpy(h + 108, "0000000");
	strcpy(h + 116, "0000000");
	snprintf(h + 124, 12, "%011zo", size);
	strcpy(h + 136, "07346545000");
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	assert_int_equal(fd_write_all(fd, h, sizeof(h), NULL), 0);
}

static void write_block(int fd, const char *text)
{
	char block[512] = {0};
	memcpy(block, text, strlen(text));
	assert_int_equal(fd_write_all(fd, block, sizeof(block), NULL), 0);
}

/* GNU sparse format 1.0: 1 TiB with 512 bytes in the middle. */
static void test_sparse(void **state)
{
	static const char pax[] = "22 GNU.sparse.major=1\n"
				  "22 GNU.sparse.minor=0\n"
				  "24 GNU.sparse.name=disk\n"
				  "37 GNU.sparse.realsize=1099511627776\n";
	struct template_report report;
	struct err err;
	struct stat st;
	autofd int fd = make_fd();
	write_header(fd, "PaxHeaders/disk", 'x', strlen(pax));
	write_block(fd, pax);
	write_header(fd, "GNUSparseFile.0/disk", '0', 1024);
	write_block(fd, "1\n549755813888\n512\n");
	write_block(fd, "in the middle");
	write_block(fd, "");
	write_block(fd, "");
	lseek(fd, 0, SEEK_SET);
	if (unpack_fd(*state, fd, NULL, &report, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(stat_in(*state, "disk", &st));
	assert_int_equal(st.st_size, 1LL << 40);
	assert_true(st.st_blocks < 64);
	assert_int_equal(report.bytes, 512);
}

static void test_xattrs(void **state)
{
	static const unsigned char v2[20] = {1, 0, 0, 2, 0, 0x20};
	static const unsigned char v3[24] = {1, 0, 0, 3, 0, 0x20, 0, 0, 0, 0,	 0,
					     0, 0, 0, 0, 0, 0,	  0, 0, 0, 0xe8, 3};
	const struct room *room = *state;
	static const char *const names[] = {"ping", "foreign"};
	struct template_report report;
	struct err err;
	char value[64];
	autofd int fd = make_fd();
	struct archive *a = writer_new(fd, 0);
	for (int i = 0; i < 2; i++) {
		struct archive_entry *e =
			entry_new(&(struct item){.name = names[i], .kind = AE_IFREG, .mode = 0755});
		archive_entry_xattr_add_entry(e, "security.capability", i ? v3 : v2,
					      i ? sizeof(v3) : sizeof(v2));
		archive_entry_xattr_add_entry(e, "user.note", "hello", 5);
		archive_entry_xattr_add_entry(e, "trusted.overlay.opaque", "y", 1);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		archive_entry_free(e);
	}
	archive_write_free(a);
	lseek(fd, 0, SEEK_SET);
	if (unpack_fd(room, fd, NULL, &report, &err) < 0)
		fail_msg("%s", err.message);
	autofd int ping = openat(room->root_fd, "ping", O_RDONLY | O_CLOEXEC);
	autofd int foreign = openat(room->root_fd, "foreign", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(ping, "security.capability", value, sizeof(value)), 20);
	assert_true(fgetxattr(foreign, "security.capability", value, sizeof(value)) < 0);
	assert_true(fgetxattr(ping, "trusted.overlay.opaque", value, sizeof(value)) < 0);
	if (fgetxattr(ping, "user.note", value, sizeof(value)) >=
	    0) /* not every file system has them */
		assert_memory_equal(value, "hello", 5);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_honest),	     cmocka_unit_test(test_hostile),
		IN_ROOM(test_long_names),    IN_ROOM(test_truncated),
		IN_ROOM(test_no_end_marker), IN_ROOM(test_no_archive),
		IN_ROOM(test_limits),	     IN_ROOM(test_many),
		IN_ROOM(test_sparse),	     IN_ROOM(test_xattrs),
	};
	if (geteuid() != 0) {
		puts("skipped: owners can only be set by root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
