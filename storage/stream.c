/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes and reads volumes as streams. What arrives is checked against its own header before a byte of
 * it is written. Job processes only. */
#include "storage/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define MAGIC	    "LODGEVOL"
#define VERSION	    1
#define HEADER_SIZE 24
#define EXTENT_SIZE 12
#define EXTENT_MAX  (1024u * 1024)

/* Everything or ERR_CORRUPT. */
static int read_exactly(int fd, void *data, size_t size, struct err *err)
{
	char *at = data;
	while (size > 0) {
		ssize_t n = read(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "read the volume's stream");
		if (n == 0)
			return err_set(err, ERR_CORRUPT, "the volume's stream ends early");
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int stream_header_write(int fd, const struct stream_header *header, struct err *err)
{
	autobuf out = BUF_INIT;
	buf_add(&out, MAGIC, strlen(MAGIC));
	buf_add_u32(&out, VERSION);
	buf_add_u32(&out, header->kind);
	buf_add_u64(&out, header->size);
	return fd_write_all(fd, out.data, out.size, err);
}

int stream_header_read(int fd, struct stream_header *ret, struct err *err)
{
	char data[HEADER_SIZE];
	int r = read_exactly(fd, data, sizeof(data), err);
	if (r < 0)
		return r;
	struct cursor c = cursor_on(data + strlen(MAGIC), sizeof(data) - strlen(MAGIC));
	uint32_t version = cursor_u32(&c), kind = cursor_u32(&c);
	uint64_t size = cursor_u64(&c);
	if (memcmp(data, MAGIC, strlen(MAGIC)) != 0 || version != VERSION)
		return err_set(err, ERR_CORRUPT, "no volume stream of version %d", VERSION);
	if (kind < STREAM_IMAGE || kind > STREAM_TREE || size > INT64_MAX)
		return err_set(err, ERR_CORRUPT, "a volume stream of an unknown kind");
	*ret = (struct stream_header){.kind = (enum stream_kind)kind, .size = size};
	return 0;
}

static int write_extent(int fd, uint64_t offset, const void *data, uint32_t size, struct err *err)
{
	autobuf head = BUF_INIT;
	buf_add_u64(&head, offset);
	buf_add_u32(&head, size);
	int r = fd_write_all(fd, head.data, head.size, err);
	return r < 0 || size == 0 ? r : fd_write_all(fd, data, size, err);
}

/* The next data at or after *at, up to *ret_end; *at is size where none follows. */
static void find_data(int fd, uint64_t size, uint64_t *at, uint64_t *ret_end)
{
	off_t data = lseek(fd, (off_t)*at, SEEK_DATA), hole;
	if (data < 0 && errno == ENXIO) {
		*at = *ret_end = size;
		return;
	}
	*at = data < 0 ? *at : (uint64_t)data; /* file systems without it are all data */
	hole = data < 0 ? (off_t)size : lseek(fd, data, SEEK_HOLE);
	*ret_end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
}

static int write_range(int fd, int image_fd, uint64_t at, uint64_t end, char *block,
		       struct err *err)
{
	int r = 0;
	while (r == 0 && at < end) {
		size_t want = end - at > EXTENT_MAX ? EXTENT_MAX : (size_t)(end - at);
		ssize_t n = pread(image_fd, block, want, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(err, n < 0 ? errno : EIO, "read the volume");
		r = write_extent(fd, at, block, (uint32_t)n, err);
		at += (uint64_t)n;
	}
	return r;
}

int stream_image_write(int fd, int image_fd, uint64_t size, struct err *err)
{
	autofree char *block = xmalloc(EXTENT_MAX);
	uint64_t at = 0, end;
	int r = 0;
	while (r == 0 && at < size) {
		find_data(image_fd, size, &at, &end);
		r = write_range(fd, image_fd, at, end, block, err);
		at = end;
	}
	return r < 0 ? r : write_extent(fd, size, NULL, 0, err);
}

static int write_at(int fd, const char *data, size_t size, uint64_t at, struct err *err)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(err, n < 0 ? errno : EIO, "write the volume");
		data += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* The next extent into block; *ret_size 0: the end. */
static int read_extent(int fd, uint64_t next, uint64_t limit, char *block, uint64_t *ret_offset,
		       uint32_t *ret_size, struct err *err)
{
	char head[EXTENT_SIZE];
	int r = read_exactly(fd, head, sizeof(head), err);
	if (r < 0)
		return r;
	struct cursor c = cursor_on(head, sizeof(head));
	uint64_t offset = cursor_u64(&c);
	uint32_t size = cursor_u32(&c);
	if (size > EXTENT_MAX || offset < next || offset > limit || size > limit - offset)
		return err_set(err, ERR_CORRUPT, "a bad extent in the volume's stream");
	*ret_offset = offset;
	*ret_size = size;
	return read_exactly(fd, block, size, err);
}

int stream_image_read(int fd, int image_fd, uint64_t size, struct err *err)
{
	autofree char *block = xmalloc(EXTENT_MAX);
	for (uint64_t next = 0;;) {
		uint64_t offset;
		uint32_t length;
		int r = read_extent(fd, next, size, block, &offset, &length, err);
		if (r < 0 || length == 0)
			return r;
		if ((r = write_at(image_fd, block, length, offset, err)) < 0)
			return r;
		next = offset + length;
	}
}

/* Starts tar with one end of a pipe as its input or output; ret_fd is the other one. */
static int start_tar(const char *const *argv, bool is_reader, pid_t *ret_pid, int *ret_fd,
		     struct err *err)
{
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(err, errno, "pipe");
	autofd int read_end = pipes[0], write_end = pipes[1];
	const struct exec_spawn spec = {.argv = argv,
					.stdin_fd = is_reader ? read_end : -1,
					.stdout_fd = is_reader ? -1 : write_end,
					.stderr_fd = STDERR_FILENO};
	int r = exec_spawn(&spec, ret_pid, err);
	if (r == 0)
		*ret_fd = is_reader ? TAKE_FD(write_end) : TAKE_FD(read_end);
	return r;
}

/* r: what became of the stream; it counts before tar's own end. */
static int end_tar(pid_t pid, int r, struct err *err)
{
	int status = 0;
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = err_set(err, ERR_IO, "tar failed; its own words stand above");
	return r;
}

static int send_tree(int fd, int from, char *block, struct err *err)
{
	for (uint64_t at = 0;;) {
		ssize_t n = read(from, block, EXTENT_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "read from tar");
		int r = write_extent(fd, at, block, (uint32_t)n, err);
		if (r < 0 || n == 0)
			return r;
		at += (uint64_t)n;
	}
}

int stream_tree_write(int fd, const char *path, struct err *err)
{
	const char *const argv[] = {
		"tar", "--numeric-owner", "--xattrs", "--acls", "--sparse", "-C", path, "-c", ".",
		NULL};
	autofree char *block = xmalloc(EXTENT_MAX);
	autofd int from = -1;
	pid_t pid;
	int r = start_tar(argv, false, &pid, &from, err);
	return r < 0 ? r : end_tar(pid, send_tree(fd, from, block, err), err);
}

static int receive_tree(int fd, int to, char *block, struct err *err)
{
	for (uint64_t next = 0;;) {
		uint64_t offset;
		uint32_t size;
		int r = read_extent(fd, next, INT64_MAX, block, &offset, &size, err);
		if (r < 0 || size == 0)
			return r;
		if (offset != next)
			return err_set(err, ERR_CORRUPT, "a gap in the volume's stream");
		if ((r = fd_write_all(to, block, size, err)) < 0)
			return r;
		next += size;
	}
}

int stream_tree_read(int fd, const char *path, struct err *err)
{
	const char *const argv[] = {"tar",
				    "--numeric-owner",
				    "--xattrs-include=*",
				    "--acls",
				    "--same-owner",
				    "--same-permissions",
				    "-C",
				    path,
				    "-x",
				    NULL};
	autofree char *block = xmalloc(EXTENT_MAX);
	autofd int to = -1;
	pid_t pid;
	int r = start_tar(argv, true, &pid, &to, err);
	if (r < 0)
		return r;
	r = receive_tree(fd, to, block, err);
	close(TAKE_FD(to)); /* its end of input */
	return end_tar(pid, r, err);
}
