/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files inside a container's root, whose content is hostile: every path is resolved by the kernel
 * inside root (openat2 RESOLVE_IN_ROOT, no magic links), and the last component is never followed
 * when something is written. Paths are absolute inside the root. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/* Descriptor or -errno. Links are followed, inside the root. */
int rootdir_open(int root, const char *path, int flags);
bool rootdir_exists(int root, const char *path);
/* A regular file of at most limit bytes, appended to ret. */
int rootdir_read(int root, const char *path, size_t limit, struct buf *ret, struct err *err);
/* Replaces the file (a link is replaced, not followed), parents are made. An existing file keeps owner
 * and mode, a new one is root's with `mode`. Equal content: nothing is written. */
int rootdir_write(int root, const char *path, const void *data, size_t size, mode_t mode,
		  struct err *err);
int rootdir_make(int root, const char *path, mode_t mode, struct err *err); /* with parents */
/* A symbolic link; an existing one, or an existing file, is left alone. */
int rootdir_link(int root, const char *path, const char *target, struct err *err);
/* As rootdir_link(), but what was there goes in the same step. */
int rootdir_replace_link(int root, const char *path, const char *target, struct err *err);
int rootdir_remove(int root, const char *path, struct err *err); /* a file; absent is fine */
/* The text of a link, or "" if it is none. */
void rootdir_read_link(int root, const char *path, char *ret, size_t size);
