/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors: reading, writing, sealed memory files, random bytes. Files by path are in file.c. */
#include "agent/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#define READ_SIZE ((size_t)64 * 1024)
#define SEALS	  (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int fd_write_all(int fd, const void *data, size_t size, struct err *err)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "write");
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* takes back what was read so far */
static int read_failed(struct buf *ret, size_t start, int errnum, size_t limit, struct err *err)
{
	ret->size = start;
	buf_str(ret);
	return errnum ? err_errno(err, errnum, "read")
		      : err_set(err, ERR_LIMIT, "more than %zu bytes", limit);
}

int fd_read_all(int fd, size_t limit, struct buf *ret, struct err *err)
{
	size_t start = ret->size;

	for (;;) {
		size_t room = limit - (ret->size - start);
		ssize_t n;

		room = room < READ_SIZE ? room + 1 : READ_SIZE; /* one more, to notice an excess */
		buf_reserve(ret, room);
		n = read(fd, ret->data + ret->size, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			break;
		if (n < 0 || (size_t)n > limit - (ret->size - start))
			return read_failed(ret, start, n < 0 ? errno : 0, limit, err);
		ret->size += (size_t)n;
	}
	buf_str(ret);
	return 0;
}

int fd_memfd_sealed(const char *name, const void *data, size_t size, int *ret_fd, struct err *err)
{
	autofd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_errno(err, errno, "memfd_create");
	r = fd_write_all(fd, data, size, err);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return err_errno(err, errno, "seal memfd");
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int fd_memfd_read(int fd, size_t limit, struct buf *ret, struct err *err)
{
	size_t start = ret->size;
	struct stat st;
	off_t at = 0;

	if (fcntl(fd, F_GET_SEALS) < 0 || (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS)
		return err_set(err, ERR_CORRUPT, "passed memory is not sealed");
	if (fstat(fd, &st) < 0)
		return err_errno(err, errno, "memfd");
	if ((uint64_t)st.st_size > limit)
		return err_set(err, ERR_LIMIT, "more than %zu bytes", limit);
	buf_reserve(ret, (size_t)st.st_size);
	while (at < st.st_size) {
		ssize_t n = pread(fd, ret->data + ret->size, (size_t)(st.st_size - at), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return read_failed(ret, start, n < 0 ? errno : EIO, limit, err);
		ret->size += (size_t)n;
		at += n;
	}
	buf_str(ret);
	return 0;
}

void random_bytes(void *data, size_t size)
{
	char *p = data;

	while (size > 0) {
		ssize_t n = getrandom(p, size, 0);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		}
	}
}
