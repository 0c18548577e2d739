/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images: their header is read here, everything else is done by qemu-img, which locks the image:
 * one that an emulator has open is refused. Private to storage/, but for qcow2_check(). Job and helper processes only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "storage/storage.h"

struct qcow2_header {
	uint64_t size;
	char backing[512]; /* file name as it stands there, "" for none */
	char backing_format
		[16];	    /* "": none said, and qemu would guess it from what the file holds */
	bool has_data_file; /* its data lies in another file */
};

/* ERR_CORRUPT: no qcow2. fd stays where it is. */
int qcow2_header_read(int fd, struct qcow2_header *ret, struct err *err);

/* What an image says is in the hands of the emulator that writes it. One that was taken over could name any file of
 * the host as that on which it stands, or where its data is, for qemu-img to open as root. ERR_CORRUPT unless it names
 * exactly the base that its volume id has, in that one's format, and that names none. Other formats than qcow2 are fine:
 * they name nothing. What takes a volume below asks it first. */
int qcow2_check(const char *path, const struct volid *volume, struct err *err);

/* Makes an existing empty file an image. preallocation: off, metadata, falloc, full, or NULL: metadata. */
int qcow2_make(const char *path, uint64_t size, const char *preallocation, struct err *err);
/* The same on a backing file, whose name is relative to the image's folder. */
int qcow2_make_overlay(const char *path, const char *backing, const char *format, struct err *err);
int qcow2_resize(const char *path, const struct volid *volume, uint64_t size, struct err *err);
int qcow2_snapshot(const char *path, const struct volid *volume, const char *name, struct err *err);
int qcow2_snapshot_delete(const char *path, const struct volid *volume, const char *name,
			  struct err *err); /* absent is fine */
int qcow2_rollback(const char *path, const struct volid *volume, const char *name, struct err *err);
int qcow2_snapshots(const char *path, const struct volid *volume, snapshot_each_fn each, void *ctx,
		    struct err *err);
