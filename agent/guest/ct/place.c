/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks to places of mounts. Runs in jobs and hooks, in forked steps. */
#include "agent/guest/ct/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LINKS_MAX 8
#define TRIES	  64 /* EAGAIN: somebody renames or mounts meanwhile */

static int open_path(int at, const char *name, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve};
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int open_plain(int at, const char *name, uint64_t flags, uint64_t resolve)
{
	return open_path(at, name, flags, resolve | RESOLVE_NO_SYMLINKS);
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

/* What a link leads to that lies, with everything on the way to it, in the mount of the root: whoever writes there is
 * the container itself, and what it leads to is below its root. */
static int follow(int root, const char *path, struct err *err)
{
	int fd = open_path(root, path, O_DIRECTORY,
			   RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);

	if (fd == -EXDEV)
		return err_set(err, ERR_INVALID,
			       "'%s' is a symbolic link of another mount or into one, which is not "
			       "followed",
			       path);
	return fd < 0 ? err_errno(err, -fd, "what '%s' leads to", path) : fd;
}

static bool is_link(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* The folder that so many of the names lead to. */
static int walk(int root, char **names, size_t count, bool make, struct err *err)
{
	autofd int fd = open_plain(root, ".", O_DIRECTORY, RESOLVE_BENEATH);
	autobuf path = BUF_INIT;

	if (fd < 0)
		return err_errno(err, -fd, "root");
	for (size_t i = 0; i < count; i++) {
		buf_addf(&path, "%s%s", i ? "/" : "", names[i]);
		int next = is_link(fd, names[i]) ? follow(root, buf_str(&path), err)
						 : step(fd, names[i], false, make, err);

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

static bool is_same_mount(int a, int b)
{
	struct statx x, y;

	return statx(a, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 &&
	       statx(b, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) == 0 &&
	       (x.stx_mask & y.stx_mask & STATX_MNT_ID) && x.stx_mnt_id == y.stx_mnt_id;
}

/* What the last name stands for, where it is a link of the root's own mount: a path without "..", walked like any
 * other one. NULL: it is none, or is not followed. */
static char *replacement(int root, int parent, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char target[PATH_MAX];
	ssize_t size = readlinkat(parent, name, target, sizeof(target) - 1);

	if (size <= 0 || !is_same_mount(root, parent))
		return NULL;
	target[size] = '\0';
	return target[0] == '/' ? xstrdup(target)
				: xasprintf("%.*s%s", (int)(name - path), path, target);
}

struct place {
	char *path; /* owned */
	char **names;
	size_t count;
	int parent;
};

static void place_fini(struct place *place)
{
	free(place->path);
	strv_free(place->names);
	if (place->parent >= 0)
		close(place->parent);
}

static int find_once(int root, bool make, struct place *place, struct err *err)
{
	int r = split(place->path, &place->names, &place->count, err);

	if (r == 0)
		r = place->parent = walk(root, place->names, place->count - 1, make, err);
	return r < 0 ? r : 0;
}

/* The folder that it lies in, and its name there. */
static int find(int root, const char *path, bool make, struct place *ret, struct err *err)
{
	struct place place = {.path = xstrdup(path), .parent = -1};
	int r = find_once(root, make, &place, err);

	for (int i = 0; r == 0 && i < LINKS_MAX; i++) {
		char *next = replacement(root, place.parent, place.path);

		if (!next)
			break;
		place_fini(&place);
		place = (struct place){.path = next, .parent = -1};
		r = find_once(root, make, &place, err);
	}
	if (r < 0) {
		place_fini(&place);
		return err_prefix(err, "guest's %s", path);
	}
	*ret = place;
	return 0;
}

int ct_place_make(int root, const char *path, bool is_file, struct err *err)
{
	struct place place;
	int r = find(root, path, true, &place, err);

	if (r < 0)
		return r;
	r = step(place.parent, place.names[place.count - 1], is_file, true, err);
	place_fini(&place);
	return r < 0 ? err_prefix(err, "guest's %s", path) : r;
}

int ct_place_parent(int root, const char *path, char **ret_name, struct err *err)
{
	struct place place;
	int r = find(root, path, false, &place, err);

	if (r < 0)
		return r;
	*ret_name = xstrdup(place.names[place.count - 1]);
	r = place.parent;
	place.parent = -1;
	place_fini(&place);
	return r;
}
