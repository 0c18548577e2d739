/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blobs in the archive of a container image. Private to this folder. */
#pragma once

#include <archive.h>
#include <nettle/sha2.h>

#include "storage/template/image.h"

#define BLOB_BLOCK (16 * 1024) /* small: so much is decoded between two looks at what came of it */

/* One blob, read from its begin; checked against its name at the end. */
struct blob {
	struct archive *outer;
	struct sha256_ctx sha;
	struct image_blob is; /* as it should be */
	uint64_t done;
	bool (*is_cancelled)(void); /* or NULL; kept by blob_open() */
	char block[BLOB_BLOCK];
};

/* ERR_CORRUPT when it has another size. */
int blob_open(int fd, const struct image_blob *is, struct blob *ret, struct err *err);
/* Bytes read into block, 0 at the end, or a negative error. */
long blob_read(struct blob *blob, struct err *err);
/* Reads what is left; ERR_CORRUPT if it is not what its name says. */
int blob_verify(struct blob *blob, struct err *err);
void blob_close(struct blob *blob);
