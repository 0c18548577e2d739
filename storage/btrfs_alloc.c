/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest volumes of the `btrfs` driver: made, grown, removed. A new subvolume gets its name when it is
 * complete. Job processes only. */
#include "storage/btrfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SIZE_UNIT 1024
#define DISK_MAX  1024

static const char *format_of(const struct storage_def *def, const struct volume_alloc *what)
{
	const char *own = storage_def_get(def, "format");
	if (what->format)
		return what->format;
	if (what->content == VOLUME_IMAGES && own && !str_eq(own, "subvol"))
		return own;
	return volume_default_format(def->type, what->content);
}

void btrfs_sweep_owner(int owner_fd)
{
	int fd = openat(owner_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (dir_temp_is_stale(entry->d_name) &&
		    btrfs_destroy(owner_fd, entry->d_name, NULL) < 0)
			unlinkat(owner_fd, entry->d_name, 0); /* a file */
	closedir(dir);
}

/* An emulator may run as a user of its own, and must pass through to its image. A container's tree holds
 * set-user-ID programs of root, which nobody on the host may reach. */
static int set_modes(const struct btrfs_new *new, enum volume_content content, struct err *err)
{
	bool is_open = content == VOLUME_IMAGES && !new->is_subvol;
	if (fchmod(new->owner, is_open ? 0711 : 0700) < 0 || fchmod(new->fd, new->is_subvol ? 0755
									     : is_open	    ? 0711
										       : 0700) < 0)
		return err_errno(err, errno, "set the mode of a volume");
	return 0;
}

static int make_subvol(struct btrfs_new *new, const struct volume_alloc *what, int source_fd,
		       struct err *err)
{
	int r = source_fd >= 0 ? btrfs_copy(new->owner, new->temp, source_fd, false, err)
			       : btrfs_subvol_create(new->owner, new->temp, err);
	if (r < 0)
		return r;
	new->fd = openat(new->owner, new->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (new->fd < 0)
		return err_errno(err, errno, "open the new volume");
	return source_fd >= 0 ? 0 : set_modes(new, what->content, err);
}

int btrfs_new_begin(const struct storage_def *def, const struct volume_alloc *what,
		    const char *format, int source_fd, struct btrfs_new *ret, struct err *err)
{
	struct btrfs_new new = {
		.owner = -1, .fd = -1, .vmid = what->vmid, .is_subvol = str_eq(format, "subvol")};
	int r = dir_check_alloc(def, what, format, err);
	if (r == 0)
		r = dir_open_owner(def, what->vmid, &new.owner, err);
	if (r < 0)
		return r;
	btrfs_sweep_owner(new.owner);
	dir_temp_name(new.temp);
	r = make_subvol(&new, what, source_fd, err);
	if (r < 0) {
		btrfs_new_abort(def, &new);
		return r;
	}
	*ret = new;
	return 0;
}

void btrfs_new_abort(const struct storage_def *def, struct btrfs_new *new)
{
	if (new->fd >= 0)
		close(new->fd);
	btrfs_destroy(new->owner, new->temp, NULL);
	close(new->owner);
	dir_remove_owner(def, new->vmid);
}

/* The subvolume's name for the file name that was asked for, which must be one of this guest. */
static int name_asked(const struct storage_def *def, const struct btrfs_new *new, const char *file,
		      char ret[256], struct err *err)
{
	struct volid volume;
	const char *format = new->is_subvol ? "subvol" : "raw";
	autofree char *text = xasprintf("%s:%u/%s", def->id, new->vmid, file);
	int r = volid_parse(text, &volume, err);
	if (r == 0)
		r = btrfs_check_name(&volume, err);
	if (r < 0)
		return r;
	bool is_tree = str_starts(file, "subvol-") || str_starts(file, "basevol-");
	if (!str_eq(volume.format, format) || is_tree != new->is_subvol)
		return err_field(err, "filename", "the name of a %s volume is %s-%u-….%s", format,
				 new->is_subvol ? "subvol" : "vm", new->vmid, format);
	btrfs_name(&volume, NULL, ret);
	return 0;
}

static int rename_new(const struct btrfs_new *new, const char *name)
{
	return renameat2(new->owner, new->temp, new->owner, name, RENAME_NOREPLACE) < 0 ? -errno
											: 0;
}

static int rename_next(const struct btrfs_new *new, char ret[256], struct err *err)
{
	for (unsigned i = 0; i < DISK_MAX; i++) {
		if (dir_disk_is_taken(new->owner, new->vmid, i))
			continue;
		snprintf(ret, 256, "%s-%u-disk-%u", new->is_subvol ? "subvol" : "vm", new->vmid, i);
		int r = rename_new(new, ret);
		if (r == 0)
			return 0;
		if (r != -EEXIST)
			return err_errno(err, -r, "name volume %s", ret);
	}
	return err_set(err, ERR_LIMIT, "guest %u has %d disks already", new->vmid, DISK_MAX);
}

int btrfs_new_commit(const struct storage_def *def, struct btrfs_new *new, const char *name,
		     char ret_volid[VOLID_MAX], struct err *err)
{
	char chosen[256];
	int r = btrfs_sync(new->fd, err);
	if (r == 0 && name) {
		r = name_asked(def, new, name, chosen, err);
		if (r == 0 && (r = rename_new(new, chosen)) < 0)
			r = err_errno(err, -r, "volume '%s:%u/%s'", def->id, new->vmid, name);
	} else if (r == 0) {
		r = rename_next(new, chosen, err);
	}
	if (r == 0)
		r = btrfs_sync(new->fd, err);
	if (r < 0) {
		btrfs_new_abort(def, new);
		return r;
	}
	close(new->fd);
	close(new->owner);
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%.200s.%s", def->id, new->vmid, chosen,
		 new->is_subvol ? "subvol" : "raw");
	return 0;
}

static int make_image(const struct storage_def *def, const struct btrfs_new *new, uint64_t size,
		      struct err *err)
{
	bool is_nocow = false;
	const char *how = storage_def_get(def, "preallocation");
	str_to_bool(storage_def_get(def, "nocow"), &is_nocow);
	int r = is_nocow ? btrfs_set_nocow(new->fd, err) : 0;
	if (r < 0)
		return r;
	size = (size + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT;
	autofd int fd = openat(new->fd, BTRFS_IMAGE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return err_errno(err, errno, "make the volume's image");
	if (str_eq(how, "falloc") || str_eq(how, "full"))
		r = -posix_fallocate(fd, 0, (off_t)size);
	return r < 0 ? err_errno(err, -r, "take %llu bytes", (unsigned long long)size) : 0;
}

int btrfs_alloc(const struct storage_def *def, const struct volume_alloc *what,
		char ret_volid[VOLID_MAX], struct err *err)
{
	struct btrfs_new new;
	const char *format = format_of(def, what);
	bool is_subvol = str_eq(format, "subvol");
	if (!str_eq(format, "raw") && !is_subvol)
		return dir_alloc(def, what, ret_volid, err);
	if (is_subvol && what->content != VOLUME_ROOTDIR)
		return err_field(err, "format",
				 "machines have no use for volumes of format "
				 "'subvol'");
	int r = btrfs_new_begin(def, what, format, -1, &new, err);
	if (r < 0)
		return r;
	if (is_subvol)
		r = what->size ? btrfs_limit_set(new.fd, what->size, err) : 0;
	else
		r = make_image(def, &new, what->size, err);
	if (r < 0) {
		btrfs_new_abort(def, &new);
		return r;
	}
	return btrfs_new_commit(def, &new, what->name, ret_volid, err);
}

/* Snapshots first: what is left after a failure is still a volume. */
/* What was on its way when its process was killed has no other name than this volume's owner. */
static void sweep_absent(const struct storage_def *def, const struct volid *volume)
{
	autofd int parent = -1;
	if (dir_open_parent(def, volume, &parent, NULL) < 0)
		return;
	btrfs_sweep_owner(parent);
	dir_remove_owner(def, volume->vmid);
}

int btrfs_free(const struct storage_def *def, const struct volid *volume, struct err *err)
{
	char name[256];
	autofd int parent = -1, fd = -1;
	autofields names = FIELDS_INIT;
	if (!btrfs_is_own(volume))
		return dir_free(def, volume, err);
	int r = btrfs_open(def, volume, NULL, &parent, &fd, err);
	if (r == 0)
		r = btrfs_snapshot_names(def, volume, &names, err);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = btrfs_snapshot_delete(def, volume, names.items[i].name, err);
	if (r == -ERR_NOT_FOUND)
		sweep_absent(def, volume);
	if (r < 0)
		return r;
	btrfs_name(volume, NULL, name);
	r = btrfs_destroy(parent, name, err);
	if (r == 0) {
		btrfs_sweep_owner(parent);
		dir_remove_owner(def, volume->vmid);
	}
	return r;
}

static int grow_image(const struct storage_def *def, int fd, uint64_t size, struct err *err)
{
	struct stat st;
	autofd int image = openat(fd, BTRFS_IMAGE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (image < 0 || fstat(image, &st) < 0)
		return err_errno(err, errno, "open the volume's image");
	if (size == 0 || size > (uint64_t)INT64_MAX - SIZE_UNIT)
		return err_field(err, "size", "bad size of a volume");
	size = (size + SIZE_UNIT - 1) / SIZE_UNIT * SIZE_UNIT;
	if (size < (uint64_t)st.st_size)
		return err_field(err, "size", "unable to shrink disk size");
	int r = dir_check_size(def, size, err);
	if (r == 0 && (ftruncate(image, (off_t)size) < 0 || fsync(image) < 0))
		r = err_errno(err, errno, "grow the volume");
	return r;
}

int btrfs_resize(const struct storage_def *def, const struct volid *volume, uint64_t size,
		 struct err *err)
{
	autofd int parent = -1, fd = -1;
	if (!btrfs_is_own(volume))
		return dir_resize(def, volume, size, err);
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_RESIZE, err);
	if (r == 0)
		r = btrfs_open(def, volume, NULL, &parent, &fd, err);
	if (r < 0)
		return r;
	if (str_eq(volume->format, "raw"))
		return grow_image(def, fd, size, err);
	r = size ? dir_check_size(def, size, err) : 0;
	if (r == 0)
		r = btrfs_limit_set(fd, size, err);
	return r;
}
