/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files and folders by path. */
#include "agent/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/mem.h"

int file_read(const char *path, size_t limit, struct buf *ret, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	r = fd_read_all(fd, limit, ret, err);
	return r < 0 ? err_prefix(err, "%s", path) : 0;
}

/* the folder that holds path */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t) (slash - path));
}

static int sync_parent(const char *path, struct err *err)
{
	autofree char *parent = parent_of(path);
	autofd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, errno, "sync %s", parent);
	return 0;
}

static int write_and_sync(int fd, const void *data, size_t size, mode_t mode, struct err *err)
{
	int r = fd_write_all(fd, data, size, err);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return err_errno(err, errno, "sync");
	return 0;
}

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode, struct err *err)
{
	autofree char *temp = xasprintf("%s.tmpXXXXXX", path);
	autofd int fd = mkostemp(temp, O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	r = write_and_sync(fd, data, size, mode, err);
	if (r == 0 && rename(temp, path) < 0)
		r = err_errno(err, errno, "rename");
	if (r < 0) {
		unlink(temp);
		return err_prefix(err, "%s", path);
	}
	return sync_parent(path, err);
}

int file_remove(const char *path, struct err *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(err, errno, "remove %s", path);
	return 0;
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
	autofree char *copy = xstrdup(path);
	struct stat st;

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_errno(err, errno, "make folder %s", copy);
		*p = '/';
	}
	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_errno(err, errno, "make folder %s", path);
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_errno(err, ENOTDIR, "make folder %s", path);
	return 0;
}

static int remove_children(int fd, dev_t device, struct err *err);

static int remove_entry(int dir, const char *name, dev_t device, struct err *err)
{
	autofd int fd = -1;
	struct stat st;
	int r;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(err, errno, "remove %s", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "remove %s", name);
	if (fstat(fd, &st) < 0 || st.st_dev != device)
		return err_set(err, ERR_BUSY, "remove %s: another file system is mounted there", name);
	r = remove_children(fd, device, err);
	if (r < 0)
		return r;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? err_errno(err, errno, "remove %s", name) : 0;
}

static int remove_children(int fd, dev_t device, struct err *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
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
			r = remove_entry(fd, e->d_name, device, err);
	closedir(dir);
	return r;
}

int dir_remove_tree(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "remove %s", path);
	return remove_entry(AT_FDCWD, path, st.st_dev, err);
}
