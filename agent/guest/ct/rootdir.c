/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Safe access to files inside a container's root. Runs in jobs, in forked steps. */
#include "agent/guest/ct/rootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define TEMP_NAME ".lodge-new"

int rootdir_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (flags & O_PATH)
		how.flags = (unsigned)(flags | O_CLOEXEC);
	do
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : fd;
}

bool rootdir_exists(int root, const char *path)
{
	autofd int fd = rootdir_open(root, path, O_PATH);

	return fd >= 0;
}

/* Opens what an O_PATH descriptor names, if it is a regular file; else -errno. The type is looked at
 * before anything is opened: opening a device may act on it (a watchdog starts to count, a tape
 * rewinds), and a privileged container can have any. */
static int open_regular(int path_fd, struct stat *ret)
{
	char name[32];
	int fd;

	if (fstat(path_fd, ret) != 0)
		return -errno;
	if (!S_ISREG(ret->st_mode))
		return -EINVAL;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int rootdir_read(int root, const char *path, size_t limit, struct buf *ret, struct err *err)
{
	autofd int named = rootdir_open(root, path, O_PATH);
	autofd int fd = named < 0 ? named : -1;
	struct stat st;

	if (named >= 0)
		fd = open_regular(named, &st);
	if (named >= 0 && fd == -EINVAL)
		return err_set(err, ERR_INVALID, "guest's %s is not a regular file", path);
	if (fd < 0)
		return err_errno(err, -fd, "guest's %s", path);
	return fd_read_all(fd, limit, ret, err);
}

/* The folder of a path, opened; *ret_name is the last component. */
static int open_parent(int root, const char *path, const char **ret_name, bool make,
		       struct err *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *folder = NULL;
	int fd, r;

	if (!slash || !slash[1])
		return err_set(err, ERR_INTERNAL, "bad path '%s'", path);
	folder = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	if (make && (r = rootdir_make(root, folder, 0755, err)) < 0)
		return r;
	fd = rootdir_open(root, folder, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return err_errno(err, -fd, "guest's %s", folder);
	*ret_name = slash + 1;
	return fd;
}

static bool has_content(int folder, const char *name, const void *data, size_t size)
{
	autofd int named = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	autofd int fd = named < 0 ? -1 : open_regular(named, &st);
	autobuf old = BUF_INIT;

	return fd >= 0 && st.st_size == (off_t)size && fd_read_all(fd, size, &old, NULL) == 0 &&
	       old.size == size && memcmp(buf_str(&old), data, size) == 0;
}

static int write_new(int folder, const char *name, const void *data, size_t size, mode_t mode,
		     struct err *err)
{
	struct stat old;
	bool is_there =
		fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode);
	autofd int fd = -1;
	int r;

	(void)unlinkat(folder, TEMP_NAME, 0);
	fd = openat(folder, TEMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, errno, "create");
	if ((r = fd_write_all(fd, data, size, err)) < 0)
		return r;
	if (fchown(fd, is_there ? old.st_uid : 0, is_there ? old.st_gid : 0) != 0 ||
	    fchmod(fd, is_there ? old.st_mode & 07777 : mode) != 0 ||
	    renameat(folder, TEMP_NAME, folder, name) != 0)
		return err_errno(err, errno, "write");
	return 0;
}

int rootdir_write(int root, const char *path, const void *data, size_t size, mode_t mode,
		  struct err *err)
{
	const char *name;
	autofd int folder = open_parent(root, path, &name, true, err);
	int r;

	if (folder < 0)
		return folder;
	if (has_content(folder, name, data, size))
		return 0;
	if ((r = write_new(folder, name, data, size, mode, err)) < 0) {
		(void)unlinkat(folder, TEMP_NAME, 0);
		return err_prefix(err, "guest's %s", path);
	}
	return 0;
}

static int make_one(int root, const char *path, mode_t mode, struct err *err)
{
	const char *name;
	autofd int there = rootdir_open(root, path, O_PATH | O_DIRECTORY);
	autofd int folder = -1;

	if (there >= 0)
		return 0;
	if (there != -ENOENT)
		return err_errno(err, -there, "guest's %s", path);
	if ((folder = open_parent(root, path, &name, false, err)) < 0)
		return folder;
	if (mkdirat(folder, name, mode) != 0)
		return err_errno(err, errno, "make guest's %s", path);
	return 0;
}

int rootdir_make(int root, const char *path, mode_t mode, struct err *err)
{
	autofree char *part = xstrdup(path);
	int r;

	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if ((r = make_one(root, part, 0755, err)) < 0)
			return r;
		*slash = '/';
	}
	return part[1] ? make_one(root, part, mode, err) : 0;
}

int rootdir_link(int root, const char *path, const char *target, struct err *err)
{
	const char *name;
	autofd int folder = open_parent(root, path, &name, true, err);

	if (folder < 0)
		return folder;
	if (symlinkat(target, folder, name) != 0 && errno != EEXIST)
		return err_errno(err, errno, "link guest's %s", path);
	return 0;
}

int rootdir_replace_link(int root, const char *path, const char *target, struct err *err)
{
	const char *name;
	autofd int folder = open_parent(root, path, &name, true, err);

	if (folder < 0)
		return folder;
	(void)unlinkat(folder, TEMP_NAME, 0);
	if (symlinkat(target, folder, TEMP_NAME) != 0 ||
	    renameat(folder, TEMP_NAME, folder, name) != 0) {
		int errnum = errno;

		(void)unlinkat(folder, TEMP_NAME, 0);
		return err_errno(err, errnum, "link guest's %s", path);
	}
	return 0;
}

int rootdir_remove(int root, const char *path, struct err *err)
{
	const char *name;
	autofd int folder = open_parent(root, path, &name, false, err);

	if (folder == -ERR_NOT_FOUND)
		return 0;
	if (folder < 0)
		return folder;
	if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		return err_errno(err, errno, "remove guest's %s", path);
	return 0;
}

void rootdir_read_link(int root, const char *path, char *ret, size_t size)
{
	const char *name;
	struct err ignored = ERR_INIT;
	autofd int folder = open_parent(root, path, &name, false, &ignored);
	ssize_t n = folder < 0 ? -1 : readlinkat(folder, name, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
}
