/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `btrfs` driver: its table, activation, names and listing. Job and helper processes only. */
#include "storage/btrfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LIST_MAX   200000
#define NAME_BYTES 200 /* with "@SNAPSHOT" it must fit */

bool btrfs_is_own(const struct volid *volume)
{
	return dir_is_guest_volume(volume) &&
	       (str_eq(volume->format, "raw") || str_eq(volume->format, "subvol"));
}

void btrfs_name(const struct volid *volume, const char *snapshot, char ret[256])
{
	const char *dot = strrchr(volume->file, '.');
	int size = dot ? (int)(dot - volume->file) : (int)strlen(volume->file);
	snprintf(ret, 256, "%.*s%s%s", size > 200 ? 200 : size, volume->file, snapshot ? "@" : "",
		 snapshot ? snapshot : "");
}

/* One name for each subvolume: no other suffix, nothing that a snapshot is called, nothing that is cut. */
static bool name_is_own(const struct volid *volume)
{
	bool is_tree = str_starts(volume->file, "subvol-") || str_starts(volume->file, "basevol-");
	const char *suffix = is_tree ? ".subvol" : ".raw";
	return str_ends(volume->file, suffix) && !strchr(volume->file, '@') &&
	       strlen(volume->file) <= NAME_BYTES;
}

int btrfs_check_name(const struct volid *volume, struct err *err)
{
	if (btrfs_is_own(volume) && !name_is_own(volume))
		return err_field(
			err, "volume",
			"'%s:%.200s' is not the name of a volume on a storage of type 'btrfs'",
			volume->storage, volume->name);
	return 0;
}

static int activate(const struct storage_def *def, struct err *err)
{
	const char *root;
	struct statfs fs;
	int r = dir_activate(def, err);
	if (r == 0)
		r = dir_root(def, &root, err);
	if (r < 0)
		return r;
	if (statfs(root, &fs) < 0)
		return err_errno(err, errno, "storage '%s': %s", def->id, root);
	if ((unsigned long)fs.f_type != BTRFS_SUPER_MAGIC)
		return err_field(err, "path", "storage '%s': %s is not on a btrfs file system",
				 def->id, root);
	return 0;
}

static int not_found(const struct volid *volume, const char *snapshot, struct err *err)
{
	if (snapshot)
		return err_set(err, ERR_NOT_FOUND, "volume '%s:%.200s' has no snapshot '%s'",
			       volume->storage, volume->name, snapshot);
	return err_set(err, ERR_NOT_FOUND, "volume '%s:%.200s' does not exist", volume->storage,
		       volume->name);
}

