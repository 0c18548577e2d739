/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of the `btrfs` driver, private to storage/. Folders are those of `dir`; a guest's volume is a
 * subvolume of its own, so that it can be snapshot and cloned:
 *
 *   images/101/vm-101-disk-0/disk.raw   101/vm-101-disk-0.raw
 *   images/101/subvol-101-disk-1/       101/subvol-101-disk-1.subvol
 *   images/101/NAME@SNAPSHOT            read-only, beside it
 *   images/101/.lodge-TEXT              on its way in or out; swept
 *
 * qcow2 images and everything else is `dir`'s business. */
#pragma once

#include <stdbool.h>

#include "storage/dir.h"

#define BTRFS_IMAGE "disk.raw"

/* Is the volume a subvolume (raw or subvol of a guest)? */
bool btrfs_is_own(const struct volid *volume);
/* Two names never mean one subvolume, and none means a snapshot. */
int btrfs_check_name(const struct volid *volume, struct err *err);
/* "vm-101-disk-0", or "vm-101-disk-0@SNAPSHOT" */
void btrfs_name(const struct volid *volume, const char *snapshot, char ret[256]);
/* Folder of the guest and descriptor of the volume's subvolume, or its snapshot's; absent: ERR_NOT_FOUND. */
int btrfs_open(const struct storage_def *def, const struct volid *volume, const char *snapshot,
	       int *ret_parent, int *ret_fd, struct err *err);

/* btrfs_subvol.c: one call of the kernel each */
bool btrfs_is_subvol(int fd);
int btrfs_subvol_create(int parent_fd, const char *name, struct err *err);
int btrfs_subvol_snapshot(int parent_fd, const char *name, int source_fd, bool read_only,
			  struct err *err);
int btrfs_subvol_destroy(int parent_fd, const char *name, struct err *err);
int btrfs_subvol_set_read_only(int fd, bool on, struct err *err);
int btrfs_subvol_is_read_only(int fd, bool *ret, struct err *err);
int btrfs_set_nocow(int fd, struct err *err); /* of files made in this folder from now on */
int btrfs_sync(int fd, struct err *err);      /* the whole file system */

/* btrfs_nested.c. Whoever may write in a subvolume may make further ones inside (systemd does so in every container, for
 * /var/lib/machines and /var/lib/portables), and the kernel's snapshot of the outer one has empty folders in their place
 * (btrfs-subvolume(8)). To refuse such guests would refuse most of them, and to leave theirs out would lose what they
 * hold: so theirs are taken along, one by one, which is one moment only while the guest stands still. In a snapshot all
 * are read-only; a copy that is written to has those writable that were. More than 10,000 of them, or more than 32 deep,
 * are refused. A limit holds for the outer one alone. */
int btrfs_copy(int parent_fd, const char *name, int source_fd, bool read_only, struct err *err);
/* With all that is inside, and their quota groups. */
int btrfs_destroy(int parent_fd, const char *name, struct err *err);

/* btrfs_tree.c: what the file system's own trees say */
struct btrfs_nested {
	uint64_t id;	 /* of its tree */
	uint64_t folder; /* inode of the folder that has it, in the outer one */
	char name[256];
};
uint64_t btrfs_tree_id(int fd); /* 0 and errno */
/* Directly inside, heap. ERR_LIMIT: more than 4096. */
int btrfs_nested_list(int fd, struct btrfs_nested **ret, size_t *ret_count, struct err *err);
/* The folder with that number in the subvolume fd, opened. */
int btrfs_open_inode(int fd, uint64_t folder, struct err *err);
bool btrfs_quota_flags(int fd, uint64_t *ret); /* BTRFS_QGROUP_STATUS_FLAG_*; false: no quota */
/* Quota groups of subvolumes that are gone, heap. */
size_t btrfs_stale_groups(int fd, uint64_t **ret);

/* btrfs_quota.c: the limit of a subvolume is a qgroup's, and stands in an attribute of it as well, which
 * snapshots take along. 0: none. Needs the file system's quota, which is switched on with the first
 * limit (simple quota where the kernel has it). */
int btrfs_limit_set(int fd, uint64_t size, struct err *err);
int btrfs_limit_restore(int fd, struct err *err); /* as the attribute says */
uint64_t btrfs_limit_get(int fd);
uint64_t btrfs_used_get(int fd); /* 0: unknown */
/* The group of a subvolume that was removed just now. Kernels before 6.11 let it go at once, later ones do it themselves
 * when the last extent is gone. A simple quota still counts what snapshots share, until that is gone as well: those that
 * count nothing any more go with the next sweep, whoever they were of, as nothing can ever be in them again. */
void btrfs_group_drop(int fd, uint64_t id);
void btrfs_groups_sweep(int fd);

int btrfs_list(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err);
int btrfs_info(const struct storage_def *def, const struct volid *volume, struct volume_info *ret,
	       struct err *err);
int btrfs_alloc(const struct storage_def *def, const struct volume_alloc *what,
		char ret_volid[VOLID_MAX], struct err *err);
/* The subvolume of a new volume, writable and empty, under a temporary name until btrfs_new_commit().
 * source_fd: a copy of that subvolume, or -1. */
struct btrfs_new {
	int owner; /* the guest's folder */
	int fd;	   /* the subvolume */
	char temp[256];
	unsigned vmid;
	bool is_subvol;
};
int btrfs_new_begin(const struct storage_def *def, const struct volume_alloc *what,
		    const char *format, int source_fd, struct btrfs_new *ret, struct err *err);
/* Closes new, as abort does, whatever becomes of it. */
int btrfs_new_commit(const struct storage_def *def, struct btrfs_new *new, const char *name,
		     char ret_volid[VOLID_MAX], struct err *err);
void btrfs_new_abort(const struct storage_def *def, struct btrfs_new *new);
/* Removes temporary subvolumes of processes that are gone. */
void btrfs_sweep_owner(int owner_fd);
/* The same in the folder of a guest, which goes when it is empty. */
void btrfs_sweep(const struct storage_def *def, unsigned vmid);

int btrfs_free(const struct storage_def *def, const struct volid *volume, struct err *err);
int btrfs_resize(const struct storage_def *def, const struct volid *volume, uint64_t size,
		 struct err *err);
int btrfs_snapshot(const struct storage_def *def, const struct volid *volume, const char *name,
		   struct err *err);
int btrfs_snapshot_delete(const struct storage_def *def, const struct volid *volume,
			  const char *name, struct err *err);
int btrfs_rollback(const struct storage_def *def, const struct volid *volume, const char *name,
		   struct err *err);
int btrfs_snapshots(const struct storage_def *def, const struct volid *volume,
		    snapshot_each_fn each, void *ctx, struct err *err);
/* Appends them as names, oldest first. */
int btrfs_snapshot_names(const struct storage_def *def, const struct volid *volume,
			 struct fields *ret, struct err *err);
int btrfs_clone(const struct storage_def *def, const struct volid *volume, const char *snapshot,
		const struct volume_alloc *as, char ret_volid[VOLID_MAX], struct err *err);
int btrfs_to_base(const struct storage_def *def, const struct volid *volume,
		  char ret_volid[VOLID_MAX], struct err *err);
int btrfs_export(const struct storage_def *def, const struct volid *volume, const char *snapshot,
		 int fd, struct err *err);
int btrfs_import(const struct storage_def *def, const struct volume_alloc *as, int fd,
		 char ret_volid[VOLID_MAX], struct err *err);

extern const struct storage_driver storage_driver_btrfs;
