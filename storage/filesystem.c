/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ext4 inside images, by e2fsprogs where it is not mounted, by ioctl where it is. Job processes only. */
#include "storage/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define MAKE_TIMEOUT (600 * USEC_PER_SEC)
#define GROW_TIMEOUT (6 * 3600 * USEC_PER_SEC) /* a check reads all metadata */
/* of the superblock, little-endian */
#define SUPER_AT     1024
#define MAGIC_AT     56
#define STATE_AT     58
#define STATE_ERRORS 2 /* met by a kernel, or a tool was cut short */
/* of its exit code */
#define CHECK_CORRECTED 1
#define CHECK_LEFT	4
#define RESIZE_FS	_IOW('f', 16, uint64_t) /* EXT4_IOC_RESIZE_FS, which no header has; in blocks */

int filesystem_make(const char *path, struct err *err)
{
	const char *const argv[] = {
		"mkfs.ext4",
		"-F",
		"-q",
		"-E",
		"root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard",
		path,
		NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + MAKE_TIMEOUT};
	return exec_run(&run, NULL, err);
}

/* Its exit code, or an error; see e2fsck(8). */
static int run_check(const char *path, const char *how, struct err *err)
{
	const char *const argv[] = {"e2fsck", "-f", how, path, NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + GROW_TIMEOUT};
	struct exec_result result = {0};
	int r = exec_run(&run, &result, err);
	if (r == 0 || (result.status && WIFEXITED(result.status)))
		r = WEXITSTATUS(result.status);
	exec_result_fini(&result);
	return r;
}

/* resize2fs refuses what was not checked since its last mount; what it tears itself (half made groups, counts) is beyond
 * what is mended without being asked. */
int filesystem_check(const char *path, bool *ret_was_torn, struct err *err)
{
	struct err why = ERR_INIT;
	int r = run_check(path, "-p", &why);
	if (r > 0 && (r & CHECK_LEFT)) {
		*ret_was_torn = true;
		why = ERR_INIT;
		r = run_check(path, "-y", &why);
	}
	if (r == 0 || r == CHECK_CORRECTED)
		return 0;
	if (err)
		*err = why;
	return err_prefix(err, "check the file system");
}

bool filesystem_has_errors(int fd)
{
	unsigned char super[64];
	return pread(fd, super, sizeof(super), SUPER_AT) == sizeof(super) &&
	       (super[MAGIC_AT] | super[MAGIC_AT + 1] << 8) == EXT4_SUPER_MAGIC &&
	       (super[STATE_AT] & STATE_ERRORS);
}

int filesystem_grow(const char *path, bool *ret_was_torn, struct err *err)
{
	const char *const argv[] = {"resize2fs", path, NULL};
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + GROW_TIMEOUT};
	int r = filesystem_check(path, ret_was_torn, err);
	if (r == 0 && (r = exec_run(&run, NULL, err)) < 0)
		err_prefix(err, "grow the file system");
	return r;
}

/* Opens the block device that a file system lies on. */
static int open_device(dev_t number, struct err *err)
{
	autofree char *link = xasprintf("/dev/block/%u:%u", major(number), minor(number));
	int fd = open(link, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* without udev: the node of that name */
	autofree char *uevent =
		xasprintf("/sys/dev/block/%u:%u/uevent", major(number), minor(number));
	autobuf text = BUF_INIT;
	int r = file_read(uevent, 4096, &text, err);
	if (r < 0)
		return r;
	autostrv char **lines = str_split(buf_str(&text), "\n");
	for (char **line = lines; *line; line++) {
		const char *name = str_after(*line, "DEVNAME=");
		autofree char *path = name ? xasprintf("/dev/%s", name) : NULL;
		struct stat st;
		if (path && (fd = open(path, O_RDWR | O_CLOEXEC)) >= 0) {
			if (fstat(fd, &st) == 0 && st.st_rdev == number)
				return fd;
			close(fd);
		}
	}
	return err_set(err, ERR_NOT_FOUND, "no device node of %u:%u", major(number), minor(number));
}

int filesystem_grow_mounted(int root_fd, struct err *err)
{
	struct stat st;
	struct statfs fs;
	uint64_t bytes;
	if (fstat(root_fd, &st) < 0 || fstatfs(root_fd, &fs) < 0)
		return err_errno(err, errno, "the mounted file system");
	if (fs.f_type != EXT4_SUPER_MAGIC)
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: only ext4 grows while it is mounted");
	autofd int device = open_device(st.st_dev, err);
	if (device < 0)
		return device;
	/* Not a loop device: its size is known already. */
	if (ioctl(device, LOOP_SET_CAPACITY, 0) < 0 && errno != ENOTTY && errno != EINVAL)
		return err_errno(err, errno, "tell the loop device of its new size");
	if (ioctl(device, BLKGETSIZE64, &bytes) < 0)
		return err_errno(err, errno, "size of the device");
	uint64_t blocks = bytes / (uint64_t)fs.f_bsize;
	if (ioctl(root_fd, RESIZE_FS, &blocks) == 0)
		return 0;
	/* EPERM: it is known to have errors, or rights are missing */
	if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOTTY)
		return err_set(err, ERR_UNSUPPORTED,
			       "the kernel does not grow this file system: %s", strerror(errno));
	return err_errno(err, errno, "grow the mounted file system");
}
