/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places that something is mounted at or from, where others may exchange names while one looks: a bind mount lies in
 * the tree of another one, which a container writes in. They are walked from descriptor to descriptor and no link is
 * followed, be it of the root of the container itself; what is done then is done to the descriptor, never to the
 * path again. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

/* A folder of this node that a bind mount names, O_PATH. ERR_INVALID: a link is on the way to it. */
int ct_place_source(const char *path, struct err *err);
/* A folder or an empty file below root, made with its parents where it is missing, O_PATH. path: absolute inside. */
int ct_place_make(int root, const char *path, bool is_file, struct err *err);
/* The folder that holds the last component, which *ret_name points at. ERR_NOT_FOUND: there is none. */
int ct_place_parent(int root, const char *path, const char **ret_name, struct err *err);
