/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop devices by their images: sysfs has the path as it is without links, storage.cfg may have another one. Runs in jobs, in
 * forked steps. */
#include "agent/guest/ct/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static bool has_image(int fd, const struct stat *image)
{
	struct loop_info64 info;

	return ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_device == image->st_dev &&
	       info.lo_inode == image->st_ino;
}

/* A descriptor, or -1. */
static int open_if(const char *name, const struct stat *image, char ret_device[32])
{
	autofree char *attached = xasprintf("/sys/block/%s/loop", name);
	autofd int fd = -1;

	if (!str_starts(name, "loop") || access(attached, F_OK) != 0)
		return -1;
	snprintf(ret_device, 32, "/dev/%.26s", name);
	fd = open(ret_device, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && has_image(fd, image) ? TAKE_FD(fd) : -1;
}

int ct_loop_find(const char *image, int *ret_fd, char ret_device[32], struct err *err)
{
	DIR *dir = opendir("/sys/block");
	struct stat st;
	int fd = -1;

	if (!dir)
		return err_errno(err, errno, "list the block devices");
	if (stat(image, &st) != 0) {
		int errnum = errno;

		closedir(dir);
		return err_errno(err, errnum, "volume '%s'", image);
	}
	for (struct dirent *e; fd < 0 && (e = readdir(dir));)
		fd = open_if(e->d_name, &st, ret_device);
	closedir(dir);
	if (fd < 0)
		return err_set(err, ERR_NOT_FOUND, "'%s' is on no loop device", image);
	*ret_fd = fd;
	return 0;
}
