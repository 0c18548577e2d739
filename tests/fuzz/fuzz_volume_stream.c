/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A volume's stream from elsewhere: never writes beyond the size that it announced, and what comes through goes
 * out again and in to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "storage/qcow2.h"
#include "storage/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_TRIED (1u << 20)

static int file_of(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, data, size, NULL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static void check_size(int fd, uint64_t size)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != size)
		abort();
}

static void again(int image, uint64_t size)
{
	autofd int out = file_of("", 0), copy = file_of("", 0);
	if (stream_image_write(out, image, size, NULL) < 0 || lseek(out, 0, SEEK_SET) < 0 ||
	    ftruncate(copy, (off_t)size) < 0 || stream_image_read(out, copy, size, NULL) < 0)
		abort();
	for (uint64_t at = 0; at < size; at += 4096) {
		char a[4096] = {0}, b[4096] = {0};
		if (pread(image, a, sizeof(a), (off_t)at) < 0 ||
		    pread(copy, b, sizeof(b), (off_t)at) < 0 || memcmp(a, b, sizeof(a)) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofd int in = file_of(data, size), image = file_of("", 0);
	struct stream_header header;
	struct qcow2_header qcow2;

	qcow2_header_read(in, &qcow2, NULL);
	if (stream_header_read(in, &header, NULL) < 0 || header.kind == STREAM_TREE ||
	    header.size > SIZE_MAX_TRIED)
		return 0;
	if (ftruncate(image, (off_t)header.size) < 0)
		abort();
	int r = stream_image_read(in, image, header.size, NULL);
	check_size(image, header.size);
	if (r == 0)
		again(image, header.size);
	return 0;
}
