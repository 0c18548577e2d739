/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop devices and private mounts for containers. Runs in jobs, in forked steps. */
#include "agent/guest/ct/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/place.h"
#include "agent/task/task.h"

#define LOCK_WAIT    (10 * USEC_PER_SEC)
#define LOCK_STEP_MS 20
#define LOOP_TRIES   64

int ct_mount_isolate(struct err *err)
{
	if (unshare(CLONE_NEWNS) != 0)
		return err_errno(err, errno, "unshare the mount namespace");
	/* Slave, not private: a file system that the host unmounts must not be kept busy here. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return err_errno(err, errno, "make mounts private");
	return 0;
}

static int lock(int fd, int operation, const char *image, usec_t wait, struct err *err)
{
	usec_t deadline = clock_monotonic() + wait;

	while (flock(fd, operation | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, errno, "lock '%s'", image);
		if (clock_left_ms(deadline) == 0)
			return err_set(err, ERR_BUSY, "volume '%s' is in use", image);
		if (task_check_cancelled(err) < 0)
			return -ERR_CANCELLED;
		poll(NULL, 0, LOCK_STEP_MS);
	}
	return 0;
}

/* A container that just stopped gives its loop device back a moment later. */
int ct_image_lock(int fd, const char *image, struct err *err)
{
	return lock(fd, LOCK_EX, image, LOCK_WAIT, err);
}

int ct_image_wait(int fd, const char *image, usec_t wait, struct err *err)
{
	int r = lock(fd, LOCK_SH, image, wait, err);

	(void)flock(fd, LOCK_UN);
	return r;
}

static int configure_loop(int control, int image_fd, const char *image, bool read_only,
			  char ret_device[32], struct err *err)
{
	struct loop_config config = {.fd = (unsigned)image_fd};
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	autofd int fd = -1;

	if (number < 0)
		return err_errno(err, errno, "no free loop device");
	snprintf(ret_device, 32, "/dev/loop%d", number);
	fd = open(ret_device, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s", ret_device);
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0);
	str_copy((char *)config.info.lo_file_name, LO_NAME_SIZE, image);
	if (ioctl(fd, LOOP_CONFIGURE, &config) != 0)
		return err_errno(err, errno, "attach '%s' to %s", image, ret_device);
	return TAKE_FD(fd);
}

int ct_loop_attach(const char *image, bool read_only, int *ret_fd, char ret_device[32],
		   struct err *err)
{
	autofd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	autofd int fd = open(image, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_errno(err, errno, "open volume '%s'", image);
	if (control < 0)
		return err_errno(err, errno, "open /dev/loop-control");
	if ((r = ct_image_lock(fd, image, err)) < 0)
		return r;
	for (int i = 0; i < LOOP_TRIES; i++) {
		r = configure_loop(control, fd, image, read_only, ret_device, err);
		if (r >= 0)
			break;
		/* somebody else was faster with this one */
		if (!err || err->errnum != EBUSY)
			return r;
	}
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

static int mount_image(const char *path, const char *target, unsigned long flags, struct err *err)
{
	char device[32];
	autofd int loop = -1;
	int r;

	r = ct_loop_attach(path, (flags & MS_RDONLY) != 0, &loop, device, err);
	if (r < 0)
		return r;
	if (mount(device, target, "ext4", flags, NULL) != 0)
		return err_errno(err, errno, "mount '%s'", path);
	return 0;
}

static const struct {
	unsigned long flag;
	uint64_t attribute;
} attributes[] = {
	{MS_RDONLY, MOUNT_ATTR_RDONLY},	  {MS_NODEV, MOUNT_ATTR_NODEV},
	{MS_NOEXEC, MOUNT_ATTR_NOEXEC},	  {MS_NOSUID, MOUNT_ATTR_NOSUID},
	{MS_NOATIME, MOUNT_ATTR_NOATIME},
};

/* Exactly the flags, or those of the source if there are none. */
static struct mount_attr attributes_of(unsigned long flags)
{
	struct mount_attr attr = {0};

	for (size_t i = 0; flags && i < ARRAY_SIZE(attributes); i++) {
		attr.attr_clr |= attributes[i].attribute;
		if (flags & attributes[i].flag)
			attr.attr_set |= attributes[i].attribute;
	}
	if (flags)
		attr.attr_clr |= MOUNT_ATTR__ATIME; /* one of several, not a flag of its own */
	return attr;
}

/* The flags are set before it has its place: named again, /proc/self/fd/N would be what lies below. */
static int place_tree(int tree, const char *target, unsigned long flags)
{
	struct mount_attr attr = attributes_of(flags);

	return mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0 &&
			       move_mount(tree, "", AT_FDCWD, target,
					  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) == 0
		       ? 0
		       : -errno;
}

static int mount_tree(const char *path, const char *target, unsigned long flags, struct err *err)
{
	autofd int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = fd < 0 ? -errno : place_tree(fd, target, flags);

	return r < 0 ? err_errno(err, -r, "mount '%s'", path) : 0;
}

static int make_place(const char *target, struct err *err)
{
	autofree char *parent = path_join(path_run(), "ct/mnt");
	int r = dir_make(parent, 0700, err);

	return r < 0 ? r : dir_make(target, 0700, err);
}

int ct_mount_volume(const char *path, const char *target, unsigned long flags, struct err *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) != 0)
		return err_errno(err, errno, "volume '%s'", path);
	if ((r = make_place(target, err)) < 0)
		return r;
	if (S_ISREG(st.st_mode))
		return mount_image(path, target, flags, err);
	if (S_ISDIR(st.st_mode))
		return mount_tree(path, target, flags, err);
	if (mount(path, target, "ext4", flags, NULL) != 0)
		return err_errno(err, errno, "mount '%s'", path);
	return 0;
}

int ct_mount_folder(const char *path, const char *target, unsigned long flags, struct err *err)
{
	autofd int folder = ct_place_source(path, err);
	autofd int tree = -1;
	int r;

	if (folder < 0)
		return folder;
	if ((r = make_place(target, err)) < 0)
		return r;
	tree = open_tree(folder, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	r = tree < 0 ? -errno : place_tree(tree, target, flags);
	return r < 0 ? err_errno(err, -r, "mount '%s'", path) : 0;
}

/* New kernels have ACLs on ext4 always, and no options for them. */
static int set_acl(const char *path, const char *target, unsigned long flags, enum ct_acl acl,
		   struct err *err)
{
	if (acl == CT_ACL_DEFAULT ||
	    mount(NULL, target, NULL, MS_REMOUNT | flags, acl == CT_ACL_ON ? "acl" : "noacl") == 0)
		return 0;
	if (errno != EINVAL)
		return err_errno(err, errno, "acl of '%s'", path);
	if (acl == CT_ACL_OFF)
		task_log("WARN: acl=0 has no effect: this kernel's ext4 always has ACLs");
	return 0;
}

/* discard is a wish: not every storage can. */
int ct_mount_tune(const char *path, const char *target, unsigned long flags,
		  const struct ct_mount_tuning *tuning, struct err *err)
{
	struct stat st;

	if (stat(path, &st) != 0 || S_ISDIR(st.st_mode))
		return 0;
	if (tuning->discard)
		(void)mount(NULL, target, NULL, MS_REMOUNT | flags, "discard");
	return set_acl(path, target, flags, tuning->acl, err);
}

char *ct_mount_point(unsigned vmid)
{
	return path_join(path_run(), "ct/mnt/%u", vmid);
}
