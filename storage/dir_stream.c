/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Export and import of the `dir` driver's images. Job processes only. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "storage/stream.h"

static int check_export(const struct storage_def *def, const struct volid *volume,
			const char *snapshot, struct err *err)
{
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_COPY, err);
	if (r == 0 && snapshot)
		r = err_set(err, ERR_UNSUPPORTED,
			    "feature not available: a snapshot inside a qcow2 image is not "
			    "exported alone");
	if (r == 0 && volume->base[0])
		r = err_set(err, ERR_UNSUPPORTED,
			    "feature not available: a linked clone is not exported without its "
			    "base; make a full copy of it first");
	return r;
}

int dir_export(const struct storage_def *def, const struct volid *volume, const char *snapshot,
	       int fd, struct err *err)
{
	autofd int parent = -1;
	struct stat st;
	int r = check_export(def, volume, snapshot, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_stat(parent, volume, &st, err);
	if (r < 0)
		return r;
	autofd int image = openat(parent, volume->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (image < 0 || fstat(image, &st) < 0)
		return err_errno(err, errno, "open volume '%s:%s'", volume->storage, volume->name);
	struct stream_header header = {.kind = STREAM_IMAGE, .size = (uint64_t)st.st_size};
	if (str_eq(volume->format, "qcow2"))
		header.kind = STREAM_QCOW2;
	r = stream_header_write(fd, &header, err);
	return r < 0 ? r : stream_image_write(fd, image, header.size, err);
}

/* An image that names files of the host as its data would open them to the guest. */
static int check_arrived(int image, enum stream_kind kind, struct err *err)
{
	struct qcow2_header header;
	if (kind != STREAM_QCOW2)
		return 0;
	int r = qcow2_header_read(image, &header, err);
	if (r == 0 && (header.backing[0] || header.has_data_file))
		r = err_set(err, ERR_CORRUPT, "the image that arrived refers to another file");
	return r;
}

static int fill(int fd, int image, const struct stream_header *header, struct err *err)
{
	if (ftruncate(image, (off_t)header->size) < 0)
		return err_errno(err, errno, "set the size of the volume");
	int r = stream_image_read(fd, image, header->size, err);
	if (r == 0)
		r = check_arrived(image, header->kind, err);
	if (r == 0 && fsync(image) < 0)
		r = err_errno(err, errno, "sync the volume");
	return r;
}

int dir_import_after(const struct storage_def *def, const struct volume_alloc *as, int fd,
		     const struct stream_header *header, char ret_volid[VOLID_MAX], struct err *err)
{
	char name[256];
	autofd int owner = -1, image = -1;
	struct volume_alloc what = *as;
	const char *format = header->kind == STREAM_QCOW2 ? "qcow2" : "raw";
	if (header->kind == STREAM_TREE)
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: a tree of files as a volume on a storage of "
			       "type '%s'",
			       def->type);
	if (as->format && !str_eq(as->format, format))
		return err_field(err, "format", "the volume arrives as '%s'", format);
	what.size = header->size;
	int r = dir_check_alloc(def, &what, format, err);
	if (r == 0)
		r = dir_alloc_file(def, &what, format, &owner, name, &image, err);
	if (r < 0)
		return r;
	r = fill(fd, image, header, err);
	if (r == 0 && fsync(owner) < 0)
		r = err_errno(err, errno, "sync '%s'", name);
	if (r < 0) {
		unlinkat(owner, name, 0);
		dir_remove_owner(def, as->vmid);
		return r;
	}
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%.200s", def->id, as->vmid, name);
	return 0;
}

int dir_import(const struct storage_def *def, const struct volume_alloc *as, int fd,
	       char ret_volid[VOLID_MAX], struct err *err)
{
	struct stream_header header;
	int r = stream_header_read(fd, &header, err);
	return r < 0 ? r : dir_import_after(def, as, fd, &header, ret_volid, err);
}
