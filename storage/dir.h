/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of the `dir` driver, private to storage/. A folder on a file system:
 *
 *   images/VMID/vm-VMID-disk-N.raw   template/iso   template/cache   snippets   dump   import
 *
 * The path may have links in it, which are root's. Below it links are followed only as long as they stay below it: who
 * may write there, or name the folders, must not get at the rest of the node. Volumes themselves are never links. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "storage/qcow2.h"
#include "storage/storage.h"

struct dir_folder {
	enum volume_content content;
	const char *path; /* below the storage's path */
	mode_t mode;	  /* when made */
};

/* All folders; images and rootdir share one and are one entry. */
extern const struct dir_folder dir_folders[];
extern const size_t dir_folders_count;

/* Absolute path of the storage, borrowed from def. */
int dir_root(const struct storage_def *def, const char **ret, struct err *err);
/* Is any content enabled that lives in this folder? */
bool dir_folder_is_used(const struct storage_def *def, const struct dir_folder *folder);
/* Opens the folder of this content; absent is ERR_NOT_FOUND. */
int dir_open_folder(const struct storage_def *def, enum volume_content content, int *ret_fd,
		    struct err *err);
/* For who goes on with a path: it leads nowhere else. A folder that is not there is fine. */
int dir_check_folder(const struct storage_def *def, enum volume_content content, struct err *err);
/* Makes the folder, and those above it, below the storage's path. */
int dir_make_folder(const struct storage_def *def, const struct dir_folder *folder,
		    struct err *err);
/* Opens the folder that holds the volume (images: the VMID's). */
int dir_open_parent(const struct storage_def *def, const struct volid *volume, int *ret_fd,
		    struct err *err);
/* Path of the volume below the storage's path. */
int dir_relative(const struct storage_def *def, const struct volid *volume, struct buf *ret,
		 struct err *err);
/* The folder's path below the storage's, heap. */
char *dir_folder_path(const struct storage_def *def, const struct dir_folder *folder);
/* Absolute path of the folder of a guest's images, heap; only after dir_root() said yes. */
char *dir_owner_path(const struct storage_def *def, unsigned vmid);
/* Stat of a volume in its parent; what is not a regular file (or subvol folder) is not found. */
int dir_stat(int parent_fd, const struct volid *volume, struct stat *ret, struct err *err);
/* Size, use, times of a volume; fails only if it vanished or is no volume. */
int dir_volume_info(int parent_fd, const struct volid *volume, struct volume_info *ret,
		    struct err *err);
/* Fills in is_protected and has_notes of a backup. */
void dir_attributes(int parent_fd, const struct volid *volume, struct volume_info *info);
/* ERR_BUSY for a protected backup. */
int dir_check_unprotected(int parent_fd, const struct volid *volume, struct err *err);
/* The files that hold them go with the volume. */
void dir_attributes_drop(int parent_fd, const struct volid *volume);
/* More than the file system could ever hold is ERR_NO_SPACE. */
int dir_check_size(const struct storage_def *def, uint64_t size, struct err *err);
/* A name for what is not complete; tells its owner, so that others know when that one is gone. */
void dir_temp_name(char ret[256]);
bool dir_temp_is_stale(const char *name);
void dir_sweep(const struct storage_def *def, unsigned vmid);
int dir_rename(const struct storage_def *def, const struct volid *volume, const char *file,
	       char ret_volid[VOLID_MAX], struct err *err);
/* The volume that would have this file name; of the same guest and format. */
int dir_renamed(const struct storage_def *def, const struct volid *volume, const char *file,
		struct volid *ret, struct err *err);
/* Within a folder; an existing name is -EEXIST. */
int dir_rename_absent(int folder, const char *from, const char *to);
/* Removes temporary files whose owner is gone. */
void dir_import_sweep(const struct storage_def *def);

/* Size and base of a qcow2 image; 0 if it is one. */
int dir_qcow2_header(int parent_fd, const char *file, struct qcow2_header *ret);
/* The folder of one guest, made if needed, and removed when nothing is left in it. */
int dir_open_owner(const struct storage_def *def, unsigned vmid, int *ret_fd, struct err *err);
void dir_remove_owner(const struct storage_def *def, unsigned vmid);
/* Is this disk number taken by a volume of any format? */
bool dir_disk_is_taken(int owner_fd, unsigned vmid, unsigned number);
/* Arguments of a new guest volume; format: as asked for, or the type's default. */
int dir_check_alloc(const struct storage_def *def, const struct volume_alloc *what,
		    const char *format, struct err *err);
