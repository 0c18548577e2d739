/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One compressed file becomes another, by libarchive. Job processes only. */
#pragma once

#include "agent/task/host/incoming.h"

/* "gz", "xz", "zst", "bz2" */
int decompress_check(const char *compression, struct err *err);
/* Reads fd from its start, writes to in. Ends before the storage is full. */
int decompress(const char *compression, int fd, struct incoming *in, struct err *err);
