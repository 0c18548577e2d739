/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a file into a storage. Job processes only. */
#include "agent/task/host/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/task/task.h"
#include "storage/template/template.h"

#define PROGRESS_PERIOD (2 * USEC_PER_SEC)
#define BLOCK		(1024 * 1024)
#define LOOK_EVERY	(64ull * 1024 * 1024)
#define KEEP_FREE	(128ull * 1024 * 1024)

int incoming_args(const struct fields *args, struct incoming *in, struct err *err)
{
	in->file = fields_get(args, "filename");
	int r = volume_content_from_name(fields_get(args, "content"), &in->content, err);
	if (r == 0)
		r = volume_file_check(in->content, in->file, err);
	if (r == 0)
		r = checksum_begin(fields_get(args, "checksum-algorithm"),
				   fields_get(args, "checksum"), &in->checksum, err);
	return r < 0 ? r : volume_target_storage(args, &in->target, err);
}

int incoming_begin(struct incoming *in, struct err *err)
{
	const struct storage_driver *driver = in->target.driver;
	int r = driver->activate(&in->target.def, err);
	if (r == 0)
		r = driver->import_begin(&in->target.def, in->content, in->file, &in->fd, in->temp,
					 err);
	in->reported = clock_monotonic();
	return r;
}

int incoming_expect(struct incoming *in, uint64_t size, struct err *err)
{
	char path[4096];
	autofree char *link = xasprintf("/proc/self/fd/%d", in->fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	in->size = size;
	int r = reserve_begin(&in->target.def, size, path, &in->space, err);
	if (r < 0 || size == 0)
		return r;
	if (fallocate(in->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return err_errno(err, errno, "write %llu bytes", (unsigned long long)size);
	return 0;
}

static void report_progress(struct incoming *in)
{
	usec_t now = clock_monotonic();
	if (now - in->reported < PROGRESS_PERIOD)
		return;
	in->reported = now;
	if (in->size > 0)
		task_log("copied %llu of %llu bytes (%u%%)", (unsigned long long)in->done,
			 (unsigned long long)in->size,
			 (unsigned)((double)in->done * 100 / (double)in->size));
	else
		task_log("copied %llu bytes", (unsigned long long)in->done);
}

/* Nothing was reserved for what comes unannounced: it may be without end. */
static int check_room(struct incoming *in, uint64_t size, struct err *err)
{
	struct storage_space space;
	if (in->done + size <= in->size || in->done - in->looked < LOOK_EVERY)
		return 0;
	in->looked = in->done;
	int r = reserve_status(&in->target.def, &space, err);
	if (r == 0 && space.total > 0 && space.available < KEEP_FREE)
		r = err_set(err, ERR_NO_SPACE,
			    "storage '%s' would be full before all of '%s' is there",
			    in->target.def.id, in->file);
	return r;
}

int incoming_write(struct incoming *in, const void *data, size_t size, struct err *err)
{
	int r = task_check_cancelled(err);
	if (r == 0)
		r = check_room(in, size, err);
	if (r == 0)
		r = fd_write_all(in->fd, data, size, err);
	if (r < 0)
		return r;
	checksum_add(&in->checksum, data, size);
	in->done += size;
	report_progress(in);
	return 0;
}

int incoming_copy(struct incoming *in, int fd, struct err *err)
{
	autofree char *block = xmalloc(BLOCK);
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "read the file");
	int r = incoming_expect(in, (uint64_t)size, err);
	while (r == 0) {
		ssize_t n = read(fd, block, BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "read the file");
		if (n == 0)
			break;
		r = incoming_write(in, block, (size_t)n, err);
	}
	return r;
}

/* What was written is what is checked. */
static int check_written(struct incoming *in, struct err *err)
{
	int r = checksum_verify(&in->checksum, err);
	if (r == 0 && in->done == 0)
		r = err_set(err, ERR_INVALID, "the file is empty");
	if (r == 0 && in->size > in->done && ftruncate(in->fd, (off_t)in->done) < 0)
		r = err_errno(err, errno, "give back what was taken beyond the end");
	if (r < 0 || in->content != VOLUME_VZTMPL)
		return r;
	if (lseek(in->fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "read '%s' again", in->file);
	r = template_check(in->fd, err);
	return r < 0 ? err_prefix(err, "'%s' is no container template", in->file) : 0;
}

int incoming_commit(struct incoming *in, struct err *err)
{
	int r = check_written(in, err);
	if (r == 0)
		r = task_check_cancelled(err);
	if (r == 0)
		r = in->target.driver->import_commit(&in->target.def, in->content, in->temp,
						     in->file, err);
	if (r < 0)
		return r;
	close(TAKE_FD(in->fd));
	task_log("wrote %llu bytes", (unsigned long long)in->done);
	return 0;
}

void incoming_fini(struct incoming *in)
{
	if (in->fd >= 0) {
		in->target.driver->import_abort(&in->target.def, in->content, in->temp);
		close(in->fd);
	}
	reserve_end(&in->space);
	checksum_fini(&in->checksum);
	volume_target_fini(&in->target);
	*in = INCOMING_INIT;
}
