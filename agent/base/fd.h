/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors and small files. Everything is opened close-on-exec. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define autofd __attribute__((cleanup(closep)))

int fd_set_nonblock(int fd, bool on); /* 0 or -errno */
/* Writes everything, retrying on EINTR and (by poll) EAGAIN. */
int fd_write_all(int fd, const void *data, size_t size, struct err *err);
/* Reads to the end; more than limit bytes is ERR_LIMIT. Appends to ret. */
int fd_read_all(int fd, size_t limit, struct buf *ret, struct err *err);
int file_read(const char *path, size_t limit, struct buf *ret, struct err *err);
/* How the temporary names beside a file begin: as its own, cut where they would be too long. Heap. */
char *file_temp_prefix(const char *path);
/* Temporary name beside it, write, fsync, rename, fsync of the directory. */
int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode,
		      struct err *err);
int file_remove(const char *path, struct err *err); /* absent is fine */
int dir_make(const char *path, mode_t mode, struct err *err); /* with parents; existing is fine */
/* Removes a tree without following links or crossing file systems; absent is fine. */
int dir_remove_tree(const char *path, struct err *err);
/* The same of a name in an open folder: no path, one component. */
int dir_remove_at(int parent, const char *name, struct err *err);
/* A sealed memfd (no write, grow, shrink, seal) holding data, offset 0. */
int fd_memfd_sealed(const char *name, const void *data, size_t size, int *ret_fd, struct err *err);
/* Whole content of a memfd that must carry all seals; for data from less trusted processes. */
int fd_memfd_read(int fd, size_t limit, struct buf *ret, struct err *err);
/* Cryptographically secure random bytes; aborts if the kernel cannot give any. */
void random_bytes(void *data, size_t size);
