/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subvolumes of btrfs by the kernel's own calls, which are atomic and say exactly what failed. Job and
 * helper processes only. */
#include "storage/btrfs.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/base/str.h"

#define ROOT_INODE 256 /* of every subvolume */

bool btrfs_is_subvol(int fd)
{
	struct stat st;
	struct statfs fs;
	return fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_ino == ROOT_INODE && (unsigned long)fs.f_type == BTRFS_SUPER_MAGIC;
}

static void args_name(struct btrfs_ioctl_vol_args_v2 *args, const char *name)
{
	str_copy(args->name, sizeof(args->name), name);
}

int btrfs_subvol_create(int parent_fd, const char *name, struct err *err)
{
	struct btrfs_ioctl_vol_args_v2 args = {0};
	args_name(&args, name);
	if (ioctl(parent_fd, BTRFS_IOC_SUBVOL_CREATE_V2, &args) < 0)
		return err_errno(err, errno, "make subvolume '%s'", name);
	return 0;
}

int btrfs_subvol_snapshot(int parent_fd, const char *name, int source_fd, bool read_only,
			  struct err *err)
{
	struct btrfs_ioctl_vol_args_v2 args = {.fd = source_fd,
					       .flags = read_only ? BTRFS_SUBVOL_RDONLY : 0};
	args_name(&args, name);
	if (ioctl(parent_fd, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0)
		return err_errno(err, errno, "make snapshot '%s'", name);
	return 0;
}

int btrfs_subvol_set_read_only(int fd, bool on, struct err *err)
{
	uint64_t flags;
	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return err_errno(err, errno, "flags of a subvolume");
	flags = on ? flags | BTRFS_SUBVOL_RDONLY : flags & ~BTRFS_SUBVOL_RDONLY;
	if (ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0)
		return err_errno(err, errno, "make a subvolume %s", on ? "read-only" : "writable");
	return 0;
}

int btrfs_subvol_is_read_only(int fd, bool *ret, struct err *err)
{
	uint64_t flags;
	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
		return err_errno(err, errno, "flags of a subvolume");
	*ret = flags & BTRFS_SUBVOL_RDONLY;
	return 0;
}

int btrfs_subvol_destroy(int parent_fd, const char *name, struct err *err)
{
	struct btrfs_ioctl_vol_args_v2 args = {0};
	args_name(&args, name);
	if (ioctl(parent_fd, BTRFS_IOC_SNAP_DESTROY_V2, &args) < 0)
		return err_errno(err, errno, "remove subvolume '%s'", name);
	return 0;
}

int btrfs_set_nocow(int fd, struct err *err)
{
	int flags;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return err_errno(err, errno, "flags of a folder");
	flags |= FS_NOCOW_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		return err_errno(err, errno, "switch copy on write off");
	return 0;
}

int btrfs_sync(int fd, struct err *err)
{
	return syncfs(fd) < 0 ? err_errno(err, errno, "sync the file system") : 0;
}
