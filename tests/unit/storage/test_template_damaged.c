/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates that are cut, no archives at all, or larger than allowed. */
#include "tests/unit/storage/template_test.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_truncated), IN_ROOM(test_no_end_marker), IN_ROOM(test_no_archive),
		IN_ROOM(test_limits),	 IN_ROOM(test_many),
	};

	if (!is_run_by_root())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
