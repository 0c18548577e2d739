/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images by qemu-img. Job and helper processes only. */
#include "storage/qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define DEADLINE                                                                                   \
	(600 * USEC_PER_SEC) /* a snapshot's clusters are counted one by one when it goes */
#define INFO_MAX    (4u * 1024 * 1024)
#define HEAD	    104
#define HEAD_OLD    72 /* size of a header of version 2 */
#define HEAD_MIN    32
#define DATA_FILE   4 /* bit of the incompatible features */
#define CLUSTER_MAX (2u * 1024 * 1024)
#define PARTS_MAX   64
#define PART_END    0
#define PART_FORMAT 0xe2792aca /* of the backing file */

static uint64_t big_endian(const unsigned char *at, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

/* Behind the header come parts {kind, size, size bytes, filled up to 8}, to the name of the backing file or to the end
 * of the first cluster. */
static int read_parts(int fd, uint64_t at, uint64_t end, struct qcow2_header *header)
{
	for (int i = 0; i < PARTS_MAX && at < end; i++) {
		unsigned char part[8];
		if (pread(fd, part, sizeof(part), (off_t)at) != sizeof(part))
			return -ERR_CORRUPT;
		uint64_t kind = big_endian(part, 4), size = big_endian(part + 4, 4);
		at += sizeof(part);
		if (kind == PART_END)
			return 0;
		if (at > end || size > end - at)
			return -ERR_CORRUPT;
		if (kind == PART_FORMAT) {
			char *format = header->backing_format;
			if (size >= sizeof(header->backing_format) || format[0] ||
			    pread(fd, format, size, (off_t)at) != (ssize_t)size)
				return -ERR_CORRUPT;
		}
		at += (size + 7) / 8 * 8;
	}
	return at < end ? -ERR_CORRUPT : 0;
}

/* Byte 4: version, 8: where the name of the backing file stands, 16: its length, 20: bits of a cluster's size, 24: the
 * virtual size; of version 3 on 72: features, 100: the header's own size. */
int qcow2_header_read(int fd, struct qcow2_header *ret, struct err *err)
{
	unsigned char head[HEAD] = {0};
	struct qcow2_header header = {0};
	if (pread(fd, head, sizeof(head), 0) < HEAD_MIN || memcmp(head, "QFI\xfb", 4) != 0)
		return err_set(err, ERR_CORRUPT, "no qcow2 image");
	bool is_new = big_endian(head + 4, 4) >= 3;
	uint64_t at = big_endian(head + 8, 8), size = big_endian(head + 16, 4);
	header.size = big_endian(head + 24, 8);
	header.has_data_file = is_new && (big_endian(head + 72, 8) & DATA_FILE);
	if (at == 0) {
		*ret = header;
		return 0;
	}
	if (size >= sizeof(header.backing) || at > CLUSTER_MAX ||
	    pread(fd, header.backing, size, (off_t)at) != (ssize_t)size ||
	    read_parts(fd, is_new ? big_endian(head + 100, 4) : HEAD_OLD, at, &header) < 0)
		return err_set(err, ERR_CORRUPT, "qcow2 image with a bad backing file");
	*ret = header;
	return 0;
}

static int read_header(const char *path, struct qcow2_header *ret, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open '%s'", path);
	return qcow2_header_read(fd, ret, err);
}

static int check_base(const char *path, const struct volid *base, const struct qcow2_header *header,
		      struct err *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *name = xasprintf("../%s", base->name);
	autofree char *base_path =
		xasprintf("%.*s/%s", slash ? (int)(slash - path) : 1, slash ? path : ".", name);
	if (!str_eq(header->backing, name) || !str_eq(header->backing_format, base->format))
		return err_set(err, ERR_CORRUPT, "the image does not stand on the base '%s:%.200s'",
			       base->storage, base->name);
	return qcow2_check(base_path, base, err);
}

int qcow2_check(const char *path, const struct volid *volume, struct err *err)
{
	struct qcow2_header header;
	struct volid base;
	if (!str_eq(volume->format, "qcow2"))
		return 0;
	int r = read_header(path, &header, err);
	if (r == 0 && header.has_data_file)
		r = err_set(err, ERR_CORRUPT, "the image's data lies in another file");
	if (r == 0 && !volume->base[0] && header.backing[0])
		r = err_set(err, ERR_CORRUPT, "the image stands on another file");
	if (r == 0 && volume->base[0] && (r = volid_base(volume, &base, err)) == 0)
		r = check_base(path, &base, &header, err);
	if (r < 0)
		err_prefix(err, "volume '%s:%.200s'", volume->storage, volume->name);
	return r;
}

static int run(const char *const *argv, struct exec_result *ret, struct err *err)
{
	struct exec_result result = {0};
	struct exec_run spec = {
		.argv = argv, .deadline = clock_monotonic() + DEADLINE, .output_max = INFO_MAX};
	int r = exec_run(&spec, &result, err);
	if (r == 0 && ret)
		*ret = result;
	else
		exec_result_fini(&result);
	return r;
}

int qcow2_make(const char *path, uint64_t size, const char *preallocation, struct err *err)
{
	autofree char *bytes = xasprintf("%llu", (unsigned long long)size);
	autofree char *option =
		xasprintf("preallocation=%s", preallocation ? preallocation : "metadata");
	const char *const argv[] = {"qemu-img", "create", "-q", "-f",  "qcow2",
				    "-o",	option,	  path, bytes, NULL};
	return run(argv, NULL, err);
}

int qcow2_make_overlay(const char *path, const char *backing, const char *format, struct err *err)
{
	const char *const argv[] = {"qemu-img", "create", "-q",	  "-f", "qcow2", "-b",
				    backing,	"-F",	  format, path, NULL};
	return run(argv, NULL, err);
}

int qcow2_resize(const char *path, const struct volid *volume, uint64_t size, struct err *err)
{
	autofree char *bytes = xasprintf("%llu", (unsigned long long)size);
	const char *const argv[] = {"qemu-img", "resize", "-q", "-f", "qcow2", path, bytes, NULL};
	int r = qcow2_check(path, volume, err);
	return r < 0 ? r : run(argv, NULL, err);
}

struct known {
	const char *name;
	bool is_there;
};

static int see(const char *name, uint64_t ctime, void *ctx)
{
	struct known *known = ctx;
	(void)ctime;
	known->is_there |= str_eq(name, known->name);
	return 0;
}

static int is_there(const char *path, const struct volid *volume, const char *name, bool *ret,
		    struct err *err)
{
	struct known known = {.name = name};
	int r = qcow2_snapshots(path, volume, see, &known, err);
	if (r == 0)
		*ret = known.is_there;
	return r;
}

/* qemu-img takes a second snapshot of the same name without a word. */
int qcow2_snapshot(const char *path, const struct volid *volume, const char *name, struct err *err)
{
	const char *const argv[] = {"qemu-img", "snapshot", "-q", "-c", name, path, NULL};
	bool exists = false;
	int r = is_there(path, volume, name, &exists, err);
	if (r == 0 && exists)
		r = err_set(err, ERR_EXISTS, "snapshot '%s' already exists", name);
	return r < 0 ? r : run(argv, NULL, err);
}

int qcow2_snapshot_delete(const char *path, const struct volid *volume, const char *name,
			  struct err *err)
{
	const char *const argv[] = {"qemu-img", "snapshot", "-q", "-d", name, path, NULL};
	bool exists = false;
	int r = is_there(path, volume, name, &exists, err);
	return r < 0 || !exists ? r : run(argv, NULL, err);
}

int qcow2_rollback(const char *path, const struct volid *volume, const char *name, struct err *err)
{
	const char *const argv[] = {"qemu-img", "snapshot", "-q", "-a", name, path, NULL};
	bool exists = false;
	int r = is_there(path, volume, name, &exists, err);
	if (r == 0 && !exists)
		r = err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", name);
	return r < 0 ? r : run(argv, NULL, err);
}

static int each_snapshot(struct json_object *list, snapshot_each_fn each, void *ctx)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i), *name, *date;
		if (!json_object_object_get_ex(entry, "name", &name))
			continue;
		int64_t when = json_object_object_get_ex(entry, "date-sec", &date)
				       ? json_object_get_int64(date)
				       : 0;
		r = each(json_object_get_string(name), when > 0 ? (uint64_t)when : 0, ctx);
	}
	return r;
}

int qcow2_snapshots(const char *path, const struct volid *volume, snapshot_each_fn each, void *ctx,
		    struct err *err)
{
	const char *const argv[] = {"qemu-img", "info",	 "-U", "--output=json",
				    "-f",	"qcow2", path, NULL};
	struct exec_result result = {0};
	struct json_object *info = NULL, *list;
	int r = qcow2_check(path, volume, err);
	if (r == 0)
		r = run(argv, &result, err);
	if (r == 0)
		r = json_parse(buf_str(&result.output), result.output.size, INFO_MAX, &info, err);
	if (r == 0 && json_object_object_get_ex(info, "snapshots", &list) &&
	    json_object_is_type(list, json_type_array))
		r = each_snapshot(list, each, ctx);
	json_object_put(info);
	exec_result_fini(&result);
	return r;
}
