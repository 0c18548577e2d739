/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing a tree that somebody else filled: links are not followed, mounts are not entered, and
 * no depth of folders exhausts the stack or the descriptors. */
#include "agent/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "agent/base/mem.h"

#define DEPTH_MAX 32 /* folders below are moved up first */

struct removal {
	int top;	 /* the folder that goes */
	unsigned raised; /* folders moved up into it so far */
};

static int remove_children(struct removal *removal, int fd, unsigned depth, struct err *err);

static int open_below(int dir, const char *name, int *ret_fd, struct err *err)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
			       .resolve = RESOLVE_NO_XDEV};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd < 0 && errno == EXDEV)
		return err_set(err, ERR_BUSY, "remove %s: something is mounted there", name);
	if (fd < 0)
		return err_errno(err, errno == ENOTDIR ? EPERM : errno, "remove %s", name);
	*ret_fd = (int)fd;
	return 0;
}

/* Renaming needs no descriptor however deep the folder goes. */
static int raise_folder(struct removal *removal, int dir, const char *name, struct err *err)
{
	char raised[64];

	do
		snprintf(raised, sizeof(raised), ".removed-%u", removal->raised++);
	while (faccessat(removal->top, raised, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	if (renameat(dir, name, removal->top, raised) < 0)
		return err_errno(err, errno, "remove %s", name);
	return 0;
}

static int remove_entry(struct removal *removal, int dir, const char *name, unsigned depth,
			struct err *err)
{
	autofd int fd = -1;
	int r;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, errno, "remove %s", name);
	if (depth >= DEPTH_MAX)
		return raise_folder(removal, dir, name, err);
	r = open_below(dir, name, &fd, err);
	if (r == 0)
		r = remove_children(removal, fd, depth + 1, err);
	if (r < 0)
		return r;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? err_errno(err, errno, "remove %s", name) : 0;
}

static int remove_children(struct removal *removal, int fd, unsigned depth, struct err *err)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;
	int r = 0;

	if (!dir) {
		r = err_errno(err, errno, "read a folder");
		closep(&copy);
		return r;
	}
	while (r == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_entry(removal, fd, e->d_name, depth, err);
	closedir(dir);
	return r;
}

/* Until no folder was moved up any more. */
static int empty_top(struct removal *removal, struct err *err)
{
	unsigned before;
	int r;

	do {
		before = removal->raised;
		r = remove_children(removal, removal->top, 1, err);
	} while (r == 0 && removal->raised != before);
	return r;
}

int dir_remove_at(int parent, const char *name, struct err *err)
{
	struct removal removal = {.top = -1};
	int r;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	r = open_below(parent, name, &removal.top, err);
	if (r == 0)
		r = empty_top(&removal, err);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = err_errno(err, errno, "remove %s", name);
	closep(&removal.top);
	return r;
}

int dir_remove_tree(const char *path, struct err *err)
{
	autofree char *copy = xstrdup(path);
	size_t size = strlen(copy);
	autofd int parent = -1;
	const char *name;
	char *slash;

	while (size > 1 && copy[size - 1] == '/')
		copy[--size] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, ERR_INVALID, "remove %s: not the name of a folder", path);
	if (slash)
		*slash = '\0';
	parent = open(!slash ? "." : slash == copy ? "/" : copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "remove %s", path);
	return dir_remove_at(parent, name, err) < 0 ? err_prefix(err, "remove %s", path) : 0;
}
