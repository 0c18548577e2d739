/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file systems in a container's images grow with them. The kernel does it while they are mounted, in steps that its
 * journal makes whole: nothing that dies in between, the node included, leaves a torn one. e2fsprogs, whose changes can be
 * torn, do it where the kernel may not. Runs in jobs. */
#include "agent/guest/ct/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/mounted.h"
#include "agent/guest/ct/volume.h"
#include "storage/filesystem.h"

#define GROW_TIMEOUT (6 * 3600 * USEC_PER_SEC)

static bool has_capability(unsigned number)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number));
}

/* Nodes that are containers themselves often lack it. */
static bool may_grow_mounted(void)
{
	return has_capability(CAP_SYS_RESOURCE);
}

/* -- while nobody has it mounted -- */

static int grow_mounted_step(struct task_ctx *task, void *path, struct err *err)
{
	autofree char *place = ct_mount_point(task->guest);
	int r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_volume(path, place, MS_NODEV | MS_NOSUID | MS_NOEXEC, err)) < 0)
		return r;
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "open the mounted file system");
	r = filesystem_grow_mounted(fd, err);
	close(fd);
	if (umount2(place, 0) != 0 && r == 0)
		r = err_errno(err, errno, "unmount the file system that has grown");
	return r;
}

/* Its tools keep the image locked until the last of them is gone, even when this process is killed first. */
static int grow_by_tools(struct task_ctx *task, const char *path, struct err *err)
{
	autofd int lock = open(path, O_RDONLY | O_NOFOLLOW); /* inherited */
	bool was_torn = false;
	int r = lock < 0 ? err_errno(err, errno, "open volume '%s'", path)
			 : ct_image_lock(lock, path, err);

	if (r == 0)
		r = filesystem_grow(path, &was_torn, err);
	if (was_torn)
		task_warn(task, "the file system had errors, which were repaired: a change of its "
				"size that was cut short leaves such");
	return r;
}

static int grow_mounted(struct task_ctx *task, const char *path, struct err *err)
{
	autofree char *place = ct_mount_point(task->guest);
	autofree char *copy = xstrdup(path);
	int r = ct_child_run(task, grow_mounted_step, copy, GROW_TIMEOUT, err);

	(void)rmdir(place);
	return r;
}

/* What does not mount, or has errors, the tools may know how to mend; what is in use is nobody's to touch. */
static int grow_unmounted(struct task_ctx *task, const char *path, struct err *err)
{
	struct err why = ERR_INIT;

	if (!may_grow_mounted())
		return grow_by_tools(task, path, err);
	int r = grow_mounted(task, path, &why);

	if (r < 0 && r != -ERR_BUSY && r != -ERR_TIMEOUT && r != -ERR_CANCELLED) {
		task_log("not while it is mounted: %s", why.message);
		return grow_by_tools(task, path, err);
	}
	if (r < 0 && err)
		*err = why;
	return r;
}

/* Whether the container runs does not tell: inside it may be unmounted. */
int ct_grow(struct task_ctx *task, const struct guest_volume *v, const char *path, struct err *err)
{
	bool is_mounted = false;
	struct stat st;
	int r;

	(void)v;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0; /* part of its storage's file system */
	if ((r = ct_mounted_look(task, path, &is_mounted, err)) < 0)
		return r;
	return is_mounted ? ct_mounted_grow(task, path, err) : grow_unmounted(task, path, err);
}

static int check_mounted(struct task_ctx *task, const struct guest_volume *v, struct err *err)
{
	autobuf path = BUF_INIT;
	bool is_mounted = false;
	int r = ct_volume_path(task, v->volid, &path, err);

	if (r == 0)
		r = ct_mounted_look(task, buf_str(&path), &is_mounted, err);
	if (r < 0 || !is_mounted || may_grow_mounted())
		return r;
	return err_set(err, ERR_UNSUPPORTED,
		       "feature not available: growing a mounted file system needs "
		       "CAP_SYS_RESOURCE, which this node does not have: stop the container first");
}

int ct_grow_check(struct task_ctx *task, const struct guest_volume *v, uint64_t size,
		  struct err *err)
{
	struct ct_record record;
	int r = 0;

	(void)size;
	if (str_eq(v->volume.format, "subvol"))
		return 0;
	/* its monitor may still have the image mounted: a check of it now would tear it */
	if (!v->is_unused && !ct_find_running(task->guest, &record))
		r = ct_require_settled(task, err);
	return r < 0 ? r : check_mounted(task, v, err);
}
