/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacks a container template (tar, gz, xz, zst) into a directory that belongs to one container.
 * The archive is hostile: nothing is created outside root (openat2 RESOLVE_IN_ROOT and
 * NO_MAGICLINKS for every parent), no device nodes are made, sizes and entry counts are bounded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/clock.h"
#include "agent/base/err.h"

struct template_limits {
	uint64_t max_bytes;   /* unpacked; 0: no bound but the file system's */
	uint64_t max_entries; /* 0: 4,000,000 */
	bool (*is_cancelled)(
		void); /* asked between blocks, may be NULL; true ends with ERR_CANCELLED */
};

struct template_report {
	uint64_t entries, bytes, skipped; /* skipped: device nodes and other unsupported kinds */
};

typedef void (*template_progress_fn)(const struct template_report *so_far, void *ctx);

/* root_fd: directory, empty but for lost+found. Not an archive, truncated or escaping entries are
 * errors whose text names the entry. Of a container image (image.h) the layers are laid over each other. The descriptor is
 * a regular file's, read from its start. */
int template_unpack(int archive_fd, int root_fd, const struct template_limits *limits,
		    template_progress_fn progress, void *ctx, struct template_report *ret,
		    struct err *err);

/* Of this machine, as Debian calls it ("amd64"). */
const char *template_arch(void);

/* Reads the first header: is this a template at all? The descriptor's position moves. */
int template_check(int archive_fd, struct err *err);