/* A base stays what it is as long as the lock's descriptor is open: shared by those who make a clone of it, whose header
 * does not name it yet; alone for who removes it. Waits for others a moment, then ERR_BUSY. */
int dir_lock_base(int parent_fd, const struct volid *base, bool is_shared, int *ret_fd,
		  struct err *err);
/* ERR_BUSY if a linked clone stands on this base. */
int dir_check_no_clones(const struct storage_def *def, const struct volid *base, struct err *err);
bool dir_is_guest_volume(const struct volid *volume);

int dir_activate(const struct storage_def *def, struct err *err);
int dir_status(const struct storage_def *def, struct storage_space *ret, struct err *err);
int dir_list(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err);
int dir_info(const struct storage_def *def, const struct volid *volume, struct volume_info *ret,
	     struct err *err);
int dir_path(const struct storage_def *def, const struct volid *volume, struct buf *ret,
	     struct err *err);
int dir_alloc(const struct storage_def *def, const struct volume_alloc *what,
	      char ret_volid[VOLID_MAX], struct err *err);
/* An empty file for a volume, under what->name or the next free one. Its folder stays open. */
int dir_alloc_file(const struct storage_def *def, const struct volume_alloc *what,
		   const char *format, int *ret_owner, char ret_name[256], int *ret_fd,
		   struct err *err);
int dir_free(const struct storage_def *def, const struct volid *volume, struct err *err);
int dir_resize(const struct storage_def *def, const struct volid *volume, uint64_t size,
	       struct err *err);
int dir_snapshot(const struct storage_def *def, const struct volid *volume, const char *name,
		 struct err *err);
int dir_snapshot_delete(const struct storage_def *def, const struct volid *volume, const char *name,
			struct err *err);
int dir_rollback(const struct storage_def *def, const struct volid *volume, const char *name,
		 struct err *err);
int dir_snapshots(const struct storage_def *def, const struct volid *volume, snapshot_each_fn each,
		  void *ctx, struct err *err);
int dir_snapshot_path(const struct storage_def *def, const struct volid *volume, const char *name,
		      struct buf *ret, struct err *err);
int dir_clone(const struct storage_def *def, const struct volid *volume, const char *snapshot,
	      const struct volume_alloc *as, char ret_volid[VOLID_MAX], struct err *err);
int dir_to_base(const struct storage_def *def, const struct volid *volume,
		char ret_volid[VOLID_MAX], struct err *err);
int dir_count_snapshot(const char *name, uint64_t ctime, void *ctx); /* ctx: size_t */
/* "base-101-disk-0.raw" of "vm-101-disk-0.raw" */
void dir_base_name(const struct volid *volume, char ret[256]);
int dir_export(const struct storage_def *def, const struct volid *volume, const char *snapshot,
	       int fd, struct err *err);
int dir_import(const struct storage_def *def, const struct volume_alloc *as, int fd,
	       char ret_volid[VOLID_MAX], struct err *err);
/* The same, after the stream's header was read. */
struct stream_header;
int dir_import_after(const struct storage_def *def, const struct volume_alloc *as, int fd,
		     const struct stream_header *header, char ret_volid[VOLID_MAX],
		     struct err *err);
int dir_notes(const struct storage_def *def, const struct volid *volume, struct buf *ret,
	      struct err *err);
int dir_set_attributes(const struct storage_def *def, const struct volid *volume, const char *notes,
		       const bool *is_protected, struct err *err);
int dir_import_begin(const struct storage_def *def, enum volume_content content, const char *file,
		     int *ret_fd, char ret_temp[256], struct err *err);
int dir_import_commit(const struct storage_def *def, enum volume_content content, const char *temp,
		      const char *file, struct err *err);
void dir_import_abort(const struct storage_def *def, enum volume_content content, const char *temp);

extern const struct storage_driver storage_driver_dir;
