/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Export and import of the `btrfs` driver's subvolumes. Job processes only. */
#include "storage/btrfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/stream.h"

static int export_image(int source, int fd, struct err *err)
{
	struct stat st;
	autofd int image = openat(source, BTRFS_IMAGE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (image < 0 || fstat(image, &st) < 0)
		return err_errno(err, errno, "open the volume's image");
	const struct stream_header header = {.kind = STREAM_IMAGE, .size = (uint64_t)st.st_size};
	int r = stream_header_write(fd, &header, err);
	return r < 0 ? r : stream_image_write(fd, image, header.size, err);
}

static int export_tree(int source, int fd, struct err *err)
{
	const struct stream_header header = {.kind = STREAM_TREE, .size = btrfs_limit_get(source)};
	autofree char *path = xasprintf("/proc/%d/fd/%d/.", (int)getpid(), source);
	int r = stream_header_write(fd, &header, err);
	return r < 0 ? r : stream_tree_write(fd, path, err);
}

int btrfs_export(const struct storage_def *def, const struct volid *volume, const char *snapshot,
		 int fd, struct err *err)
{
	autofd int parent = -1, source = -1;
	if (!btrfs_is_own(volume))
		return dir_export(def, volume, snapshot, fd, err);
	int r = volume_feature_check(def->type, volume, snapshot, VOLUME_COPY, err);
	if (r == 0)
		r = btrfs_open(def, volume, snapshot, &parent, &source, err);
	if (r < 0)
		return r;
	return str_eq(volume->format, "raw") ? export_image(source, fd, err)
					     : export_tree(source, fd, err);
}

static int fill_image(const struct btrfs_new *new, int fd, uint64_t size, struct err *err)
{
	autofd int image =
		openat(new->fd, BTRFS_IMAGE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (image < 0 || ftruncate(image, (off_t)size) < 0)
		return err_errno(err, errno, "make the volume's image");
	return stream_image_read(fd, image, size, err);
}

static int fill_tree(const struct btrfs_new *new, int fd, uint64_t size, struct err *err)
{
	autofree char *path = xasprintf("/proc/%d/fd/%d/.", (int)getpid(), new->fd);
	int r = size ? btrfs_limit_set(new->fd, size, err) : 0;
	return r < 0 ? r : stream_tree_read(fd, path, err);
}

/* nocow must be there before the first byte. */
static int fill(const struct storage_def *def, const struct btrfs_new *new, int fd,
		const struct stream_header *header, struct err *err)
{
	bool is_nocow = false;
	str_to_bool(storage_def_get(def, "nocow"), &is_nocow);
	if (header->kind == STREAM_TREE)
		return fill_tree(new, fd, header->size, err);
	int r = is_nocow ? btrfs_set_nocow(new->fd, err) : 0;
	return r < 0 ? r : fill_image(new, fd, header->size, err);
}

static int import_new(const struct storage_def *def, const struct volume_alloc *as, int fd,
		      const struct stream_header *header, char ret_volid[VOLID_MAX],
		      struct err *err)
{
	struct btrfs_new new;
	struct volume_alloc what = *as;
	const char *format = header->kind == STREAM_TREE ? "subvol" : "raw";
	if (as->format && !str_eq(as->format, format))
		return err_field(err, "format", "the volume arrives as '%s'", format);
	what.size = header->size;
	int r = btrfs_new_begin(def, &what, format, -1, &new, err);
	if (r < 0)
		return r;
	r = fill(def, &new, fd, header, err);
	if (r < 0) {
		btrfs_new_abort(def, &new);
		return r;
	}
	return btrfs_new_commit(def, &new, as->name, ret_volid, err);
}

int btrfs_import(const struct storage_def *def, const struct volume_alloc *as, int fd,
		 char ret_volid[VOLID_MAX], struct err *err)
{
	struct stream_header header;
	int r = stream_header_read(fd, &header, err);
	if (r < 0)
		return r;
	return header.kind == STREAM_QCOW2 ? dir_import_after(def, as, fd, &header, ret_volid, err)
					   : import_new(def, as, fd, &header, ret_volid, err);
}
