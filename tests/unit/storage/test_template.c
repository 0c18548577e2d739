/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a template may hold: files of all kinds, sparse ones, long names, extended attributes. */
#include "tests/unit/storage/template_test.h"

#include <sys/xattr.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_honest),
		IN_ROOM(test_long_names),
		IN_ROOM(test_sparse),
		IN_ROOM(test_xattrs),
	};

	if (!is_run_by_root())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
