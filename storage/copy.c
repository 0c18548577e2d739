/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies a volume: by reference where the file system can, raw images extent by extent, everything else
 * by qemu-img or cp. Job processes only. */
#include "storage/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/copy_tree.h"
#include "storage/pace.h"
#include "storage/qcow2.h"
#include "storage/reserve.h"

#define COPY_TIMEOUT (48 * 3600 * USEC_PER_SEC)
#define BLOCK	     (1024u * 1024)
#define LOCK_WAIT    (300 * USEC_PER_SEC) /* as long as it takes to write out what a memory held */
#define LOCK_LOOK    50			  /* ms */

/* What both ends are once the copy has its place. */
struct ends {
	const struct storage_driver *from, *to;
	struct buf source, target; /* paths */
	const char *snapshot;	   /* inside the image at source, or NULL */
	struct volid made;
	uint64_t used; /* what the source takes, at most what the copy will */
	struct bucket bucket;
};

static void ends_fini(struct ends *ends)
{
	buf_fini(&ends->source);
	buf_fini(&ends->target);
}

static bool is_stopped(const struct volume_copy *copy)
{
	return copy->is_stopped && copy->is_stopped();
}

static int find_source(const struct volume_copy *copy, struct ends *ends, struct err *err)
{
	struct err why = ERR_INIT;
	if (!copy->snapshot)
		return ends->from->path(copy->from, copy->volume, &ends->source, err);
	int r = ends->from->snapshot_path(copy->from, copy->volume, copy->snapshot, &ends->source,
					  &why);
	if (r != -ERR_UNSUPPORTED) {
		if (r < 0 && err)
			*err = why;
		return r;
	}
	ends->snapshot = copy->snapshot;
	return ends->from->path(copy->from, copy->volume, &ends->source, err);
}

/* The format that the copy gets: one that the target has. */
static const char *target_format(const struct volume_copy *copy)
{
	const char *format = copy->as.format ? copy->as.format : copy->volume->format;
	bool has_files = str_eq(copy->to->type, "dir") || str_eq(copy->to->type, "btrfs");
	if (copy->as.format || str_eq(format, "subvol") || has_files)
		return format;
	return volume_default_format(copy->to->type, copy->as.content);
}

static int check_formats(const struct volume_copy *copy, const char *format, struct err *err)
{
	bool was_tree = str_eq(copy->volume->format, "subvol");
	if (was_tree != str_eq(format, "subvol"))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: copy of volume '%s:%.200s' from format '%s' "
			       "to '%s'",
			       copy->volume->storage, copy->volume->name, copy->volume->format,
			       format);
	return 0;
}

/* A raw image on its way. */
struct range {
	const struct volume_copy *copy;
	struct bucket *bucket;
	int from, to;
	char *block;
};

/* Holes are left out: the target is empty there. */
static int copy_range(const struct range *range, uint64_t at, uint64_t end, struct err *err)
{
	const struct volume_copy *copy = range->copy;
	while (at < end) {
		size_t want = end - at > BLOCK ? BLOCK : (size_t)(end - at);
		ssize_t n = pread(range->from, range->block, want, (off_t)at);
		if (is_stopped(copy))
			return err_set(err, ERR_CANCELLED, "interrupted by signal");
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(err, n < 0 ? errno : EIO, "read the volume");
		if (lseek(range->to, (off_t)at, SEEK_SET) < 0)
			return err_errno(err, errno, "write the copy");
		int r = fd_write_all(range->to, range->block, (size_t)n, err);
		if (r < 0)
			return r;
		at += (uint64_t)n;
		pace_take(range->bucket, (uint64_t)n, copy->is_stopped);
	}
	return 0;
}

