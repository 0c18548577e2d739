/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots, rollback and clones of the `btrfs` driver: each a snapshot of a subvolume. Job processes
 * only. */
#include "storage/btrfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SNAPSHOTS_MAX 4096

static int check(const struct storage_def *def, const struct volid *volume, const char *name,
		 struct err *err)
{
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_SNAPSHOT, err);
	return r < 0 ? r : volume_snapshot_name_check(name, err);
}

/* It has several parts where the guest made subvolumes of its own: it gets its name when it is complete. */
static int make_snapshot(int parent, int source, const char *file, struct err *err)
{
	char temp[256];
	dir_temp_name(temp);
	int r = btrfs_copy(parent, temp, source, true, err);
	if (r == 0 && renameat2(parent, temp, parent, file, RENAME_NOREPLACE) < 0) {
		r = err_errno(err, errno, "make snapshot '%s'", file);
		btrfs_destroy(parent, temp, NULL);
	}
	return r;
}

int btrfs_snapshot(const struct storage_def *def, const struct volid *volume, const char *name,
		   struct err *err)
{
	char file[256];
	autofd int parent = -1, fd = -1;
	if (!btrfs_is_own(volume))
		return dir_snapshot(def, volume, name, err);
	int r = check(def, volume, name, err);
	if (r == 0)
		r = btrfs_open(def, volume, NULL, &parent, &fd, err);
	if (r < 0)
		return r;
	btrfs_name(volume, name, file);
	btrfs_sweep_owner(parent);
	r = make_snapshot(parent, fd, file, err);
	return r < 0 ? r : btrfs_sync(parent, err);
}

int btrfs_snapshot_delete(const struct storage_def *def, const struct volid *volume,
			  const char *name, struct err *err)
{
	char file[256];
	autofd int parent = -1, fd = -1;
	struct err why = ERR_INIT;
	if (!btrfs_is_own(volume))
		return dir_snapshot_delete(def, volume, name, err);
	int r = volume_snapshot_name_check(name, err);
	if (r < 0)
		return r;
	r = btrfs_open(def, volume, name, &parent, &fd, &why);
	if (r ==
	    -ERR_NOT_FOUND) { /* what a job that died began may be there under a name of its own */
		btrfs_sweep(def, volume->vmid);
		return 0;
	}
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	btrfs_name(volume, name, file);
	r = btrfs_destroy(parent, file, err);
	return r < 0 ? r : btrfs_sync(parent, err);
}

/* A writable copy of the snapshot takes the volume's place in one step; what was there goes. */
static int put_in_place(int parent, const char *file, int source, struct err *err)
{
	char temp[256];
	dir_temp_name(temp);
	int r = btrfs_copy(parent, temp, source, false, err);
	if (r < 0)
		return r;
	autofd int copy = openat(parent, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = copy < 0 ? err_errno(err, errno, "open the copy of the snapshot")
		     : btrfs_limit_restore(copy, err);
	if (r == 0)
		r = btrfs_sync(copy, err);
	if (r == 0 && renameat2(parent, temp, parent, file, RENAME_EXCHANGE) < 0)
		r = err_errno(err, errno, "put the snapshot in the place of '%s'", file);
	/* now the old state, or the copy that could not take its place */
	if (btrfs_destroy(parent, temp, r < 0 ? NULL : err) < 0 && r == 0)
		r = err_prefix(err, "rolled back, but the state before is left in '%s'", temp);
	return r;
}

int btrfs_rollback(const struct storage_def *def, const struct volid *volume, const char *name,
		   struct err *err)
{
	char file[256];
	autofd int parent = -1, source = -1, folder = -1, now = -1;
	if (!btrfs_is_own(volume))
		return dir_rollback(def, volume, name, err);
	int r = check(def, volume, name, err);
	if (r == 0)
		r = btrfs_open(def, volume, name, &parent, &source, err);
	if (r == 0)
		r = btrfs_open(def, volume, NULL, &folder, &now, err);
	if (r < 0)
		return r;
	btrfs_name(volume, NULL, file);
	btrfs_sweep_owner(parent);
	r = put_in_place(parent, file, source, err);
	return r < 0 ? r : btrfs_sync(parent, err);
}

struct found {
	char *name;
	uint64_t ctime, generation;
};

struct found_list {
	struct found *items;
	size_t count;
};

static void found_list_fini(struct found_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
}

/* Order and time of a snapshot are the subvolume's own: its files are as old as what it shows. */
static int add_found(struct found_list *list, int parent, const char *file, const char *name)
{
	struct btrfs_ioctl_get_subvol_info_args info = {0};
	autofd int fd = openat(parent, file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !btrfs_is_subvol(fd) || list->count >= SNAPSHOTS_MAX)
		return 0;
	(void)ioctl(fd, BTRFS_IOC_GET_SUBVOL_INFO, &info);
	list->items = xrealloc(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = (struct found){
		.name = xstrdup(name), .ctime = info.otime.sec, .generation = info.otransid};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int collect(int parent, const struct volid *volume, struct found_list *ret, struct err *err)
{
	char prefix[256];
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int r = err_errno(err, errno, "list snapshots");
		if (fd >= 0)
			close(fd);
		return r;
	}
	btrfs_name(volume, "", prefix);
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = str_after(entry->d_name, prefix);
		if (name && volume_snapshot_name_check(name, NULL) == 0)
			add_found(ret, parent, entry->d_name, name);
	}
	closedir(dir);
	if (ret->count > 0)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare);
	return 0;
}

