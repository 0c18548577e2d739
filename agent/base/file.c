/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files by path, and making folders. Removing trees is in file_tree.c. */
#include "agent/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
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

char *file_temp_prefix(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash + 1 - path) : 0, name = strlen(path) - folder;
	size_t room = NAME_MAX - strlen(".tmpXXXXXX");

	return xasprintf("%.*s.tmp", (int)(folder + (name < room ? name : room)), path);
}

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode, struct err *err)
{
	autofree char *prefix = file_temp_prefix(path), *temp = xasprintf("%sXXXXXX", prefix);
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
	size_t size = strlen(copy);
	struct stat st;

	while (size > 1 && copy[size - 1] == '/')
		copy[--size] = '\0';
	if (size == 0)
		return err_set(err, ERR_INVALID, "make folder: no name is given");
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_errno(err, errno, "make folder %s", copy);
		*p = '/';
	}
	if (mkdir(copy, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_errno(err, errno, "make folder %s", path);
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_errno(err, ENOTDIR, "make folder %s", path);
	return 0;
}
