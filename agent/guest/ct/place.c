/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks to places of mounts. Runs in jobs and hooks, in forked steps. */
#include "agent/guest/ct/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define TRIES 64 /* EAGAIN: somebody renames or mounts meanwhile */

static int open_plain(int at, const char *name, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags,
			       .resolve = resolve | RESOLVE_NO_SYMLINKS};
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return fd < 0 ? -errno : fd;
}

int ct_place_source(const char *path, struct err *err)
{
	int fd = open_plain(AT_FDCWD, path, O_DIRECTORY, 0);

	if (fd == -ELOOP)
		return err_set(
			err, ERR_INVALID,
			"there is a symbolic link in '%s', which a bind mount does not follow: "
			"name the folder that it leads to",
			path);
	return fd < 0 ? err_errno(err, -fd, "folder '%s'", path) : fd;
}

/* One component; it stays below its folder. */
static int open_below(int folder, const char *name, bool is_file, struct err *err)
{
	int fd = open_plain(folder, name, is_file ? 0 : O_DIRECTORY, RESOLVE_BENEATH);
	struct stat st;

	if (fd == -ELOOP)
		return err_set(err, ERR_INVALID, "'%s' is a symbolic link, which is not followed",
			       name);
	if (fd < 0)
		return err_errno(err, -fd, "'%s'", name);
	if (is_file && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_INVALID, "'%s' is a folder", name);
	}
	return fd;
}

/* EEXIST: somebody else was faster, or it is a link: opening it tells. */
static int make_below(int folder, const char *name, bool is_file, struct err *err)
{
	autofd int fd = -1;

	if (!is_file)
		return mkdirat(folder, name, 0755) == 0 || errno == EEXIST
			       ? 0
			       : err_errno(err, errno, "make '%s'", name);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 || errno == EEXIST ? 0 : err_errno(err, errno, "make '%s'", name);
}

static int step(int folder, const char *name, bool is_file, bool make, struct err *err)
{
	struct err why = ERR_INIT;
	int r = open_below(folder, name, is_file, &why);

	if (r == -ERR_NOT_FOUND && make) {
		if ((r = make_below(folder, name, is_file, err)) < 0)
			return r;
		return open_below(folder, name, is_file, err);
	}
	if (r < 0 && err)
		*err = why;
	return r;
}

/* All components but the last `spare` ones. */
static int walk(int root, char **names, size_t count, bool make, struct err *err)
{
	autofd int fd = open_plain(root, ".", O_DIRECTORY, RESOLVE_BENEATH);

	if (fd < 0)
		return err_errno(err, -fd, "root");
	for (size_t i = 0; i < count; i++) {
		int next = step(fd, names[i], false, make, err);

		if (next < 0)
			return next;
		close(fd);
		fd = next;
	}
	return TAKE_FD(fd);
}

static int split(const char *path, char ***ret, size_t *ret_count, struct err *err)
{
	autostrv char **names = str_split(path, "/");
	size_t count = strv_count(names);

	for (size_t i = 0; i < count; i++)
		if (str_eq(names[i], ".") || str_eq(names[i], ".."))
			return err_set(err, ERR_INVALID, "'%s' is not a plain path", path);
	if (count == 0)
		return err_set(err, ERR_INVALID, "'%s' names nothing below the root", path);
	*ret = TAKE(names);
	*ret_count = count;
	return 0;
}

int ct_place_make(int root, const char *path, bool is_file, struct err *err)
{
	autostrv char **names = NULL;
	autofd int parent = -1;
	size_t count;
	int r = split(path, &names, &count, err);

	if (r == 0)
		r = parent = walk(root, names, count - 1, true, err);
	if (r >= 0)
		r = step(parent, names[count - 1], is_file, true, err);
	return r < 0 ? err_prefix(err, "guest's %s", path) : r;
}

int ct_place_parent(int root, const char *path, const char **ret_name, struct err *err)
{
	autostrv char **names = NULL;
	size_t count;
	int r = split(path, &names, &count, err);

	if (r == 0)
		r = walk(root, names, count - 1, false, err);
	if (r < 0)
		return err_prefix(err, "guest's %s", path);
	*ret_name = strrchr(path, '/') + 1;
	return r;
}
