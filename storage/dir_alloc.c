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

static const char *format_of(const struct volume_alloc *what)
{
	return what->format ? what->format : "raw";
}

static int check_alloc(const struct storage_def *def, const struct volume_alloc *what,
		       struct err *err)
{
	const char *content = volume_content_name(what->content);
	if (what->content != VOLUME_IMAGES && what->content != VOLUME_ROOTDIR)
		return err_field(err, "content", "volumes of content '%s' are not allocated",
				 content);
	if (!storage_def_has_content(def, content))
		return err_field(err, "storage", "storage '%s' does not support content type '%s'",
				 def->id, content);
	if (!str_eq(format_of(what), "raw") &&
	    !(what->content == VOLUME_IMAGES && str_eq(format_of(what), "qcow2")))
		return err_set(
			err, ERR_UNSUPPORTED,
			"feature not available: volumes of format '%s' on a storage of type 'dir'",
			what->format);
	if (what->vmid < 100 || what->vmid > 999999999)
		return err_field(err, "vmid", "guest ids go from 100 to 999999999");
	if (what->size == 0 || what->size > (uint64_t)INT64_MAX - SIZE_UNIT)
		return err_field(err, "size", "bad size of a volume");
	return dir_check_size(def, what->size, err);
}

/* The folder of one guest, made if needed. */
static int open_owner(const struct storage_def *def, unsigned vmid, int *ret_fd, struct err *err)
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

/* A disk number is taken if a volume of any format has it. */
static bool disk_is_taken(int owner_fd, unsigned vmid, unsigned number)
{
	static const char *const forms[][2] = {{"vm", "raw"},	  {"vm", "qcow2"},
					       {"vm", "vmdk"},	  {"base", "raw"},
					       {"base", "qcow2"}, {"subvol", "subvol"}};
	char name[64];
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		snprintf(name, sizeof(name), "%s-%u-disk-%u.%s", forms[i][0], vmid, number,
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
		if (disk_is_taken(owner_fd, vmid, i))
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
			const struct volume_alloc *what, char ret_name[256], int *ret_fd,
			struct err *err)
{
	struct volid volume;
	autofree char *text = xasprintf("%s:%u/%s", def->id, what->vmid, what->name);
	int r = volid_parse(text, &volume, err);
	if (r < 0)
		return r;
	if (!str_eq(volume.format, format_of(what)))
		return err_field(err, "filename", "the name of a %s volume ends with .%s",
				 format_of(what), format_of(what));
	int fd = create_file(owner_fd, what->name);
	if (fd < 0)
		return err_errno(err, errno, "volume '%s'", text);
	str_copy(ret_name, 256, what->name);
	*ret_fd = fd;
	return 0;
}

/* The folder of a guest goes with its last volume; while something is left in it this fails. */
static void remove_owner(const struct storage_def *def, unsigned vmid)
{
	autofd int images = -1;
	autofree char *owner = xasprintf("%u", vmid);
	if (dir_open_folder(def, VOLUME_IMAGES, &images, NULL) == 0)
		unlinkat(images, owner, AT_REMOVEDIR);
}

/* Tries again when the folder was removed between open and create. */
static int create_volume(const struct storage_def *def, const struct volume_alloc *what,
			 int *ret_owner, char ret_name[256], int *ret_fd, struct err *err)
{
	for (int i = 0;; i++) {
		autofd int owner = -1;
		struct err why = ERR_INIT;
		int r = open_owner(def, what->vmid, &owner, &why);
		if (r == 0)
			r = what->name ? create_named(def, owner, what, ret_name, ret_fd, &why)
				       : create_next(owner, what->vmid, format_of(what), ret_name,
						     ret_fd, &why);
		if (r == 0) {
			*ret_owner = TAKE_FD(owner);
			return 0;
		}
		if (why.errnum == ENOENT && i < PARENT_TRY)
			continue;
		remove_owner(def, what->vmid); /* it may have been made for nothing */
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

int dir_alloc(const struct storage_def *def, const struct volume_alloc *what,
	      char ret_volid[VOLID_MAX], struct err *err)
{
	char name[256];
	autofd int owner = -1, fd = -1;
	int r = check_alloc(def, what, err);
	if (r == 0)
		r = create_volume(def, what, &owner, name, &fd, err);
	if (r < 0)
		return r;
	uint64_t size = (what->size + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT;
	if (str_eq(format_of(what), "qcow2"))
		r = dir_qcow2_make(def, what->vmid, name, size, err);
	r = r < 0 ? r : set_size(fd, owner, name, str_eq(format_of(what), "raw") ? size : 0, err);
	if (r < 0) {
		unlinkat(owner, name, 0); /* nothing may be left of an unfinished volume */
		remove_owner(def, what->vmid);
		return r;
	}
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%s", def->id, what->vmid, name);
	return 0;
}

int dir_free(const struct storage_def *def, const struct volid *volume, struct err *err)
{
	autofd int parent = -1;
	struct stat st;
	int r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_stat(parent, volume, &st, err);
	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: removing volumes of format 'subvol'");
	if (unlinkat(parent, volume->file, 0) < 0)
		return err_errno(err, errno, "remove volume '%s:%s'", volume->storage,
				 volume->name);
	if (volume->vmid && volume->content != VOLUME_BACKUP)
		remove_owner(def, volume->vmid);
	return 0;
}

int dir_resize(const struct storage_def *def, const struct volid *volume, uint64_t size,
	       struct err *err)
{
	autofd int parent = -1, fd = -1;
	struct stat st;
	if (!str_eq(volume->format, "raw") || volume->content == VOLUME_IMPORT)
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: resizing volumes of format '%s'",
			       volume->format);
	int r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_stat(parent, volume, &st, err);
	if (r < 0)
		return r;
	if (size < (uint64_t)st.st_size)
		return err_field(err, "size", "unable to shrink disk size");
	if (size > (uint64_t)INT64_MAX - SIZE_UNIT)
		return err_field(err, "size", "bad size of a volume");
	r = dir_check_size(def, size, err);
	if (r < 0)
		return r;
	fd = openat(parent, volume->file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open volume '%s:%s'", volume->storage, volume->name);
	return set_size(fd, parent, volume->file, (size + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT,
			err);
}
