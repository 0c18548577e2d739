/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacks a downloaded file. What comes out may be far larger than what went in: incoming_write() looks for room
 * while it grows. */
#include "agent/task/fetch/decompress.h"

#include <archive.h>
#include <errno.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define BLOCK (256 * 1024)

static const struct {
	const char *name;
	int (*support)(struct archive *a);
} filters[] = {
	{"gz", archive_read_support_filter_gzip},
	{"xz", archive_read_support_filter_xz},
	{"zst", archive_read_support_filter_zstd},
	{"bz2", archive_read_support_filter_bzip2},
};

static size_t find(const char *compression)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(filters) && !str_eq(filters[i].name, compression))
		i++;
	return i;
}

int decompress_check(const char *compression, struct err *err)
{
	if (find(compression) == ARRAY_SIZE(filters))
		return err_field(err, "compression", "unknown compression '%.32s'", compression);
	return 0;
}

static int corrupt(struct archive *a, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "unpack: %s", archive_error_string(a) ?: "bad data");
}

static int copy(struct archive *a, struct incoming *in, struct err *err)
{
	autofree char *block = xmalloc(BLOCK);
	for (;;) {
		la_ssize_t n = archive_read_data(a, block, BLOCK);
		if (n == ARCHIVE_RETRY)
			continue;
		if (n < 0)
			return corrupt(a, err);
		if (n == 0)
			return 0;
		int r = incoming_write(in, block, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

/* Data that is not compressed at all passes as "none". */
static int check_filter(struct archive *a, const char *compression, struct err *err)
{
	if (archive_filter_count(a) < 2)
		return err_set(err, ERR_CORRUPT, "what was downloaded is no %s file", compression);
	return 0;
}

int decompress(const char *compression, int fd, struct incoming *in, struct err *err)
{
	struct archive_entry *entry;
	struct archive *a = archive_read_new();
	int r = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		r = err_errno(err, errno, "read the downloaded file again");
	filters[find(compression)].support(a);
	archive_read_support_format_raw(a);
	if (r == 0 && (archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK ||
		       archive_read_next_header(a, &entry) != ARCHIVE_OK))
		r = corrupt(a, err);
	if (r == 0)
		r = check_filter(a, compression, err);
	if (r == 0)
		r = copy(a, in, err);
	archive_read_free(a);
	return r;
}
