/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blobs in the archive of a container image. Private to this folder. */
#pragma once

#include <archive.h>
#include <nettle/sha2.h>

#include "storage/template/image.h"

#define BLOB_BLOCK (128 * 1024)

/* One blob, read from its begin; checked against its name at the end. */
struct blob {
	struct archive *outer;
	struct sha256_ctx sha;
	char name[IMAGE_SHA_SIZE];
	char block[BLOB_BLOCK];
};

int blob_open(int fd, const char sha[IMAGE_SHA_SIZE], struct blob *ret, struct err *err);
/* Bytes read into block, 0 at the end, or a negative error. */
long blob_read(struct blob *blob, struct err *err);
/* Reads what is left; ERR_CORRUPT if it is not what its name says. */
int blob_verify(struct blob *blob, struct err *err);
void blob_close(struct blob *blob);
