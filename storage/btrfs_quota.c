/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of subvolumes. Job and helper processes only. */
#include "storage/btrfs.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define ATTRIBUTE	    "trusted.lodge.size" /* out of a guest's reach and sight */
#define STATUS_SIMPLE	    (1ULL << 3)		 /* of the quota's state, since Linux 6.7 */
#define QUOTA_ENABLE_SIMPLE 4 /* since Linux 6.7; counts for whoever wrote first */

static int enable(int fd, struct err *err)
{
	struct btrfs_ioctl_quota_ctl_args args = {.cmd = QUOTA_ENABLE_SIMPLE};
	if (ioctl(fd, BTRFS_IOC_QUOTA_CTL, &args) == 0)
		return 0;
	args = (struct btrfs_ioctl_quota_ctl_args){.cmd = BTRFS_QUOTA_CTL_ENABLE};
	if (ioctl(fd, BTRFS_IOC_QUOTA_CTL, &args) < 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: a size of a subvolume needs quota, which "
			       "the file system does not switch on: %s",
			       strerror(errno));
	return 0;
}

static int limit(int fd, uint64_t size)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.lim = {.flags = BTRFS_QGROUP_LIMIT_MAX_RFER,
			.max_rfer = size ? size : UINT64_MAX /* the kernel's word for none */},
	};
	return ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0 ? -errno : 0;
}

static int apply(int fd, uint64_t size, struct err *err)
{
	int r = limit(fd, size);
	if (r == -ENOTCONN && size == 0)
		return 0; /* no quota, no limit */
	if (r == -ENOTCONN) {
		if ((r = enable(fd, err)) < 0)
			return r;
		r = limit(fd, size);
	}
	return r < 0 ? err_errno(err, -r, "limit the size of a subvolume") : 0;
}

int btrfs_limit_set(int fd, uint64_t size, struct err *err)
{
	autofree char *text = xasprintf("%llu", (unsigned long long)size);
	int r = apply(fd, size, err);
	if (r == 0 && fsetxattr(fd, ATTRIBUTE, text, strlen(text), 0) < 0)
		r = err_errno(err, errno, "note the size of a subvolume");
	return r;
}

uint64_t btrfs_limit_get(int fd)
{
	char text[32];
	uint64_t size = 0;
	ssize_t n = fgetxattr(fd, ATTRIBUTE, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return str_to_u64(text, &size) ? size : 0;
}

int btrfs_limit_restore(int fd, struct err *err)
{
	return apply(fd, btrfs_limit_get(fd), err);
}

/* The qgroup's folder in /sys; the id of the subvolume is that of its tree. */
static char *qgroup_path(int fd, const char *file)
{
	struct btrfs_ioctl_fs_info_args fs = {0};
	struct btrfs_ioctl_ino_lookup_args tree = {.objectid = BTRFS_FIRST_FREE_OBJECTID};
	char id[40];
	size_t at = 0;
	if (ioctl(fd, BTRFS_IOC_FS_INFO, &fs) < 0 || ioctl(fd, BTRFS_IOC_INO_LOOKUP, &tree) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(fs.fsid); i++)
		at += (size_t)snprintf(id + at, sizeof(id) - at, "%s%02x",
				       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				       fs.fsid[i]);
	return xasprintf("/sys/fs/btrfs/%s/qgroups/0_%llu/%s", id, (unsigned long long)tree.treeid,
			 file);
}

uint64_t btrfs_used_get(int fd)
{
	autofree char *path = qgroup_path(fd, "referenced");
	autobuf text = BUF_INIT;
	uint64_t used = 0;
	if (!path || file_read(path, 64, &text, NULL) < 0)
		return 0;
	((char *)buf_str(&text))[strcspn(buf_str(&text), "\n")] = '\0';
	return str_to_u64(buf_str(&text), &used) ? used : 0;
}

static void remove_group(int fd, uint64_t id)
{
	struct btrfs_ioctl_qgroup_create_args args = {.qgroupid = id};
	(void)ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &args); /* of one in use the kernel refuses it */
}

void btrfs_group_drop(int fd, uint64_t id)
{
	uint64_t flags;
	if (id && btrfs_quota_flags(fd, &flags) && !(flags & STATUS_SIMPLE))
		remove_group(fd, id);
}

void btrfs_groups_sweep(int fd)
{
	autofree uint64_t *ids = NULL;
	uint64_t flags;
	if (!btrfs_quota_flags(fd, &flags))
		return;
	size_t count = btrfs_stale_groups(fd, &ids);
	for (size_t i = 0; i < count; i++)
		remove_group(fd, ids[i]);
}
