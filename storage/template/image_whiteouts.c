/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a layer takes away: ".wh.NAME", or ".wh..wh..opq" for all that is in a folder, of the layers below it alone. Where
 * these stand in the layer says nothing, so they are collected first and done from the root downwards: what is below a
 * folder that goes, or below a link that the layer replaces by a folder, is gone with it. Job processes only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/template/unpack.h"

#define WHITEOUT	".wh."
#define WHITEOUT_FOLDER ".wh..wh..opq"
#define NAMES_MAX	(64u * 1024 * 1024) /* bytes of memory */

struct taking {
	char **paths;
	size_t count, capacity, bytes;
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool unpack_is_whiteout(const char *name)
{
	return str_starts(last_part(name), WHITEOUT);
}

/* -- collecting -------------------------------------------------------------------------------- */

static int remember(struct taking *t, const char *path, struct err *err)
{
	const char *name = last_part(path) + strlen(WHITEOUT);
	size_t size = strlen(path) + 1 + sizeof(*t->paths);
	if (!str_eq(last_part(path), WHITEOUT_FOLDER) &&
	    (!*name || str_eq(name, ".") || str_eq(name, "..")))
		return err_set(err, ERR_INVALID, "it takes nothing away");
	if (t->bytes + size > NAMES_MAX)
		return err_set(err, ERR_LIMIT, "the layer takes too much away");
	if (t->count == t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : 64;
		t->paths = xrealloc(t->paths, t->capacity, sizeof(*t->paths));
	}
	t->paths[t->count++] = xstrdup(path);
	t->bytes += size;
	return 0;
}

/* The folder is made later; until then nothing may be found through the link. */
static int drop_link(struct unpack *u, const char *path, struct err *err)
{
	autofree char *above = xstrndup(path, (size_t)(last_part(path) - path));
	struct stat st;
	autofd int parent = place_open_real(u->root_fd, above, O_PATH | O_DIRECTORY);
	if (parent < 0 || fstatat(parent, last_part(path), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISLNK(st.st_mode))
		return 0;
	return unlinkat(parent, last_part(path), 0) < 0 ? err_errno(err, errno, "replace it") : 0;
}

static int look(struct unpack *u, struct taking *t, struct archive_entry *entry, struct err *err)
{
	char path[PATH_MAX];
	int r = unpack_count_header(u, err);
	if (r == 0)
		r = place_clean(archive_entry_pathname(entry), path, err);
	if (r < 0)
		return r;
	if (unpack_is_whiteout(path))
		return remember(t, path, err);
	bool is_folder =
		archive_entry_filetype(entry) == AE_IFDIR && !archive_entry_hardlink(entry);
	return is_folder && *path ? drop_link(u, path, err) : 0;
}

static int collect(struct unpack *u, struct taking *t, struct err *err)
{
	struct archive_entry *entry;
	for (;;) {
		int got = archive_read_next_header(u->archive, &entry);
		if (got == ARCHIVE_EOF)
			return 0;
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
			return err_set(err, ERR_CORRUPT, "damaged layer: %s",
				       archive_error_string(u->archive) ?: "unknown error");
		const char *name = archive_entry_pathname(entry);
		if (!name)
			return err_set(err, ERR_INVALID, "an entry's name is no valid text");
		int r = look(u, t, entry, err);
		if (r < 0)
			return err_prefix(err, "entry '%.200s'", name);
	}
}

/* -- taking away ------------------------------------------------------------------------------- */

/* Everything in the folder; lost+found of a root belongs to its file system. */
static int empty_folder(int fd, bool is_root, struct err *err)
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
	while (r == 0 && (e = readdir(dir))) {
		if (str_eq(e->d_name, ".") || str_eq(e->d_name, "..") ||
		    (is_root && str_eq(e->d_name, "lost+found")))
			continue;
		r = dir_remove_at(fd, e->d_name, err);
	}
	closedir(dir);
	return r;
}

/* A folder that is a link is no folder of the layers below: there is nothing to empty. */
static int take(struct unpack *u, char *path, struct err *err)
{
	char *slash = strrchr(path, '/');
	const char *name = last_part(path) + strlen(WHITEOUT);
	bool is_folder = str_eq(last_part(path), WHITEOUT_FOLDER);
	if (slash)
		*slash = '\0';
	autofd int parent = place_open(u->root_fd, slash ? path : "",
				       O_PATH | O_DIRECTORY | (is_folder ? O_NOFOLLOW : 0));
	if (parent == -ENOENT || parent == -ENOTDIR || parent == -ELOOP)
		return 0;
	if (parent < 0)
		return err_errno(err, -parent, "its folder");
	return is_folder ? empty_folder(parent, !slash, err) : dir_remove_at(parent, name, err);
}

static size_t depth_of(const char *path)
{
	size_t depth = 0;
	while ((path = strchr(path, '/')))
		depth++, path++;
	return depth;
}

static int by_depth(const void *a, const void *b)
{
	size_t left = depth_of(*(char *const *)a), right = depth_of(*(char *const *)b);
	return (left > right) - (left < right);
}

int unpack_whiteouts(struct unpack *u, struct err *err)
{
	struct taking t = {0};
	int r = collect(u, &t, err);
	if (r == 0 && t.count > 0)
		qsort(t.paths, t.count, sizeof(*t.paths), by_depth);
	for (size_t i = 0; r == 0 && i < t.count; i++) {
		autofree char *name = xstrdup(t.paths[i]);
		r = take(u, t.paths[i], err);
		if (r < 0)
			err_prefix(err, "entry '%.200s'", name);
	}
	for (size_t i = 0; i < t.count; i++)
		free(t.paths[i]);
	free(t.paths);
	return r;
}