int btrfs_open(const struct storage_def *def, const struct volid *volume, const char *snapshot,
	       int *ret_parent, int *ret_fd, struct err *err)
{
	char name[256];
	autofd int parent = -1, fd = -1;
	int r = btrfs_check_name(volume, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r < 0)
		return r;
	btrfs_name(volume, snapshot, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_errno(err, errno, "volume '%s:%s'", volume->storage, volume->name);
	if (fd < 0 || !btrfs_is_subvol(fd))
		return not_found(volume, snapshot, err);
	*ret_parent = TAKE_FD(parent);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int own_path(const struct storage_def *def, const struct volid *volume, const char *snapshot,
		    struct buf *ret, struct err *err)
{
	const char *root;
	char name[256];
	int r = btrfs_check_name(volume, err);
	if (r == 0)
		r = dir_root(def, &root, err);
	if (r == 0)
		r = dir_check_folder(def, VOLUME_IMAGES, err);
	if (r < 0)
		return r;
	btrfs_name(volume, snapshot, name);
	autofree char *owner = dir_owner_path(def, volume->vmid);
	buf_addf(ret, "%s/%s%s", owner, name, str_eq(volume->format, "raw") ? "/" BTRFS_IMAGE : "");
	return 0;
}

static int path(const struct storage_def *def, const struct volid *volume, struct buf *ret,
		struct err *err)
{
	return btrfs_is_own(volume) ? own_path(def, volume, NULL, ret, err)
				    : dir_path(def, volume, ret, err);
}

static int snapshot_path(const struct storage_def *def, const struct volid *volume,
			 const char *name, struct buf *ret, struct err *err)
{
	if (!btrfs_is_own(volume))
		return dir_snapshot_path(def, volume, name, ret, err);
	int r = volume_snapshot_name_check(name, err);
	return r < 0 ? r : own_path(def, volume, name, ret, err);
}

static int image_info(int fd, struct volume_info *info)
{
	struct stat st;
	if (fstatat(fd, BTRFS_IMAGE, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return -ERR_NOT_FOUND;
	info->size = (uint64_t)st.st_size;
	info->used = (uint64_t)st.st_blocks * 512;
	return 0;
}

static int own_info(const struct storage_def *def, const struct volid *volume,
		    struct volume_info *ret, struct err *err)
{
	struct volume_info info = {.vmid = volume->vmid};
	autofd int parent = -1, fd = -1;
	struct stat st;
	int r = btrfs_open(def, volume, NULL, &parent, &fd, err);
	if (r < 0)
		return r;
	snprintf(info.volid, sizeof(info.volid), "%.100s:%.400s", volume->storage, volume->name);
	str_copy(info.format, sizeof(info.format), volume->format);
	str_copy(info.content, sizeof(info.content), volume_content_name(volume->content));
	if (str_eq(volume->format, "raw") && image_info(fd, &info) < 0)
		return not_found(volume, NULL, err);
	if (str_eq(volume->format, "subvol")) {
		info.size = btrfs_limit_get(fd);
		info.used = btrfs_used_get(fd);
	}
	if (fstat(fd, &st) == 0 && st.st_ctim.tv_sec > 0)
		info.ctime = (uint64_t)st.st_ctim.tv_sec;
	*ret = info;
	return 0;
}

int btrfs_info(const struct storage_def *def, const struct volid *volume, struct volume_info *ret,
	       struct err *err)
{
	return btrfs_is_own(volume) ? own_info(def, volume, ret, err)
				    : dir_info(def, volume, ret, err);
}

struct listing {
	const struct storage_def *def;
	volume_each_fn each;
	void *ctx;
	size_t seen;
};

/* What `dir` finds; raw files of its kind are no volumes here. */
static int list_other(const struct volume_info *info, void *ctx)
{
	struct listing *l = ctx;
	struct volid volume;
	if (volid_parse(info->volid, &volume, NULL) < 0 || btrfs_is_own(&volume))
		return 0;
	return l->each(info, l->ctx);
}

static int list_subvol(struct listing *l, const char *owner, const char *name)
{
	char text[VOLID_MAX];
	struct volid volume;
	struct volume_info info;
	bool is_tree = str_starts(name, "subvol-") || str_starts(name, "basevol-");
	int size = snprintf(text, sizeof(text), "%s:%s/%s.%s", l->def->id, owner, name,
			    is_tree ? "subvol" : "raw");
	if (strchr(name, '@') || size >= (int)sizeof(text) ||
	    volid_parse(text, &volume, NULL) < 0 || own_info(l->def, &volume, &info, NULL) < 0)
		return 0;
	return l->each(&info, l->ctx);
}

static int list_owner(struct listing *l, int images, const char *owner, struct err *err)
{
	int r = 0, fd = openat(images, owner, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		if (++l->seen > LIST_MAX)
			r = err_set(err, ERR_LIMIT, "storage '%s' holds more than %d files",
				    l->def->id, LIST_MAX);
		else if (entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
			 !volume_copy_owner(entry->d_name))
			r = list_subvol(l, owner, entry->d_name);
	}
	closedir(dir);
	return r;
}

static int list_owners(struct listing *l, struct err *err)
{
	int fd, r = dir_open_folder(l->def, VOLUME_IMAGES, &fd, NULL);
	if (r == -ERR_NOT_FOUND)
		return 0;
	DIR *dir = r < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(err, ERR_IO, "list storage '%s'", l->def->id);
	r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		uint64_t vmid;
		if (str_to_u64(entry->d_name, &vmid))
			r = list_owner(l, dirfd(dir), entry->d_name, err);
	}
	closedir(dir);
	return r;
}

int btrfs_list(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err)
{
	struct listing l = {.def = def, .each = each, .ctx = ctx};
	int r = dir_list(def, list_other, &l, err);
	bool has_guests =
		storage_def_has_content(def, "images") || storage_def_has_content(def, "rootdir");
	return r < 0 || !has_guests ? r : list_owners(&l, err);
}

static int rename_own(const struct storage_def *def, const struct volid *volume, const char *file,
		      char ret_volid[VOLID_MAX], struct err *err)
{
	char from[256], name[256];
	struct volid to;
	autofd int parent = -1;
	if (!btrfs_is_own(volume))
		return dir_rename(def, volume, file, ret_volid, err);
	int r = dir_renamed(def, volume, file, &to, err);
	if (r == 0)
		r = btrfs_check_name(&to, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r < 0)
		return r;
	btrfs_name(volume, NULL, from);
	btrfs_name(&to, NULL, name);
	if (renameat2(parent, from, parent, name, RENAME_NOREPLACE) < 0)
		return err_errno(err, errno, "volume '%s:%.200s'", def->id, to.name);
	snprintf(ret_volid, VOLID_MAX, "%.100s:%.400s", def->id, to.name);
	return btrfs_sync(parent, err);
}

void btrfs_sweep(const struct storage_def *def, unsigned vmid)
{
	int fd = -1;
	if (dir_open_owner(def, vmid, &fd, NULL) < 0)
		return;
	btrfs_sweep_owner(fd);
	close(fd);
	dir_remove_owner(def, vmid);
}

const struct storage_driver storage_driver_btrfs = {
	.type = "btrfs",
	.activate = activate,
	.status = dir_status,
	.list = btrfs_list,
	.alloc = btrfs_alloc,
	.free = btrfs_free,
	.path = path,
	.resize = btrfs_resize,
	.info = btrfs_info,
	.snapshot = btrfs_snapshot,
	.snapshot_delete = btrfs_snapshot_delete,
	.rollback = btrfs_rollback,
	.snapshots = btrfs_snapshots,
	.snapshot_path = snapshot_path,
	.clone = btrfs_clone,
	.to_base = btrfs_to_base,
	.export = btrfs_export,
	.import = btrfs_import,
	.rename = rename_own,
	.sweep = btrfs_sweep,
	.import_begin = dir_import_begin,
	.import_commit = dir_import_commit,
	.import_abort = dir_import_abort,
	.notes = dir_notes,
	.set_attributes = dir_set_attributes,
};
