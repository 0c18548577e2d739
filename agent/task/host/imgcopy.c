/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job imgcopy: an uploaded file becomes content of a storage. It appears under its name only when
 * it is complete, checked and on disk. */
#include "agent/task/host/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/checksum.h"
#include "agent/task/host/volume.h"
#include "storage/reserve.h"
#include "storage/template/template.h"

#define SOURCE_FD	3
#define BLOCK		(1024 * 1024)
#define PROGRESS_PERIOD (2 * USEC_PER_SEC)

struct copy {
	struct volume_target target;
	struct checksum checksum;
	enum volume_content content;
	const char *file; /* borrowed from the arguments */
	int fd;
	uint64_t size; /* of the source, 0: unknown; announced: at most */
	uint64_t done;
	bool is_framed;	     /* the source is a socket, agent/gate/upload.h */
	uint32_t frame_left; /* of the frame that comes in */
	usec_t reported;
};

static void report_progress(struct copy *c)
{
	usec_t now = clock_monotonic();
	if (now - c->reported < PROGRESS_PERIOD)
		return;
	c->reported = now;
	if (c->size > 0)
		task_log("copied %llu of %llu bytes (%u%%)", (unsigned long long)c->done,
			 (unsigned long long)c->size,
			 (unsigned)((double)c->done * 100 / (double)c->size));
	else
		task_log("copied %llu bytes", (unsigned long long)c->done);
}

static int source_size(struct copy *c, struct err *err)
{
	struct stat st;
	if (fstat(SOURCE_FD, &st) < 0)
		return err_errno(err, errno, "the uploaded file");
	if (S_ISREG(st.st_mode))
		c->size = (uint64_t)st.st_size;
	/* the descriptor may have been used before; a pipe cannot be rewound, and need not */
	(void)lseek(SOURCE_FD, 0, SEEK_SET);
	return 0;
}

/* The space is promised to nobody else, and taken at once where the file system can, so that a full one is
 * known before the copy. */
static int reserve(struct copy *c, struct reservation *ret, struct err *err)
{
	autofree char *link = xasprintf("/proc/self/fd/%d", c->fd);
	char path[4096];
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	int r = reserve_begin(&c->target.def, c->size, path, ret, err);
	if (r < 0 || c->size == 0)
		return r;
	if (fallocate(c->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)c->size) < 0 &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return err_errno(err, errno, "write %llu bytes", (unsigned long long)c->size);
	return 0;
}

static ssize_t read_some(void *data, size_t size)
{
	for (;;) {
		ssize_t n = read(SOURCE_FD, data, size);
		if (n >= 0 || errno != EINTR || task_is_cancelled())
			return n;
	}
}

/* The head of the next frame; length 0 is the end. */
static int next_frame(struct copy *c, bool *ret_end, struct err *err)
{
	unsigned char head[4];
	for (size_t got = 0; got < sizeof(head);) {
		ssize_t n = read_some(head + got, sizeof(head) - got);
		int r = task_check_cancelled(err);
		if (r < 0)
			return r;
		if (n <= 0)
			return err_set(err, ERR_CANCELLED, "the upload was broken off");
		got += (size_t)n;
	}
	c->frame_left = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
			(uint32_t)head[3] << 24;
	*ret_end = c->frame_left == 0;
	return 0;
}

/* *ret_size 0: the end. */
static int read_block(struct copy *c, void *block, size_t *ret_size, struct err *err)
{
	bool is_end = false;
	size_t want = BLOCK;
	int r = c->is_framed && c->frame_left == 0 ? next_frame(c, &is_end, err) : 0;
	if (r < 0 || is_end) {
		*ret_size = 0;
		return r;
	}
	if (c->is_framed && want > c->frame_left)
		want = c->frame_left;
	ssize_t n = read_some(block, want);
	if ((r = task_check_cancelled(err)) < 0)
		return r;
	if (n < 0)
		return err_errno(err, errno, "read the uploaded file");
	if (n == 0 && c->is_framed)
		return err_set(err, ERR_CANCELLED, "the upload was broken off");
	if (c->is_framed)
		c->frame_left -= (uint32_t)n;
	*ret_size = (size_t)n;
	return 0;
}

