/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A volume as one stream of bytes, for another storage or node. Little-endian: "LODGEVOL", u32 version,
 * u32 kind, u64 size of the volume. An image follows as extents, u64 offset, u32 length and so many
 * bytes, in order and without holes' zeros; length 0 ends it. A tree follows as a tar archive, cut
 * into extents in the same way, so that its end is sure. Private to storage/. Job processes only. */
#pragma once

#include <stdint.h>

#include "agent/base/err.h"

enum stream_kind { STREAM_IMAGE = 1, STREAM_QCOW2 = 2, STREAM_TREE = 3 };

struct stream_header {
	enum stream_kind kind;
	uint64_t size; /* of the file, or the limit of a tree */
};

int stream_header_write(int fd, const struct stream_header *header, struct err *err);
int stream_header_read(int fd, struct stream_header *ret, struct err *err);
/* The content of a file from its start; holes are left out. */
int stream_image_write(int fd, int image_fd, uint64_t size, struct err *err);
/* Into an empty file of at least that size. Bounded by size: ERR_CORRUPT otherwise. */
int stream_image_read(int fd, int image_fd, uint64_t size, struct err *err);
/* By tar, owners as numbers, with extended attributes. */
int stream_tree_write(int fd, const char *path, struct err *err);
int stream_tree_read(int fd, const char *path, struct err *err);
