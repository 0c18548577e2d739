/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves mounts into containers. Runs in jobs and hooks, the moving in a forked step. */
#include "agent/guest/ct/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/init_proc.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/place.h"

#define STEP_TIMEOUT (30 * USEC_PER_SEC)

struct step {
	const struct ct_record *record;
	const struct ct_mount *mount;
	const char *target;
	bool is_device;
};

static int clone_mount(const char *path, struct err *err)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return fd < 0 ? err_errno(err, errno, "copy mount '%s'", path) : fd;
}

/* The source with all its attributes, over itself: in this process' own namespace. */
static int make_source(const struct ct_mount *mount, int userns, struct err *err)
{
	struct mount_attr attr = {.attr_set = mount->attributes};
	autofd int fd = clone_mount(mount->source, err);

	if (fd < 0)
		return fd;
	if (mount->is_shifted && userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	if (attr.attr_set & MOUNT_ATTR_NOATIME)
		attr.attr_clr = MOUNT_ATTR__ATIME; /* one of several, not a flag of its own */
	if (attr.attr_set && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0)
		return err_errno(err, errno, "set the attributes of '%s'", mount->source);
	if (move_mount(fd, "", AT_FDCWD, mount->source, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return err_errno(err, errno, "mount '%s'", mount->source);
	return 0;
}

/* As the container's root, in its mount namespace. */
static int enter(int userns, int mntns, struct err *err)
{
	if (setns(mntns, CLONE_NEWNS) != 0)
		return err_errno(err, errno, "enter the container's mounts");
	if (userns >= 0 && (setgroups(0, NULL) != 0 || setgid(0) != 0 || setuid(0) != 0))
		return err_errno(err, errno, "become the container's root");
	return 0;
}

static int open_root(struct err *err)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(err, errno, "open the container's root") : fd;
}

/* As it was made: nobody has set anything yet. */
static bool is_new(int root)
{
	struct stat st;
	autofd int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool is_empty = dir != NULL;

	if (!dir)
		return false;
	fd = -1; /* the stream's */
	for (struct dirent *e; is_empty && (e = readdir(dir));)
		is_empty = str_eq(e->d_name, ".") || str_eq(e->d_name, "..") ||
			   str_eq(e->d_name, "lost+found");
	closedir(dir);
	return is_empty && fstat(root, &st) == 0 && st.st_uid == 0 && st.st_gid == 0;
}

/* As the container's root, in its ids: it could do the same once the volume is mounted. */
static int keep_attributes(int tree, int target, const struct ct_mount *mount, struct err *err)
{
	autofd int root = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (root >= 0 && !is_new(root))
		return 0;
	if (root < 0 || fstat(target, &st) != 0 || fchown(root, st.st_uid, st.st_gid) != 0 ||
	    fchmod(root, st.st_mode & 07777) != 0)
		return err_errno(err, errno, "give the volume owner and mode of guest's %s",
				 mount->target);
	return 0;
}

static int attach_here(int tree, const struct ct_mount *mount, struct err *err)
{
	autofd int root = open_root(err);
	autofd int target =
		root < 0 ? root : ct_place_make(root, mount->target, mount->is_file, err);
	int r;

	if (target < 0)
		return target;
	if (mount->keeps_attributes && (r = keep_attributes(tree, target, mount, err)) < 0)
		return r;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) !=
	    0)
		return err_errno(err, errno, "mount on guest's %s", mount->target);
	return 0;
}

/* -1: the container has this process' own user namespace. */
static int open_userns(int init, int *ret, struct err *err)
{
	int fd = ct_init_namespace(init, "user", err);

	if (fd >= 0 && ct_init_is_own("user", fd)) {
		close(fd);
		fd = -1;
	} else if (fd < 0) {
		return fd;
	}
	*ret = fd;
	return 0;
}

static int open_namespaces(const struct step *step, int *ret_user, int *ret_mounts, struct err *err)
{
	autofd int init = ct_init_open(step->record, err);
	autofd int mounts = init < 0 ? init : ct_init_foreign_namespace(init, "mnt", err);
	int r = mounts < 0 ? mounts : open_userns(init, ret_user, err);

	if (r == 0)
		*ret_mounts = TAKE_FD(mounts);
	return r;
}

/* A namespace of its own, whose owner is the container: what is copied into it is locked. */
static int lock_flags(int userns, struct err *err)
{
	if (userns >= 0 && (setns(userns, CLONE_NEWUSER) != 0 || unshare(CLONE_NEWNS) != 0))
		return err_errno(err, errno, "enter the container's user namespace");
	return 0;
}

static int attach_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct step *step = ctx;
	autofd int userns = -1, mntns = -1, tree = -1;
	int r;

	(void)task;
	if ((r = open_namespaces(step, &userns, &mntns, err)) < 0 ||
	    (r = ct_mount_isolate(err)) < 0 || (r = make_source(step->mount, userns, err)) < 0 ||
	    (r = lock_flags(userns, err)) < 0)
		return r;
	if ((tree = clone_mount(step->mount->source, err)) < 0)
		return tree;
	r = enter(userns, mntns, err);
	return r < 0 ? r : attach_here(tree, step->mount, err);
}