static int copy_block(struct copy *c, void *block, bool *ret_end, struct err *err)
{
	size_t n = 0;
	int r = task_check_cancelled(err);
	if (r == 0)
		r = read_block(c, block, &n, err);
	if (r < 0)
		return r;
	*ret_end = n == 0;
	r = fd_write_all(c->fd, block, n, err);
	if (r < 0)
		return r;
	checksum_add(&c->checksum, block, n);
	c->done += n;
	report_progress(c);
	return 0;
}

/* What was taken beyond the end is given back. */
static int give_back(struct copy *c, struct err *err)
{
	return c->size > c->done && ftruncate(c->fd, (off_t)c->done) < 0
		       ? err_errno(err, errno, "end the file")
		       : 0;
}

static int copy_all(struct copy *c, struct err *err)
{
	autofree void *block = xmalloc(BLOCK);
	autoreserve space = {0};
	bool is_end = false;
	int r = c->is_framed ? 0 : source_size(c, err);
	if (r == 0)
		r = reserve(c, &space, err);
	c->reported = clock_monotonic();
	while (r == 0 && !is_end)
		r = copy_block(c, block, &is_end, err);
	if (r == 0 && c->done == 0)
		r = err_set(err, ERR_INVALID, "the uploaded file is empty");
	return r < 0 ? r : give_back(c, err);
}

/* What was written is what is checked. */
static int check_written(struct copy *c, struct err *err)
{
	int r = checksum_verify(&c->checksum, err);
	if (r < 0 || c->content != VOLUME_VZTMPL)
		return r;
	if (lseek(c->fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "read '%s' again", c->file);
	r = template_check(c->fd, err);
	return r < 0 ? err_prefix(err, "'%s' is no container template", c->file) : 0;
}

static int copy_into(struct copy *c, struct err *err)
{
	const struct storage_driver *driver = c->target.driver;
	char temp[256];
	int r = driver->activate(&c->target.def, err);
	if (r == 0)
		r = driver->import_begin(&c->target.def, c->content, c->file, &c->fd, temp, err);
	if (r < 0)
		return r;
	r = copy_all(c, err);
	if (r == 0)
		r = check_written(c, err);
	if (r == 0)
		r = task_check_cancelled(err);
	close(c->fd);
	if (r == 0)
		r = driver->import_commit(&c->target.def, c->content, temp, c->file, err);
	if (r < 0)
		driver->import_abort(&c->target.def, c->content, temp);
	return r;
}

static int copy_args(const struct fields *args, struct copy *c, struct err *err)
{
	const char *content = fields_get(args, "content");
	c->file = fields_get(args, "filename");
	int r = volume_content_from_name(content, &c->content, err);
	if (r == 0)
		r = volume_file_check(c->content, c->file, err);
	if (r == 0)
		r = checksum_begin(fields_get(args, "checksum-algorithm"),
				   fields_get(args, "checksum"), &c->checksum, err);
	if (r == 0)
		r = volume_arg_u64(args, "announced", 0, &c->size, err);
	if (r == 0)
		r = volume_target_storage(args, &c->target, err);
	c->is_framed = fields_find(args, "framed") != NULL;
	return r;
}

int job_imgcopy(struct task_ctx *task, struct err *err)
{
	struct copy c = {.fd = -1};
	int r = copy_args(&task->args, &c, err);
	if (r == 0) {
		task_log("copying to '%s:%s/%s'", c.target.def.id, volume_content_name(c.content),
			 c.file);
		r = copy_into(&c, err);
	}
	if (r == 0)
		task_log("wrote %llu bytes", (unsigned long long)c.done);
	checksum_fini(&c.checksum);
	volume_target_fini(&c.target);
	return r;
}
