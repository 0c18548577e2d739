/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an entry of a template goes: names cleaned by text, folders found by the kernel below the
 * root. Job processes only. */
#include "storage/template/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"

#define OPEN_TRY 16 /* EAGAIN: something was renamed while ".." was resolved */

static int open_below(int root_fd, const char *path, int flags, uint64_t more)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV | more,
	};
	for (int i = 0;; i++) {
		long fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno == EINTR || (errno == EAGAIN && i < OPEN_TRY))
			continue;
		return -errno;
	}
}

int place_open(int root_fd, const char *path, int flags)
{
	return open_below(root_fd, path, flags, 0);
}

int place_open_real(int root_fd, const char *path, int flags)
{
	return open_below(root_fd, path, flags, RESOLVE_NO_SYMLINKS);
}

static bool is_dots(const char *part, size_t size, size_t dots)
{
	return size == dots && memcmp(part, "..", dots) == 0;
}

int place_clean(const char *text, char ret[PATH_MAX], struct err *err)
{
	size_t used = 0;
	if (strlen(text) >= PATH_MAX)
		return err_set(err, ERR_INVALID, "the name is too long");
	for (const char *part = text; *part;) {
		size_t size = strcspn(part, "/");
		if (is_dots(part, size, 2))
			return err_set(err, ERR_INVALID, "the name leads out of the archive");
		if (size > 0 && !is_dots(part, size, 1)) {
			if (used > 0)
				ret[used++] = '/';
			memcpy(ret + used, part, size);
			used += size;
		}
		part += size + (part[size] == '/');
	}
	ret[used] = '\0';
	return 0;
}

/* Makes `path`'s folders that are missing, one after the other, each below the one found before. */
static int make_parents(int root_fd, char *path)
{
	int r = 0;
	for (char *at = path; r >= 0 && at;) {
		char *slash = strchr(at, '/');
		if (slash)
			*slash = '\0';
		autofd int fd = place_open(root_fd, path, O_PATH | O_DIRECTORY);
		if (fd == -ENOENT) {
			autofd int above = -1;
			char *last = at > path ? at - 1 : NULL;
			if (last)
				*last = '\0';
			above = place_open(root_fd, last ? path : "", O_PATH | O_DIRECTORY);
			if (last)
				*last = '/';
			r = above < 0 ? above : mkdirat(above, at, 0755) < 0 ? -errno : 0;
		} else {
			r = fd < 0 ? fd : 0;
		}
		if (slash)
			*slash = '/';
		at = slash ? slash + 1 : NULL;
	}
	return r;
}

static int open_parent(int root_fd, char *parent)
{
	int fd = place_open(root_fd, parent, O_PATH | O_DIRECTORY);
	if (fd != -ENOENT)
		return fd;
	int r = make_parents(root_fd, parent);
	return r < 0 ? r : place_open(root_fd, parent, O_PATH | O_DIRECTORY);
}

int place_find(int root_fd, const char *text, struct place *ret, struct err *err)
{
	char parent[PATH_MAX] = "";
	ret->parent_fd = -1;
	int r = place_clean(text, ret->path, err);
	if (r < 0)
		return r;
	char *slash = strrchr(ret->path, '/');
	ret->name = slash ? slash + 1 : ret->path;
	if (ret->path[0] == '\0')
		return 0;
	if (slash)
		memcpy(parent, ret->path, (size_t)(slash - ret->path));
	r = open_parent(root_fd, parent);
	if (r < 0)
		return err_errno(err, -r, "its folder");
	ret->parent_fd = r;
	return 0;
}

void place_fini(struct place *place)
{
	if (place->parent_fd >= 0)
		close(place->parent_fd);
	place->parent_fd = -1;
}

int place_clear(const struct place *place, bool is_deep, struct err *err)
{
	struct stat st;
	if (fstatat(place->parent_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "look it up");
	if (is_deep)
		return dir_remove_at(place->parent_fd, place->name, err);
	int flags = S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0;
	if (unlinkat(place->parent_fd, place->name, flags) < 0)
		return err_errno(err, errno, "replace it");
	return 0;
}