int btrfs_snapshots(const struct storage_def *def, const struct volid *volume,
		    snapshot_each_fn each, void *ctx, struct err *err)
{
	struct found_list list = {0};
	autofd int parent = -1, fd = -1;
	if (!btrfs_is_own(volume))
		return dir_snapshots(def, volume, each, ctx, err);
	int r = btrfs_open(def, volume, NULL, &parent, &fd, err);
	if (r == 0)
		r = collect(parent, volume, &list, err);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = each(list.items[i].name, list.items[i].ctime, ctx);
	found_list_fini(&list);
	return r;
}

static int add_name(const char *name, uint64_t ctime, void *ctx)
{
	(void)ctime;
	fields_add(ctx, name, "");
	return 0;
}

int btrfs_snapshot_names(const struct storage_def *def, const struct volid *volume,
			 struct fields *ret, struct err *err)
{
	return btrfs_snapshots(def, volume, add_name, ret, err);
}

int btrfs_clone(const struct storage_def *def, const struct volid *volume, const char *snapshot,
		const struct volume_alloc *as, char ret_volid[VOLID_MAX], struct err *err)
{
	autofd int parent = -1, source = -1;
	struct volume_alloc what = *as;
	struct volume_info info;
	struct btrfs_new new;
	if (!btrfs_is_own(volume))
		return dir_clone(def, volume, snapshot, as, ret_volid, err);
	int r = volume_feature_check(def->type, volume, snapshot, VOLUME_CLONE, err);
	if (r == 0 && snapshot)
		r = volume_snapshot_name_check(snapshot, err);
	if (r == 0)
		r = btrfs_open(def, volume, snapshot, &parent, &source, err);
	if (r == 0)
		r = btrfs_info(def, volume, &info, err);
	if (r < 0)
		return r;
	what.size = info.size;
	r = btrfs_new_begin(def, &what, volume->format, source, &new, err);
	if (r < 0)
		return r;
	r = btrfs_limit_restore(new.fd, err);
	if (r < 0) {
		btrfs_new_abort(def, &new);
		return r;
	}
	return btrfs_new_commit(def, &new, as->name, ret_volid, err);
}

int btrfs_to_base(const struct storage_def *def, const struct volid *volume,
		  char ret_volid[VOLID_MAX], struct err *err)
{
	char from[256], base[256], to[256];
	struct volid renamed = *volume;
	autofd int parent = -1, fd = -1;
	size_t count = 0;
	if (!btrfs_is_own(volume) || volume_is_base(volume))
		return dir_to_base(def, volume, ret_volid, err);
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_TEMPLATE, err);
	if (r == 0)
		r = btrfs_open(def, volume, NULL, &parent, &fd, err);
	if (r == 0)
		r = btrfs_snapshots(def, volume, dir_count_snapshot, &count, err);
	if (r == 0 && count > 0)
		r = err_set(err, ERR_BUSY, "volume '%s:%.200s' has snapshots", volume->storage,
			    volume->name);
	dir_base_name(volume, base);
	str_copy(renamed.file, sizeof(renamed.file), base);
	if (r == 0)
		r = btrfs_check_name(&renamed, err);
	if (r < 0)
		return r;
	btrfs_name(volume, NULL, from);
	snprintf(to, sizeof(to), "%.*s", (int)(strrchr(base, '.') - base), base);
	r = btrfs_subvol_set_read_only(fd, true, err);
	if (r < 0)
		return r;
	if (renameat2(parent, from, parent, to, RENAME_NOREPLACE) < 0) {
		r = err_errno(err, errno, "rename '%s' to '%s'", from, to);
		btrfs_subvol_set_read_only(fd, false, NULL);
		return r;
	}
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%.200s", volume->storage, volume->vmid, base);
	return btrfs_sync(parent, err);
}
