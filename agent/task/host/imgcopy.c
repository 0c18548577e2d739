/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job imgcopy: an uploaded file becomes content of a storage. It appears under its name only when
 * it is complete, checked and on disk. */
#include "agent/task/host/jobs.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/task/host/incoming.h"

#define SOURCE_FD 3
#define BLOCK	  (1024 * 1024)

struct copy {
	struct incoming in;
	bool is_framed;	     /* the source is a socket, agent/gate/upload.h */
	uint32_t frame_left; /* of the frame that comes in */
};

/* The descriptor may have been used before; a pipe cannot be rewound, and need not. */
static int source_size(uint64_t *ret, struct err *err)
{
	struct stat st;
	if (fstat(SOURCE_FD, &st) < 0)
		return err_errno(err, errno, "the uploaded file");
	*ret = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	(void)lseek(SOURCE_FD, 0, SEEK_SET);
	return 0;
}

static int read_some(void *data, size_t size, size_t *ret, struct err *err)
{
	for (;;) {
		ssize_t n = read(SOURCE_FD, data, size);
		int r = task_check_cancelled(err);
		if (r < 0)
			return r;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "read the uploaded file");
		*ret = (size_t)n;
		return 0;
	}
}

static int broken_off(struct err *err)
{
	return err_set(err, ERR_CANCELLED, "the upload was broken off");
}

/* The head of the next frame; length 0 is the end. */
static int next_frame(struct copy *c, bool *ret_end, struct err *err)
{
	unsigned char head[4];
	for (size_t got = 0; got < sizeof(head);) {
		size_t n;
		int r = read_some(head + got, sizeof(head) - got, &n, err);
		if (r < 0 || n == 0)
			return r < 0 ? r : broken_off(err);
		got += n;
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
	size_t want = BLOCK, n = 0;
	int r = c->is_framed && c->frame_left == 0 ? next_frame(c, &is_end, err) : 0;
	if (r < 0 || is_end) {
		*ret_size = 0;
		return r;
	}
	if (c->is_framed && want > c->frame_left)
		want = c->frame_left;
	r = read_some(block, want, &n, err);
	if (r == 0 && n == 0 && c->is_framed)
		r = broken_off(err);
	if (r < 0)
		return r;
	if (c->is_framed)
		c->frame_left -= (uint32_t)n;
	*ret_size = n;
	return 0;
}

static int copy_all(struct copy *c, struct err *err)
{
	autofree void *block = xmalloc(BLOCK);
	size_t n = 1;
	int r = 0;
	while (r == 0 && n > 0) {
		r = read_block(c, block, &n, err);
		if (r == 0 && n > 0)
			r = incoming_write(&c->in, block, n, err);
	}
	return r;
}

static int copy(struct copy *c, const struct fields *args, struct err *err)
{
	uint64_t size;
	int r = volume_arg_u64(args, "announced", 0, &size, err);
	if (r == 0 && !c->is_framed)
		r = source_size(&size, err);
	if (r < 0)
		return r;
	task_log("copying to '%s:%s/%s'", c->in.target.def.id, volume_content_name(c->in.content),
		 c->in.file);
	r = incoming_begin(&c->in, err);
	if (r == 0)
		r = incoming_expect(&c->in, size, err);
	if (r == 0)
		r = copy_all(c, err);
	return r < 0 ? r : incoming_commit(&c->in, err);
}

int job_imgcopy(struct task_ctx *task, struct err *err)
{
	struct copy c = {.in = INCOMING_INIT,
			 .is_framed = fields_find(&task->args, "framed") != NULL};
	int r = incoming_args(&task->args, &c.in, err);
	if (r == 0)
		r = copy(&c, &task->args, err);
	incoming_fini(&c.in);
	return r;
}
