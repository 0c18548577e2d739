/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lays the layers of a container image over each other. A layer takes away what is below it by entries ".wh.NAME", or
 * ".wh..wh..opq" for all that is in a folder, wherever in the layer they stand: so it is read twice, the first time for these
 * alone. Job processes only. */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/template/image_archive.h"
#include "storage/template/unpack.h"

#define WHITEOUT	".wh."
#define WHITEOUT_FOLDER ".wh..wh..opq"

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool unpack_is_whiteout(const char *name)
{
	return str_starts(last_part(name), WHITEOUT);
}

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

static int apply(struct unpack *u, const char *text, struct err *err)
{
	char path[PATH_MAX];
	int r = place_clean(text, path, err);
	if (r < 0 || !unpack_is_whiteout(path))
		return r;
	char *slash = strrchr(path, '/');
	const char *name = last_part(path) + strlen(WHITEOUT);
	bool is_folder = str_eq(last_part(path), WHITEOUT_FOLDER);
	if (!is_folder && (!*name || str_eq(name, ".") || str_eq(name, "..")))
		return err_set(err, ERR_INVALID, "it takes nothing away");
	if (slash)
		*slash = '\0';
	autofd int parent = place_open(u->root_fd, slash ? path : "", O_PATH | O_DIRECTORY);
	if (parent == -ENOENT || parent == -ENOTDIR)
		return 0;
	if (parent < 0)
		return err_errno(err, -parent, "its folder");
	return is_folder ? empty_folder(parent, !slash, err) : dir_remove_at(parent, name, err);
}

int unpack_whiteouts(struct unpack *u, struct err *err)
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
		int r = name ? apply(u, name, err)
			     : err_set(err, ERR_INVALID, "an entry's name is no valid text");
		if (r == 0)
			r = unpack_count(u, 0, err);
		if (r < 0)
			return name ? err_prefix(err, "entry '%.200s'", name) : r;
	}
}

/* -- layers ------------------------------------------------------------------------------------ */

struct layer {
	struct blob blob;
	struct err err; /* why the blob could not be read */
};

static la_ssize_t read_layer(struct archive *a, void *ctx, const void **ret)
{
	struct layer *layer = ctx;
	long n = blob_read(&layer->blob, &layer->err);
	if (n < 0)
		archive_set_error(a, EIO, "%s", layer->err.message);
	*ret = layer->blob.block;
	return n < 0 ? -1 : (la_ssize_t)n;
}

static int open_layer(struct unpack *u, struct layer *layer, struct err *err)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return err_set(err, ERR_INTERNAL, "no memory for the archive reader");
	if (archive_read_support_filter_gzip(u->archive) == ARCHIVE_OK &&
	    archive_read_support_filter_zstd(u->archive) == ARCHIVE_OK &&
	    archive_read_support_format_tar(u->archive) == ARCHIVE_OK &&
	    archive_read_support_format_empty(u->archive) == ARCHIVE_OK &&
	    archive_read_open(u->archive, layer, NULL, read_layer, NULL) == ARCHIVE_OK)
		return 0;
	return err_set(err, ERR_CORRUPT, "damaged layer: %s",
		       archive_error_string(u->archive) ?: "it is no archive");
}

static int run_layer(struct unpack *u, int fd, const char *sha,
		     int (*run)(struct unpack *u, struct err *err), struct err *err)
{
	autofree struct layer *layer = xcalloc(1, sizeof(*layer));
	int r = blob_open(fd, sha, &layer->blob, err);
	if (r < 0)
		return r;
	r = open_layer(u, layer, err);
	if (r == 0)
		r = run(u, err);
	if (r == 0)
		r = blob_verify(&layer->blob, err);
	archive_read_free(u->archive);
	u->archive = NULL;
	blob_close(&layer->blob);
	return r;
}

int unpack_image(struct unpack *u, int fd, const char *arch, struct err *err)
{
	autofree struct image_manifest *manifest = xcalloc(1, sizeof(*manifest));
	int r = image_read_manifest(fd, arch, manifest, err);
	u->is_layer = true;
	for (size_t i = 0; r == 0 && i < manifest->count; i++) {
		if (i > 0)
			r = run_layer(u, fd, manifest->layers[i], unpack_whiteouts, err);
		if (r == 0)
			r = run_layer(u, fd, manifest->layers[i], unpack_entries, err);
		if (r < 0)
			err_prefix(err, "layer %zu", i + 1);
	}
	return r;
}
