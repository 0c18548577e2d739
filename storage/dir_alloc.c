/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest images of the `dir` driver: made, grown, removed. Sparse files, root's only. Job and helper
 * processes only. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SIZE_UNIT  1024 /* sizes are rounded up to it */
#define DISK_MAX   1024 /* disk numbers tried */
#define PARENT_TRY 8	/* against a free() that removes the empty folder under us */

/* Where nobody asked, machines get what the definition says. */
static const char *format_of(const struct storage_def *def, const struct volume_alloc *what)
{
	const char *own = storage_def_get(def, "format");
	if (what->format)
		return what->format;
	return what->content == VOLUME_IMAGES && own ? own : "raw";
}

int dir_check_alloc(const struct storage_def *def, const struct volume_alloc *what,
		    const char *format, struct err *err)
{
	const char *content = volume_content_name(what->content);
	bool is_subvol = str_eq(format, "subvol");
	if (what->content != VOLUME_IMAGES && what->content != VOLUME_ROOTDIR)
		return err_field(err, "content", "volumes of content '%s' are not allocated",
				 content);
	if (!storage_def_has_content(def, content))
		return err_field(err, "storage", "storage '%s' does not support content type '%s'",
				 def->id, content);
	if (what->vmid < 100 || what->vmid > 999999999)
		return err_field(err, "vmid", "guest ids go from 100 to 999999999");
	if ((what->size == 0 && !is_subvol) || what->size > (uint64_t)INT64_MAX - SIZE_UNIT)
		return err_field(err, "size", "bad size of a volume");
	return dir_check_size(def, what->size, err);
}

/* raw for all, qcow2 for machines */
static int check_format(const struct storage_def *def, const struct volume_alloc *what,
			struct err *err)
{
	if (!str_eq(format_of(def, what), "raw") &&
	    !(what->content == VOLUME_IMAGES && str_eq(format_of(def, what), "qcow2")))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: volumes of format '%s' for content '%s' on "
			       "a storage of type '%s'",
			       format_of(def, what), volume_content_name(what->content), def->type);
	return 0;
}

int dir_open_owner(const struct storage_def *def, unsigned vmid, int *ret_fd, struct err *err)
{
	autofd int images = -1;
	autofree char *name = xasprintf("%u", vmid);
	int r = dir_open_folder(def, VOLUME_IMAGES, &images, err);
	if (r < 0)
		return r;
	if (mkdirat(images, name, 0700) < 0 && errno != EEXIST)
		return err_errno(err, errno, "storage '%s': make folder images/%s", def->id, name);
	int fd = openat(images, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "storage '%s': open images/%s", def->id, name);
	*ret_fd = fd;
	return 0;
}

