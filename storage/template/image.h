/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Container images (OCI, and Docker's of the same kind) in a plain tar archive: layers instead of one tree, and what is to
 * run in them. All of it is hostile: texts are bounded, and every blob is what its name (sha256) says. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/fields.h"

#define IMAGE_TEXT_MAX	 (4u * 1024 * 1024)
#define IMAGE_LAYERS_MAX 256
#define IMAGE_SHA_SIZE	 65 /* hexadecimal, with the NUL */
#define IMAGE_REPEAT_MAX                                                                           \
	(64u * 1024) /* a layer that comes again: builders add the same empty one */

/* What an image's texts say of one of its blobs. */
struct image_blob {
	char sha[IMAGE_SHA_SIZE];
	uint64_t size;
};

struct image_manifest {
	struct image_blob config;
	struct image_blob layers[IMAGE_LAYERS_MAX]; /* lowest first */
	size_t count;
};

/* Texts, pure. */

/* The manifest for this architecture ("amd64"): a list names one, or, *ret_is_index, another list. */
int image_index_parse(const char *text, size_t size, const char *arch, struct image_blob *ret,
		      bool *ret_is_index, struct err *err);
/* ERR_UNSUPPORTED for layers of other kinds than tar, plain, gzip or zstd; ERR_LIMIT for one of more than
 * IMAGE_REPEAT_MAX bytes that comes again. */
int image_manifest_parse(const char *text, size_t size, struct image_manifest *ret,
			 struct err *err);
/* Of all its blobs, UINT64_MAX when that is no number. */
uint64_t image_manifest_size(const struct image_manifest *manifest);
/* Is it a list of manifests, and none itself? */
bool image_text_is_index(const char *text, size_t size);
/* What runs, in a container's terms, each as far as the image has it: entrypoint (a command line, quotes around
 * whole words), env ("A=1\0B=2", with the two characters "\0"), uid and gid (numbers).
 * note: what was left out, a line each; a working folder always is. */
int image_config_parse(const char *text, size_t size, struct fields *ret, struct err *err);

/* Archives; the descriptor is a regular file's, its position moves. */

bool image_is_one(int fd);
int image_read_manifest(int fd, const char *arch, struct image_manifest *ret, struct err *err);
int image_read_config(int fd, const char *arch, struct fields *ret, struct err *err);
