/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that becomes content of a storage, wherever it comes from: written under a temporary name, checked,
 * then named. On failure nothing is left. Job processes only. */
#pragma once

#include "agent/base/clock.h"
#include "agent/task/host/checksum.h"
#include "agent/task/host/volume.h"
#include "storage/reserve.h"

struct incoming {
	struct volume_target target;
	struct checksum checksum;
	struct reservation space;
	enum volume_content content;
	const char *file; /* borrowed from the arguments */
	char temp[256];
	int fd;	       /* -1: not begun */
	uint64_t size; /* announced, 0: unknown */
	uint64_t done;
	uint64_t looked; /* of done, when room was looked for */
	usec_t reported;
};

#define INCOMING_INIT ((struct incoming){.fd = -1})

/* args: a storage, content, filename; optional checksum and checksum-algorithm. */
int incoming_args(const struct fields *args, struct incoming *in, struct err *err);
int incoming_begin(struct incoming *in, struct err *err);
/* So much will come: reserved, and taken at once where the file system can, so that a full one is known before
 * the first byte. 0: unknown. */
int incoming_expect(struct incoming *in, uint64_t size, struct err *err);
/* ERR_CANCELLED when the task is; ERR_NO_SPACE before more than was announced fills the storage. Adds to the checksum and shows progress. */
int incoming_write(struct incoming *in, const void *data, size_t size, struct err *err);
/* All of a file from its start, its size announced first. */
int incoming_copy(struct incoming *in, int fd, struct err *err);
/* Checksum and kind of content are checked; the file gets its name. */
int incoming_commit(struct incoming *in, struct err *err);
void incoming_fini(struct incoming *in); /* removes what was not committed */
