/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ext4 file systems inside images: made, checked, grown. Job processes only; tools run by argv,
 * each with a deadline. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

/* A new, empty file system on an image or block device; root's. */
int filesystem_make(const char *path, struct err *err);
/* Is it marked as having errors? false as well: not ext4. fd: of its image or device. */
bool filesystem_has_errors(int fd);
/* Checks an unmounted one and repairs all that it can. *ret_was_torn: more than what needs no question; also on failure. */
int filesystem_check(const char *path, bool *ret_was_torn, struct err *err);
/* Grows an unmounted one to the size of its image or device, after a check that repairs it. Where the tool is cut short
 * it has torn the file system, and only the next check makes it whole (*ret_was_torn: it was, also on failure). */
int filesystem_grow(const char *path, bool *ret_was_torn, struct err *err);
/* The same while it is mounted, in whatever mount namespace: root_fd is its root folder (/proc/PID/root).
 * A loop device below is told of the image's new size first. ERR_UNSUPPORTED: this kernel, or not this file system, which
 * may have errors; not grown. */
int filesystem_grow_mounted(int root_fd, struct err *err);
