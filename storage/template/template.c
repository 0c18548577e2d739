/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a template archive and hands each entry to its maker. Decompression is libarchive's own, no
 * filter program is ever started. Job processes only, single-threaded. */
#include "storage/template/template.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/utf8.h"
#include "storage/catalog/catalog.h"
#include "storage/template/image.h"
#include "storage/template/unpack.h"

#define ENTRIES_MAX	 4000000
#define READ_BLOCK	 (128 * 1024)
#define PROGRESS_ENTRIES 2000
#define PROGRESS_BYTES	 (128ULL * 1024) /* small: who is told may slow us down */

/* The archive's own text; it may quote names of it, err_set() makes that one line. */
static int archive_fail(struct archive *a, struct err *err)
{
	const char *text = archive_error_string(a);
	if (archive_errno(a) == ENOMEM)
		return err_set(err, ERR_LIMIT, "the archive needs too much memory");
	return err_set(err, ERR_CORRUPT, "damaged archive: %s", text ? text : "unknown error");
}

static int archive_open(int fd, struct archive **ret, struct err *err)
{
	struct archive *a = archive_read_new();
	if (!a)
		return err_set(err, ERR_INTERNAL, "no memory for the archive reader");
	/* ARCHIVE_WARN means that an external program would do it */
	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
	    archive_read_support_format_tar(a) != ARCHIVE_OK) {
		archive_read_free(a);
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: libarchive lacks gzip, xz, zstd or bzip2");
	}
	if (archive_read_open_fd(a, fd, READ_BLOCK) != ARCHIVE_OK) {
		archive_read_free(a);
		return err_set(err, ERR_CORRUPT,
			       "not a tar archive (gzip, xz, zstd, bzip2 or plain)");
	}
	*ret = a;
	return 0;
}

int unpack_count(struct unpack *u, uint64_t bytes, struct err *err)
{
	uint64_t before = u->report.bytes;
	u->report.bytes += bytes;
	if (u->limits.max_bytes && u->report.bytes > u->limits.max_bytes)
		return err_set(err, ERR_LIMIT, "the archive holds more than %llu bytes",
			       (unsigned long long)u->limits.max_bytes);
	if (u->limits.is_cancelled && u->limits.is_cancelled())
		return err_set(err, ERR_CANCELLED, "interrupted by signal");
	if (u->progress && u->report.bytes / PROGRESS_BYTES != before / PROGRESS_BYTES)
		u->progress(&u->report, u->ctx);
	return 0;
}

/* Layers are read twice, and hold whiteouts beside what is made. */
int unpack_count_header(struct unpack *u, struct err *err)
{
	uint64_t max = u->limits.max_entries ? u->limits.max_entries : ENTRIES_MAX;
	if (++u->headers > (u->is_layer ? 2 * max : max))
		return err_set(err, ERR_LIMIT, "the archive holds more than %llu entries",
			       (unsigned long long)max);
	if (u->progress && u->headers % PROGRESS_ENTRIES == 0)
		u->progress(&u->report, u->ctx);
	return unpack_count(u, 0, err);
}

typedef int (*maker_fn)(struct unpack *u, struct archive_entry *entry, const struct place *place,
			struct err *err);

static const struct maker {
	mode_t kind;
	maker_fn make;
} makers[] = {
	{AE_IFREG, unpack_regular},
	{AE_IFDIR, unpack_folder},
	{AE_IFLNK, unpack_symlink},
	{AE_IFIFO, unpack_fifo},
};

/* NULL: a kind that is passed over (devices, sockets). */
static maker_fn maker_find(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return unpack_hardlink;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (makers[i].kind == archive_entry_filetype(entry))
			return makers[i].make;
	return NULL;
}

static int make_entry(struct unpack *u, struct archive_entry *entry, const char *name,
		      struct err *err)
{
	struct place place;
	maker_fn make = maker_find(entry);
	if (!make) {
		u->report.skipped++;
		return 0;
	}
	int r = meta_check_owner(entry, err);
	if (r == 0)
		r = place_find(u->root_fd, name, &place, err);
	if (r < 0)
		return r;
	if (place.parent_fd < 0 && make != unpack_folder)
		r = err_set(err, ERR_INVALID, "the root folder cannot be replaced");
	else if (make != unpack_folder)
		r = place_clear(&place, u->is_layer, err);
	if (r == 0)
		r = make(u, entry, &place, err);
	place_fini(&place);
	return r;
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry, struct err *err)
{
	const char *name = archive_entry_pathname(entry);
	if (!name)
		return err_set(err, ERR_INVALID, "an entry's name is no valid text");
	int r = unpack_count_header(u, err);
	if (r == 0 && u->is_layer && unpack_is_whiteout(name))
		return 0;
	if (r == 0) {
		u->report.entries++;
		r = make_entry(u, entry, name, err);
	}
	if (r < 0)
		err_prefix(err, "entry '%.200s'", name);
	return r;
}

/* A tar file ends with zero blocks. Without compression nothing else tells that it was cut between
 * two entries; libarchive takes that for the end. Here: were bytes read behind the last entry? */
static int check_end(struct unpack *u, struct err *err)
{
	if (u->is_layer) /* its checksum tells */
		return 0;
	if (u->report.entries == 0)
		return err_set(err, ERR_CORRUPT, "the archive is empty");
	if (archive_filter_bytes(u->archive, 0) <= archive_read_header_position(u->archive))
		return err_set(err, ERR_CORRUPT, "damaged archive: the end is missing");
	return 0;
}

int unpack_entries(struct unpack *u, struct err *err)
{
	for (;;) {
		struct archive_entry *entry;
		int got = archive_read_next_header(u->archive, &entry);
		if (got == ARCHIVE_EOF)
			return check_end(u, err);
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return archive_fail(u->archive, err);
		int r = unpack_entry(u, entry, err);
		if (r < 0)
			return r;
	}
}

static int unpack_archive(struct unpack *u, int fd, struct err *err)
{
	(void)lseek(fd, 0, SEEK_SET);
	int r = archive_open(fd, &u->archive, err);
	if (r < 0)
		return r;
	r = unpack_entries(u, err);
	archive_read_free(u->archive);
	return r;
}

const char *template_arch(void)
{
	static struct utsname name;
	return uname(&name) < 0 ? "amd64" : catalog_arch(name.machine);
}

int template_unpack(int archive_fd, int root_fd, const struct template_limits *limits,
		    template_progress_fn progress, void *ctx, struct template_report *ret,
		    struct err *err)
{
	struct unpack u = {.root_fd = root_fd, .progress = progress, .ctx = ctx};
	struct utf8_scope scope = utf8_enter();
	if (limits)
		u.limits = *limits;
	int r = image_is_one(archive_fd) ? unpack_image(&u, archive_fd, template_arch(), err)
					 : unpack_archive(&u, archive_fd, err);
	if (r == 0)
		meta_finish(&u);
	meta_fini(&u);
	utf8_leave(&scope);
	if (r == 0 && ret)
		*ret = u.report;
	return r;
}

int template_check(int archive_fd, struct err *err)
{
	struct archive *a;
	struct archive_entry *entry;
	struct utf8_scope scope = utf8_enter();
	int r = archive_open(archive_fd, &a, err);
	if (r == 0) {
		int got = archive_read_next_header(a, &entry);
		if (got == ARCHIVE_EOF)
			r = err_set(err, ERR_CORRUPT, "the archive is empty");
		else if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			r = archive_fail(a, err);
		archive_read_free(a);
	}
	utf8_leave(&scope);
	return r;
}