static int copy_extents(const struct range *range, uint64_t size, struct err *err)
{
	const struct volume_copy *copy = range->copy;
	uint64_t at = 0;
	int r = 0;
	while (r == 0 && at < size) {
		off_t data = lseek(range->from, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		uint64_t start = data < 0 ? at : (uint64_t)data;
		off_t hole = lseek(range->from, (off_t)start, SEEK_HOLE);
		uint64_t end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
		r = copy_range(range, start, end, err);
		if (r == 0 && copy->progress)
			copy->progress(end, size);
		at = end;
	}
	return r;
}

/* FICLONE would cut a target that is larger than the source: it keeps its size. */
static int copy_raw(const struct volume_copy *copy, struct ends *ends, struct err *err)
{
	struct stat st;
	autofd int from = open(ends->source.data, O_RDONLY | O_CLOEXEC);
	autofd int to = open(ends->target.data, O_RDWR | O_CLOEXEC);
	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return err_errno(err, errno, "open '%s'",
				 from < 0 ? ends->source.data : ends->target.data);
	const struct file_clone_range all = {.src_fd = from};
	/* by reference nothing is moved that a limit could be for */
	int r = 0;
	if (ioctl(to, FICLONERANGE, &all) < 0) {
		autofree char *block = xmalloc(BLOCK);
		const struct range range = {copy, &ends->bucket, from, to, block};
		r = copy_extents(&range, (uint64_t)st.st_size, err);
	}
	if (r == 0 && fsync(to) < 0)
		r = err_errno(err, errno, "sync the copy");
	return r;
}

static int take_lock(const struct volume_copy *copy, int fd, struct err *err)
{
	usec_t end = clock_monotonic() + LOCK_WAIT;
	while (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		/* A file system without locks has no image that could be mounted: that wants one. */
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;
		if (is_stopped(copy))
			return err_set(err, ERR_CANCELLED, "interrupted by signal");
		if (clock_left_ms(end) == 0)
			return err_set(err, ERR_BUSY, "volume '%s:%.200s' is in use",
				       copy->volume->storage, copy->volume->name);
		poll(NULL, 0, LOCK_LOOK);
	}
	return 0;
}

/* Whoever mounts a raw image has it locked until its file system is unmounted, which can be long after the container
 * ended: only then it has all that was written. Nobody mounts it while it is copied. */
static int lock_source(const struct volume_copy *copy, const struct ends *ends, int *ret_fd,
		       struct err *err)
{
	if (!str_eq(copy->volume->format, "raw"))
		return 0;
	autofd int fd = open(ends->source.data, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open '%s'", ends->source.data);
	int r = take_lock(copy, fd, err);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

static int run(const struct volume_copy *copy, const char *const *argv, struct err *err)
{
	struct exec_run spec = {.argv = argv,
				.deadline = clock_monotonic() + COPY_TIMEOUT,
				.is_stopped = copy->is_stopped};
	return exec_run(&spec, NULL, err);
}

static int convert(const struct volume_copy *copy, const struct ends *ends, struct err *err)
{
	autofree char *name = xasprintf("snapshot.name=%s", ends->snapshot ? ends->snapshot : "");
	autofree char *rate = xasprintf("%llu", (unsigned long long)copy->bwlimit);
	const char *argv[16] = {"qemu-img", "convert",	      "-n", "-f", copy->volume->format,
				"-O",	    ends->made.format};
	size_t n = 7;
	if (copy->bwlimit) {
		argv[n++] = "-r";
		argv[n++] = rate;
	}
	if (ends->snapshot) {
		argv[n++] = "-l";
		argv[n++] = name;
	}
	argv[n++] = ends->source.data;
	argv[n++] = ends->target.data;
	int r = qcow2_check(ends->source.data, copy->volume, err);
	return r < 0 ? r : run(copy, argv, err);
}

static bool is_btrfs(const char *path)
{
	struct statfs fs;
	return statfs(path, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC;
}

/* With the subvolumes that a guest made inside: they are file systems of their own to cp, and nothing else is
 * mounted below a volume. */
static int copy_tree(const struct volume_copy *copy, struct ends *ends, struct err *err)
{
	autofree char *content = xasprintf("%s/.", ends->source.data);
	const char *const argv[] = {
		"cp", "-a",    copy->bwlimit ? "--reflink=always" : "--reflink=auto",
		"--", content, ends->target.data,
		NULL};
	const struct tree_copy slow = {.from = ends->source.data,
				       .to = ends->target.data,
				       .bucket = &ends->bucket,
				       .deadline = clock_monotonic() + COPY_TIMEOUT,
				       .is_stopped = copy->is_stopped};
	/* cp knows no bound: with one it may only share */
	if (copy->bwlimit && !(is_btrfs(ends->source.data) && is_btrfs(ends->target.data)))
		return tree_copy_run(&slow, err);
	int r = run(copy, argv, copy->bwlimit ? NULL : err);
	if (r == -ERR_CANCELLED)
		return err_set(err, ERR_CANCELLED, "interrupted by signal");
	return r < 0 && copy->bwlimit ? tree_copy_run(&slow, err) : r;
}

static int fill(const struct volume_copy *copy, struct ends *ends, struct err *err)
{
	if (str_eq(ends->made.format, "subvol"))
		return copy_tree(copy, ends, err);
	if (str_eq(copy->volume->format, "raw") && str_eq(ends->made.format, "raw"))
		return copy_raw(copy, ends, err);
	return convert(copy, ends, err);
}

static int make_target(const struct volume_copy *copy, struct ends *ends, char ret_volid[VOLID_MAX],
		       struct err *err)
{
	struct volume_info info;
	struct volume_alloc what = copy->as;
	what.format = target_format(copy);
	int r = check_formats(copy, what.format, err);
	if (r == 0)
		r = ends->from->info(copy->from, copy->volume, &info, err);
	if (r < 0)
		return r;
	ends->used = info.used;
	if (what.size < info.size)
		what.size = info.size;
	r = ends->to->alloc(copy->to, &what, ret_volid, err);
	return r < 0 ? r : volid_parse(ret_volid, &ends->made, err);
}

int volume_copy(const struct volume_copy *copy, char ret_volid[VOLID_MAX], struct err *err)
{
	struct ends ends = {.from = storage_driver_find(copy->from->type),
			    .to = storage_driver_find(copy->to->type),
			    .bucket = {.rate = copy->bwlimit}};
	autofd int lock = -1;
	char volid[VOLID_MAX];
	if (!ends.from || !ends.to)
		return err_set(err, ERR_UNSUPPORTED, "feature not available: storage type '%s'",
			       ends.from ? copy->to->type : copy->from->type);
	int r = volume_feature_check(copy->from->type, copy->volume, copy->snapshot, VOLUME_COPY,
				     err);
	if (r == 0)
		r = find_source(copy, &ends, err);
	if (r == 0)
		r = lock_source(copy, &ends, &lock, err);
	if (r == 0)
		r = make_target(copy, &ends, volid, err);
	if (r == 0) {
		autoreserve space = {0};
		r = ends.to->path(copy->to, &ends.made, &ends.target, err);
		if (r == 0)
			r = reserve_begin(copy->to, ends.used, buf_str(&ends.target), &space, err);
		if (r == 0)
			r = fill(copy, &ends, err);
		if (r < 0)
			ends.to->free(copy->to, &ends.made, NULL);
	}
	ends_fini(&ends);
	if (r == 0)
		memcpy(ret_volid, volid, VOLID_MAX);
	return r;
}