int ct_mount_attach(struct task_ctx *task, const struct ct_record *record,
		    const struct ct_mount *mount, struct err *err)
{
	struct step step = {.record = record, .mount = mount};

	return ct_child_run(task, attach_step, &step, STEP_TIMEOUT, err);
}

/* The empty file that a device's node was mounted on (ct_place_make()). */
static void drop_placeholder(int parent, const char *name)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 0)
		(void)unlinkat(parent, name, 0);
}

/* From its folder, which may be another mount that others write in: a name there cannot lead elsewhere. A descriptor
 * of the mount itself would keep it busy. */
static int detach_here(const char *target, bool is_device, struct err *err)
{
	autofd int root = open_root(err);
	autofree char *name = NULL;
	struct err why = ERR_INIT;
	autofd int parent = root < 0 ? root : ct_place_parent(root, target, &name, &why);

	if (root < 0 || parent == -ERR_NOT_FOUND)
		return root < 0 ? root : 0;
	if (parent < 0) {
		if (err)
			*err = why;
		return parent;
	}
	if (fchdir(parent) != 0)
		return err_errno(err, errno, "folder of guest's %s", target);
	if (umount2(name, UMOUNT_NOFOLLOW) == 0) {
		if (is_device)
			drop_placeholder(parent, name);
		return 0;
	}
	if (errno == EINVAL || errno == ENOENT)
		return 0; /* whatever is there is the container's own */
	if (errno == EBUSY)
		return err_set(err, ERR_BUSY, "%s is in use inside", target);
	return err_errno(err, errno, "unmount guest's %s", target);
}

static int detach_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct step *step = ctx;
	autofd int userns = -1, mntns = -1;
	int r;

	(void)task;
	if ((r = open_namespaces(step, &userns, &mntns, err)) < 0)
		return r;
	if (userns >= 0 && setns(userns, CLONE_NEWUSER) != 0)
		return err_errno(err, errno, "enter the container's user namespace");
	if ((r = enter(userns, mntns, err)) < 0)
		return r;
	return detach_here(step->target, step->is_device, err);
}

int ct_mount_detach(struct task_ctx *task, const struct ct_record *record, const char *target,
		    bool is_device, struct err *err)
{
	struct step step = {.record = record, .target = target, .is_device = is_device};

	return ct_child_run(task, detach_step, &step, STEP_TIMEOUT, err);
}

void ct_mounts_encode(const struct ct_mount *mount, struct fields *out)
{
	fields_addf(out, "mount", "%" PRIx64 " %d %d %d\n%s\n%s", mount->attributes, mount->is_file,
		    mount->is_shifted, mount->keeps_attributes, mount->target, mount->source);
}

bool ct_mounts_decode(const struct fields *f, size_t i, struct ct_mount *ret)
{
	autostrv char **lines = i < f->count ? str_split(f->items[i].value, "\n") : NULL;
	struct ct_mount mount = {0};
	int is_file, is_shifted, keeps_attributes;

	if (!lines || strv_count(lines) != 3 ||
	    sscanf(lines[0], "%" SCNx64 " %d %d %d", &mount.attributes, &is_file, &is_shifted,
		   &keeps_attributes) != 4 ||
	    !str_copy(mount.target, sizeof(mount.target), lines[1]) ||
	    !str_copy(mount.source, sizeof(mount.source), lines[2]))
		return false;
	mount.is_file = is_file;
	mount.is_shifted = is_shifted;
	mount.keeps_attributes = keeps_attributes;
	*ret = mount;
	return true;
}

static const struct {
	unsigned long flag;
	uint64_t attribute;
} attributes[] = {
	{MS_NODEV, MOUNT_ATTR_NODEV},
	{MS_NOEXEC, MOUNT_ATTR_NOEXEC},
	{MS_NOSUID, MOUNT_ATTR_NOSUID},
	{MS_NOATIME, MOUNT_ATTR_NOATIME},
};

int ct_mount_prepare(const struct ct_mp *mp, const char *path, unsigned vmid, bool is_unprivileged,
		     struct ct_mount *ret, struct err *err)
{
	autofree char *place = ct_mount_point(vmid);
	struct ct_mount mount = {.attributes = mp->read_only ? MOUNT_ATTR_RDONLY : 0};
	unsigned long flags = mp->flags & MS_LAZYTIME;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (mp->flags & attributes[i].flag)
			mount.attributes |= attributes[i].attribute;
	str_copy(mount.target, sizeof(mount.target), mp->path);
	if (is_unprivileged)
		mount.attributes |= MOUNT_ATTR_NODEV;
	/* a folder of the node keeps its owners: what is root's there is nobody's inside */
	mount.is_shifted = is_unprivileged && !mp->is_folder;
	mount.keeps_attributes = mp->keep_attributes && !mp->is_folder && !mp->read_only;
	snprintf(mount.source, sizeof(mount.source), "%s.mp%u", place, mp->index);
	flags |= mp->read_only ? MS_RDONLY : 0;
	r = mp->is_folder ? ct_mount_folder(path, mount.source, flags, err)
			  : ct_mount_volume(path, mount.source, flags, err);
	const struct ct_mount_tuning tuning = {mp->discard, mp->acl};

	if (r == 0)
		r = ct_mount_tune(path, mount.source, flags, &tuning, err);
	if (r < 0)
		return err_prefix(err, "mp%u", mp->index);
	*ret = mount;
	return 0;
}
