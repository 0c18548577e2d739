/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `dir` driver: a folder on a mounted file system. Its table, activation and capacity. Job and
 * helper processes only: every call may hang with the file system. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

/* A key that is on unless it says no. */
static bool key_is_on(const struct storage_def *def, const char *key)
{
	bool on = true;
	const char *text = storage_def_get(def, key);
	if (text)
		str_to_bool(text, &on);
	return on;
}

static bool is_mount_point(const char *path)
{
	struct stat here, above;
	autofree char *parent = xasprintf("%s/..", path);
	return stat(path, &here) == 0 && stat(parent, &above) == 0 &&
	       (here.st_dev != above.st_dev || here.st_ino == above.st_ino);
}

/* is_mountpoint: "yes", or the mount point's own path. Without this check a storage whose disk is
 * absent would silently fill the root file system. */
static int check_mounted(const struct storage_def *def, const char *root, struct err *err)
{
	const char *text = storage_def_get(def, "is_mountpoint");
	bool on = false;
	if (str_is_empty(text))
		return 0;
	const char *point = root;
	if (text[0] == '/')
		point = text;
	else if (!str_to_bool(text, &on))
		return err_field(err, "is_mountpoint",
				 "storage '%s': is_mountpoint is yes, no or a path", def->id);
	else if (!on)
		return 0;
	if (!is_mount_point(point))
		return err_set(err, ERR_UNAVAILABLE, "storage '%s': nothing is mounted on %s",
			       def->id, point);
	return 0;
}

static int make_folders(const struct storage_def *def, struct err *err)
{
	for (size_t i = 0; i < dir_folders_count; i++) {
		if (!dir_folder_is_used(def, &dir_folders[i]))
			continue;
		int r = dir_make_folder(def, &dir_folders[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int dir_activate(const struct storage_def *def, struct err *err)
{
	const char *root;
	struct stat st;
	bool is_mkdir = key_is_on(def, "mkdir");
	int r = dir_root(def, &root, err);
	if (r == 0)
		r = check_mounted(def, root, err);
	if (r == 0 && is_mkdir && key_is_on(def, "create-base-path"))
		r = dir_make(root, 0755, err);
	if (r < 0)
		return r;
	if (stat(root, &st) < 0)
		return err_errno(err, errno, "storage '%s': %s", def->id, root);
	if (!S_ISDIR(st.st_mode))
		return err_field(err, "path", "storage '%s': %s is not a folder", def->id, root);
	if (is_mkdir && key_is_on(def, "create-subdirs"))
		r = make_folders(def, err);
	if (r == 0)
		dir_import_sweep(def);
	return r;
}

int dir_status(const struct storage_def *def, struct storage_space *ret, struct err *err)
{
	const char *root;
	struct statvfs fs;
	int r = dir_root(def, &root, err);
	if (r == 0)
		r = check_mounted(def, root, err);
	if (r < 0)
		return r;
	if (statvfs(root, &fs) < 0)
		return err_errno(err, errno, "storage '%s': %s", def->id, root);
	*ret = (struct storage_space){
		.total = (uint64_t)fs.f_blocks * fs.f_frsize,
		.used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize,
		.available = (uint64_t)fs.f_bavail * fs.f_frsize,
	};
	return 0;
}

int dir_check_size(const struct storage_def *def, uint64_t size, struct err *err)
{
	struct storage_space space;
	int r = dir_status(def, &space, err);
	if (r < 0)
		return r;
	if (space.total > 0 && size > space.total) /* some FUSE file systems tell nothing */
		return err_set(err, ERR_NO_SPACE,
			       "storage '%s' holds %llu bytes in all, the volume wants %llu",
			       def->id, (unsigned long long)space.total, (unsigned long long)size);
	return 0;
}

int dir_path(const struct storage_def *def, const struct volid *volume, struct buf *ret,
	     struct err *err)
{
	const char *root;
	autobuf relative = BUF_INIT;
	int r = dir_root(def, &root, err);
	if (r == 0)
		r = dir_check_folder(def, volume->content, err);
	if (r == 0)
		r = dir_relative(def, volume, &relative, err);
	if (r == 0)
		buf_addf(ret, "%s/%s", root, buf_str(&relative));
	return r;
}

int dir_info(const struct storage_def *def, const struct volid *volume, struct volume_info *ret,
	     struct err *err)
{
	autofd int parent = -1;
	int r = dir_open_parent(def, volume, &parent, err);
	return r < 0 ? r : dir_volume_info(parent, volume, ret, err);
}

int dir_renamed(const struct storage_def *def, const struct volid *volume, const char *file,
		struct volid *ret, struct err *err)
{
	autofree char *text = xasprintf("%s:%u/%s", def->id, volume->vmid, file);
	int r = volid_parse(text, ret, err);
	if (r == 0 && !str_eq(ret->format, volume->format))
		r = err_field(err, "filename", "the name of a %s volume ends with .%s",
			      volume->format, volume->format);
	return r;
}

int dir_rename(const struct storage_def *def, const struct volid *volume, const char *file,
	       char ret_volid[VOLID_MAX], struct err *err)
{
	struct volid to;
	autofd int parent = -1;
	int r = dir_renamed(def, volume, file, &to, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r < 0)
		return r;
	r = dir_rename_absent(parent, volume->file, to.file);
	if (r < 0)
		return err_errno(err, -r, "volume '%s:%.200s'", def->id, to.name);
	if (fsync(parent) < 0)
		return err_errno(err, errno, "sync the folder of '%s'", to.file);
	snprintf(ret_volid, VOLID_MAX, "%.100s:%.400s", def->id, to.name);
	return 0;
}

const struct storage_driver storage_driver_dir = {
	.type = "dir",
	.activate = dir_activate,
	.status = dir_status,
	.list = dir_list,
	.alloc = dir_alloc,
	.free = dir_free,
	.path = dir_path,
	.rename = dir_rename,
	.sweep = dir_sweep,
	.resize = dir_resize,
	.info = dir_info,
	.snapshot = dir_snapshot,
	.snapshot_delete = dir_snapshot_delete,
	.rollback = dir_rollback,
	.snapshots = dir_snapshots,
	.snapshot_path = dir_snapshot_path,
	.clone = dir_clone,
	.to_base = dir_to_base,
	.export = dir_export,
	.import = dir_import,
	.notes = dir_notes,
	.set_attributes = dir_set_attributes,
	.import_begin = dir_import_begin,
	.import_commit = dir_import_commit,
	.import_abort = dir_import_abort,
};