bool dir_disk_is_taken(int owner_fd, unsigned vmid, unsigned number)
{
	static const char *const forms[][2] = {
		{"vm", ".raw"},	  {"vm", ".qcow2"},	 {"vm", ".vmdk"},	 {"vm", ""},
		{"base", ".raw"}, {"base", ".qcow2"},	 {"base", ""},		 {"subvol", ""},
		{"basevol", ""},  {"subvol", ".subvol"}, {"basevol", ".subvol"},
	};
	char name[64];
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		snprintf(name, sizeof(name), "%s-%u-disk-%u%s", forms[i][0], vmid, number,
			 forms[i][1]);
		if (fstatat(owner_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

static int create_file(int owner_fd, const char *name)
{
	return openat(owner_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int create_next(int owner_fd, unsigned vmid, const char *format, char ret_name[256],
		       int *ret_fd, struct err *err)
{
	char name[64];
	for (unsigned i = 0; i < DISK_MAX; i++) {
		if (dir_disk_is_taken(owner_fd, vmid, i))
			continue;
		snprintf(name, sizeof(name), "vm-%u-disk-%u.%s", vmid, i, format);
		int fd = create_file(owner_fd, name);
		if (fd >= 0) {
			str_copy(ret_name, 256, name);
			*ret_fd = fd;
			return 0;
		}
		if (errno != EEXIST)
			return err_errno(err, errno, "make volume %s", name);
	}
	return err_set(err, ERR_LIMIT, "guest %u has %d disks already", vmid, DISK_MAX);
}

/* The name that the caller asked for, which must be one of this guest. */
static int create_named(const struct storage_def *def, int owner_fd,
			const struct volume_alloc *what, const char *format, char ret_name[256],
			int *ret_fd, struct err *err)
{
	struct volid volume;
	autofree char *text = xasprintf("%s:%u/%s", def->id, what->vmid, what->name);
	int r = volid_parse(text, &volume, err);
	if (r < 0)
		return r;
	if (!str_eq(volume.format, format))
		return err_field(err, "filename", "the name of a %s volume ends with .%s", format,
				 format);
	int fd = create_file(owner_fd, what->name);
	if (fd < 0)
		return err_errno(err, errno, "volume '%s'", text);
	str_copy(ret_name, 256, what->name);
	*ret_fd = fd;
	return 0;
}

void dir_remove_owner(const struct storage_def *def, unsigned vmid)
{
	dir_sweep(def, vmid);
}

/* Tries again when the folder was removed between open and create. */
int dir_alloc_file(const struct storage_def *def, const struct volume_alloc *what,
		   const char *format, int *ret_owner, char ret_name[256], int *ret_fd,
		   struct err *err)
{
	for (int i = 0;; i++) {
		autofd int owner = -1;
		struct err why = ERR_INIT;
		int r = dir_open_owner(def, what->vmid, &owner, &why);
		if (r == 0)
			r = what->name
				    ? create_named(def, owner, what, format, ret_name, ret_fd, &why)
				    : create_next(owner, what->vmid, format, ret_name, ret_fd,
						  &why);
		if (r == 0) {
			*ret_owner = TAKE_FD(owner);
			return 0;
		}
		if (why.errnum == ENOENT && i < PARENT_TRY)
			continue;
		dir_remove_owner(def, what->vmid); /* it may have been made for nothing */
		if (err)
			*err = why;
		return r;
	}
}

/* size 0: it has one already */
static int set_size(int fd, int owner_fd, const char *name, uint64_t size, struct err *err)
{
	if (size && ftruncate(fd, (off_t)size) < 0)
		return err_errno(err, errno, "set the size of %s", name);
	if (fsync(fd) < 0 || fsync(owner_fd) < 0)
		return err_errno(err, errno, "sync %s", name);
	return 0;
}

/* Blocks taken now cannot be missing later. "metadata" means nothing for a raw image. */
static int preallocate(const struct storage_def *def, int fd, uint64_t size, struct err *err)
{
	const char *how = storage_def_get(def, "preallocation");
	if (!str_eq(how, "falloc") && !str_eq(how, "full"))
		return 0;
	int r = posix_fallocate(fd, 0, (off_t)size);
	return r ? err_errno(err, r, "take %llu bytes", (unsigned long long)size) : 0;
}

static int fill_file(const struct storage_def *def, const struct volume_alloc *what, int owner_fd,
		     int fd, const char *name, struct err *err)
{
	uint64_t size = (what->size + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT;
	const char *root;
	int r = dir_root(def, &root, err);
	if (r == 0 && str_eq(format_of(def, what), "qcow2")) {
		autofree char *owner = dir_owner_path(def, what->vmid);
		autofree char *path = xasprintf("%s/%s", owner, name);
		r = qcow2_make(path, size, storage_def_get(def, "preallocation"), err);
		size = 0;
	} else if (r == 0) {
		r = preallocate(def, fd, size, err);
	}
	return r < 0 ? err_prefix(err, "volume '%s'", name)
		     : set_size(fd, owner_fd, name, size, err);
}

int dir_alloc(const struct storage_def *def, const struct volume_alloc *what,
	      char ret_volid[VOLID_MAX], struct err *err)
{
	char name[256];
	autofd int owner = -1, fd = -1;
	int r = check_format(def, what, err);
	if (r == 0)
		r = dir_check_alloc(def, what, format_of(def, what), err);
	if (r == 0)
		r = dir_alloc_file(def, what, format_of(def, what), &owner, name, &fd, err);
	if (r < 0)
		return r;
	r = fill_file(def, what, owner, fd, name, err);
	if (r < 0) {
		unlinkat(owner, name, 0); /* nothing may be left of an unfinished volume */
		dir_remove_owner(def, what->vmid);
		return r;
	}
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%s", def->id, what->vmid, name);
	return 0;
}

int dir_free(const struct storage_def *def, const struct volid *volume, struct err *err)
{
	autofd int parent = -1, lock = -1;
	struct stat st;
	int r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_stat(parent, volume, &st, err);
	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: removing volumes of format 'subvol'");
	if (dir_is_guest_volume(volume) && volume_is_base(volume) &&
	    ((r = dir_lock_base(parent, volume, false, &lock, err)) < 0 ||
	     (r = dir_check_no_clones(def, volume, err)) < 0))
		return r;
	if ((r = dir_check_unprotected(parent, volume, err)) < 0)
		return r;
	if (unlinkat(parent, volume->file, 0) < 0)
		return err_errno(err, errno, "remove volume '%s:%s'", volume->storage,
				 volume->name);
	dir_attributes_drop(parent, volume);
	if (dir_is_guest_volume(volume))
		dir_remove_owner(def, volume->vmid);
	return 0;
}

/* size is one that the image does not have yet */
static int grow(const struct storage_def *def, const struct volid *volume, int parent,
		uint64_t size, struct err *err)
{
	autobuf path = BUF_INIT;
	if (str_eq(volume->format, "qcow2")) {
		int r = dir_path(def, volume, &path, err);
		return r < 0 ? r : qcow2_resize(buf_str(&path), volume, size, err);
	}
	autofd int fd = openat(parent, volume->file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open volume '%s:%s'", volume->storage, volume->name);
	return set_size(fd, parent, volume->file, size, err);
}

int dir_resize(const struct storage_def *def, const struct volid *volume, uint64_t size,
	       struct err *err)
{
	autofd int parent = -1;
	struct volume_info info;
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_RESIZE, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_volume_info(parent, volume, &info, err);
	if (r < 0)
		return r;
	if (size > (uint64_t)INT64_MAX - SIZE_UNIT)
		return err_field(err, "size", "bad size of a volume");
	size = (size + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT;
	if (size < info.size)
		return err_field(err, "size", "unable to shrink disk size");
	r = dir_check_size(def, size, err);
	return r < 0 || size == info.size ? r : grow(def, volume, parent, size, err);
}
