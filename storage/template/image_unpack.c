/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lays the layers of a container image over each other. Each but the lowest is read twice, the first time for what it takes
 * away (image_whiteouts.c). What is decoded is counted against what is read, whether or not something is made of it. Job
 * processes only. */
#include <errno.h>

#include "agent/base/mem.h"
#include "storage/template/image_archive.h"
#include "storage/template/unpack.h"

/* Whoever builds images does not reach these: gzip's best is 1032 times, and that of zeros. */
#define DECODED_RATIO 256u
#define DECODED_FREE  (64ull << 20)
#define DECODED_MAX   (256ull << 30) /* of all layers, twice */

int unpack_count_decoded(struct unpack *u, uint64_t taken, uint64_t decoded, struct err *err)
{
	u->taken += taken;
	u->decoded += decoded;
	if (u->decoded > DECODED_MAX || u->decoded > DECODED_FREE + u->taken * DECODED_RATIO)
		return err_set(
			err, ERR_LIMIT,
			"the image's layers hold %llu bytes in %llu: more than %u times their "
			"size, or than %llu",
			(unsigned long long)u->decoded, (unsigned long long)u->taken, DECODED_RATIO,
			DECODED_MAX);
	return 0;
}

struct layer {
	struct blob blob;
	struct unpack *unpack;
	uint64_t counted; /* of what came out of the filters */
	struct err err;	  /* why the blob could not be read */
};

/* Of what was read before: more is not decoded yet. */
static int count_layer(struct layer *layer, struct archive *a, uint64_t taken)
{
	int64_t bytes = archive_filter_bytes(a, 0);
	uint64_t decoded = bytes > 0 ? (uint64_t)bytes : 0, before = layer->counted;
	layer->counted = decoded;
	return unpack_count_decoded(layer->unpack, taken, decoded > before ? decoded - before : 0,
				    &layer->err);
}

static la_ssize_t read_layer(struct archive *a, void *ctx, const void **ret)
{
	struct layer *layer = ctx;
	long n = blob_read(&layer->blob, &layer->err);
	if (n >= 0) {
		int r = count_layer(layer, a, (uint64_t)n);
		n = r < 0 ? r : n;
	}
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

static int run_layer(struct unpack *u, int fd, const struct image_blob *is,
		     int (*run)(struct unpack *u, struct err *err), struct err *err)
{
	autofree struct layer *layer = xcalloc(1, sizeof(*layer));
	layer->unpack = u;
	layer->blob.is_cancelled = u->limits.is_cancelled;
	int r = blob_open(fd, is, &layer->blob, err);
	if (r < 0)
		return r;
	r = open_layer(u, layer, err);
	if (r == 0)
		r = run(u, err);
	if (r == 0)
		r = count_layer(layer, u->archive, 0);
	if (r < 0 && layer->err.code) { /* libarchive has but the text */
		r = -layer->err.code;
		if (err)
			*err = layer->err;
	}
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
			r = run_layer(u, fd, &manifest->layers[i], unpack_whiteouts, err);
		if (r == 0)
			r = run_layer(u, fd, &manifest->layers[i], unpack_entries, err);
		if (r < 0)
			err_prefix(err, "layer %zu", i + 1);
	}
	return r;
}
