/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places that something is mounted at or from, where others may exchange names while one looks: a bind mount lies in
 * the tree of another one, which a container writes in. They are walked from descriptor to descriptor; what is done
 * then is done to the descriptor, never to the path again. On the node no link is followed. Inside, links of the mount
 * that the root lies in are (/lib of a merged /usr, /var/run), as long as they stay in it: there nobody writes but the
 * container itself. Those of other mounts are not. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

/* A folder of this node that a bind mount names, O_PATH. ERR_INVALID: a link is on the way to it. */
int ct_place_source(const char *path, struct err *err);
/* A folder or an empty file below root, made with its parents where it is missing, O_PATH. path: absolute inside. */
int ct_place_make(int root, const char *path, bool is_file, struct err *err);
/* The folder that it lies in, and its name there (heap). ERR_NOT_FOUND: there is none. */
int ct_place_parent(int root, const char *path, char **ret_name, struct err *err);
