/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subvolumes with those that a guest made inside of them: copied and destroyed together. Job and helper processes
 * only. */
#include "storage/btrfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define ATTRIBUTE   "trusted.lodge.nested" /* in a snapshot: whether the guest's was read-only */
#define PLACEHOLDER 2			   /* inode of what a snapshot has where a subvolume was */
#define DEPTH_MAX   32
#define TOTAL_MAX   10000

struct copy {
	bool read_only;
	unsigned total;
};

static int open_subvol(int folder, const struct btrfs_nested *nested, struct err *err)
{
	autofd int fd =
		openat(folder, nested->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open subvolume '%s' inside", nested->name);
	if (!btrfs_is_subvol(fd) || btrfs_tree_id(fd) != nested->id)
		return err_set(err, ERR_BUSY, "subvolume '%s' inside was exchanged meanwhile",
			       nested->name);
	return TAKE_FD(fd);
}

/* -- copies --------------------------------------------------------------------------------------- */

static int was_read_only(int source, bool *ret, struct err *err)
{
	char text[4] = "";
	if (fgetxattr(source, ATTRIBUTE, text, sizeof(text) - 1) > 0) {
		*ret = str_eq(text, "ro");
		return 0;
	}
	return btrfs_subvol_is_read_only(source, ret, err);
}

/* A writable one gets what the guest's was, a snapshot keeps in mind what that was. */
static int settle(int fd, int source, const struct copy *copy, struct err *err)
{
	bool read_only;
	int r = was_read_only(source, &read_only, err);
	if (r < 0)
		return r;
	if (!copy->read_only)
		(void)fremovexattr(fd, ATTRIBUTE);
	else if (fsetxattr(fd, ATTRIBUTE, read_only ? "ro" : "rw", 2, 0) < 0)
		return err_errno(err, errno, "note the state of a subvolume inside");
	return copy->read_only || read_only ? btrfs_subvol_set_read_only(fd, true, err) : 0;
}

static int copy_into(struct copy *copy, int source, int parent, const char *name, unsigned depth,
		     struct err *err);

/* In the copy the folder has the number that it has in the source. */
static int copy_one(struct copy *copy, int source, int target, const struct btrfs_nested *nested,
		    unsigned depth, struct err *err)
{
	struct stat st;
	autofd int from = btrfs_open_inode(source, nested->folder, err);
	autofd int to = from < 0 ? from : btrfs_open_inode(target, nested->folder, err);
	autofd int subvol = to < 0 ? to : open_subvol(from, nested, err);
	if (subvol < 0)
		return subvol;
	if (fstatat(to, nested->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == PLACEHOLDER &&
	    unlinkat(to, nested->name, AT_REMOVEDIR) < 0)
		return err_errno(err, errno, "make room for subvolume '%s' inside", nested->name);
	int r = copy_into(copy, subvol, to, nested->name, depth + 1, err);
	if (r < 0)
		return r;
	autofd int made = openat(to, nested->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return made < 0 ? err_errno(err, errno, "open the copy of subvolume '%s'", nested->name)
			: settle(made, subvol, copy, err);
}

static int copy_nested(struct copy *copy, int source, int target, const struct btrfs_nested *items,
		       size_t count, unsigned depth, struct err *err)
{
	int r = 0;
	copy->total += count;
	if (depth >= DEPTH_MAX || copy->total > TOTAL_MAX)
		return err_set(
			err, ERR_LIMIT,
			"the guest made more than %d subvolumes, or nested them more than %d "
			"deep",
			TOTAL_MAX, DEPTH_MAX);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = copy_one(copy, source, target, &items[i], depth, err);
	return r;
}

/* Writable; who asked makes it read-only. */
static int copy_into(struct copy *copy, int source, int parent, const char *name, unsigned depth,
		     struct err *err)
{
	autofree struct btrfs_nested *items = NULL;
	size_t count = 0;
	int r = btrfs_nested_list(source, &items, &count, err);
	if (r == 0)
		r = btrfs_subvol_snapshot(parent, name, source, false, err);
	if (r < 0 || count == 0)
		return r;
	autofd int target = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return target < 0 ? err_errno(err, errno, "open the copy of a subvolume")
			  : copy_nested(copy, source, target, items, count, depth, err);
}

static bool has_nested(int fd)
{
	autofree struct btrfs_nested *items = NULL;
	size_t count = 0;
	return btrfs_nested_list(fd, &items, &count, NULL) < 0 || count > 0;
}

static int make_read_only(int parent, const char *name, struct err *err)
{
	autofd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_errno(err, errno, "open the copy of a subvolume")
		      : btrfs_subvol_set_read_only(fd, true, err);
}

int btrfs_copy(int parent_fd, const char *name, int source_fd, bool read_only, struct err *err)
{
	struct copy copy = {.read_only = read_only};
	if (!has_nested(source_fd))
		return btrfs_subvol_snapshot(parent_fd, name, source_fd, read_only, err);
	int r = copy_into(&copy, source_fd, parent_fd, name, 0, err);
	if (r == 0 && read_only)
		r = make_read_only(parent_fd, name, err);
	if (r < 0)
		btrfs_destroy(parent_fd, name, NULL);
	return r;
}

/* -- destruction ----------------------------------------------------------------------------------- */

static int destroy_in(int parent, const char *name, unsigned depth, struct err *err);

static int destroy_one(int fd, const struct btrfs_nested *nested, unsigned depth, struct err *err)
{
	autofd int folder = btrfs_open_inode(fd, nested->folder, err);
	return folder < 0 ? folder : destroy_in(folder, nested->name, depth, err);
}

/* What a guest made read-only, or a snapshot, does not let go of what is inside. */
static int destroy_nested(int fd, unsigned depth, struct err *err)
{
	autofree struct btrfs_nested *items = NULL;
	size_t count = 0;
	int r = btrfs_nested_list(fd, &items, &count, err);
	if (r == 0 && count > 0)
		r = btrfs_subvol_set_read_only(fd, false, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = destroy_one(fd, &items[i], depth + 1, err);
	return r;
}

static int destroy_in(int parent, const char *name, unsigned depth, struct err *err)
{
	autofd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t id = fd < 0 ? 0 : btrfs_tree_id(fd);
	if (fd < 0)
		return err_errno(err, errno, "remove subvolume '%s'", name);
	if (!btrfs_is_subvol(fd))
		return err_set(err, ERR_INVALID, "'%s' is no subvolume", name);
	if (depth > DEPTH_MAX * 4)
		return err_set(err, ERR_LIMIT, "subvolumes of a guest are nested too deep");
	int r = destroy_nested(fd, depth, err);
	if (r == 0)
		r = btrfs_subvol_destroy(parent, name, err);
	if (r == 0)
		btrfs_group_drop(parent, id);
	return r;
}

int btrfs_destroy(int parent_fd, const char *name, struct err *err)
{
	int r = destroy_in(parent_fd, name, 0, err);
	btrfs_groups_sweep(parent_fd);
	return r;
}
