/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of the `dir` driver, private to storage/. A folder on a file system:
 *
 *   images/VMID/vm-VMID-disk-N.raw   template/iso   template/cache   snippets   dump   import
 *
 * Folders may be links that the administrator made; volumes themselves are never links. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

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
/* Opens the folder that holds the volume (images: the VMID's). */
int dir_open_parent(const struct storage_def *def, const struct volid *volume, int *ret_fd,
		    struct err *err);
/* Path of the volume below the storage's path. */
int dir_relative(const struct volid *volume, struct buf *ret, struct err *err);
/* Stat of a volume in its parent; what is not a regular file (or subvol folder) is not found. */
int dir_stat(int parent_fd, const struct volid *volume, struct stat *ret, struct err *err);
/* Size, use, times of a volume; fails only if it vanished or is no volume. */
int dir_volume_info(int parent_fd, const struct volid *volume, struct volume_info *ret,
		    struct err *err);
/* More than the file system could ever hold is ERR_NO_SPACE. */
int dir_check_size(const struct storage_def *def, uint64_t size, struct err *err);
/* Removes temporary files whose owner is gone. */
void dir_import_sweep(const struct storage_def *def);

int dir_status(const struct storage_def *def, struct storage_space *ret, struct err *err);
int dir_list(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err);
int dir_alloc(const struct storage_def *def, const struct volume_alloc *what,
	      char ret_volid[VOLID_MAX], struct err *err);
/* Makes an existing empty file a qcow2 image of this size. */
int dir_qcow2_make(const struct storage_def *def, unsigned vmid, const char *name, uint64_t size,
		   struct err *err);
int dir_free(const struct storage_def *def, const struct volid *volume, struct err *err);
int dir_resize(const struct storage_def *def, const struct volid *volume, uint64_t size,
	       struct err *err);
int dir_import_begin(const struct storage_def *def, enum volume_content content, const char *file,
		     int *ret_fd, char ret_temp[256], struct err *err);
int dir_import_commit(const struct storage_def *def, enum volume_content content, const char *temp,
		      const char *file, struct err *err);
void dir_import_abort(const struct storage_def *def, enum volume_content content, const char *temp);

extern const struct storage_driver storage_driver_dir;
