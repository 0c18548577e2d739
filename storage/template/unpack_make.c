/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the entries of a template, one function a kind. Nothing is opened through a link; device
 * nodes have no maker. Job processes only. */
#include "storage/template/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"

static int write_at(int fd, const char *data, size_t size, int64_t offset, struct err *err)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "write");
		data += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

/* Holes of sparse entries come as jumps of the offset, and stay holes. */
static int copy_data(struct unpack *u, int fd, struct err *err)
{
	for (;;) {
		const void *data;
		size_t size;
		int64_t offset;
		int got = archive_read_data_block(u->archive, &data, &size, &offset);
		if (got == ARCHIVE_EOF)
			return 0;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return err_set(err, ERR_CORRUPT, "damaged archive: %s",
				       archive_error_string(u->archive));
		if (offset < 0)
			return err_set(err, ERR_CORRUPT, "damaged archive: negative offset");
		int r = unpack_count(u, size, err);
		if (r == 0)
			r = write_at(fd, data, size, offset, err);
		if (r < 0)
			return r;
	}
}

int unpack_regular(struct unpack *u, struct archive_entry *entry, const struct place *place,
		   struct err *err)
{
	autofd int fd = openat(place->parent_fd, place->name,
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, errno, "make the file");
	int r = copy_data(u, fd, err);
	if (r < 0)
		return r;
	/* a hole at the end */
	if (archive_entry_size_is_set(entry) && ftruncate(fd, archive_entry_size(entry)) < 0)
		return err_errno(err, errno, "set its size");
	return meta_apply(fd, entry, err);
}

/* An existing folder is kept with what is in it; a link in its place is replaced, not followed. */
static int make_folder(const struct place *place, struct err *err)
{
	struct stat st;
	if (fstatat(place->parent_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		int r = place_clear(place, false, err);
		if (r < 0)
			return r;
	}
	if (mkdirat(place->parent_fd, place->name, 0700) < 0)
		return err_errno(err, errno, "make the folder");
	return 0;
}

int unpack_folder(struct unpack *u, struct archive_entry *entry, const struct place *place,
		  struct err *err)
{
	autofd int fd = -1;
	bool is_root = place->parent_fd < 0;
	int r = is_root ? 0 : make_folder(place, err);
	if (r < 0)
		return r;
	if (!is_root)
		fd = openat(place->parent_fd, place->name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!is_root && fd < 0)
		return err_errno(err, errno, "open the folder");
	r = meta_apply(is_root ? u->root_fd : fd, entry, err);
	if (r == 0)
		meta_defer(u, place->path, entry);
	return r;
}

/* The target is text for the container; nothing here ever follows it outside of the root. */
int unpack_symlink(struct unpack *u, struct archive_entry *entry, const struct place *place,
		   struct err *err)
{
	const char *target = archive_entry_symlink(entry);
	(void)u;
	if (!target || !*target)
		return err_set(err, ERR_INVALID, "a link without a target");
	if (symlinkat(target, place->parent_fd, place->name) < 0)
		return err_errno(err, errno, "make the link");
	return meta_apply_at(place, entry, err);
}

int unpack_fifo(struct unpack *u, struct archive_entry *entry, const struct place *place,
		struct err *err)
{
	(void)u;
	if (mkfifoat(place->parent_fd, place->name, 0600) < 0)
		return err_errno(err, errno, "make the pipe");
	return meta_apply_at(place, entry, err);
}

/* The target was unpacked before, so it lies below the root; its folders must exist. */
int unpack_hardlink(struct unpack *u, struct archive_entry *entry, const struct place *place,
		    struct err *err)
{
	char path[PATH_MAX];
	autofd int parent = -1;
	int r = place_clean(archive_entry_hardlink(entry), path, err);
	if (r < 0)
		return err_prefix(err, "its target");
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	parent = place_open(u->root_fd, slash ? path : "", O_PATH | O_DIRECTORY);
	if (parent < 0)
		return err_errno(err, -parent, "the folder of its target '%.200s'", path);
	if (linkat(parent, name, place->parent_fd, place->name, 0) < 0)
		return err_errno(err, errno, "make the hard link to '%.200s'", name);
	return 0;
}
