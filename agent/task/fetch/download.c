/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job download: a file from the network becomes content of a storage. */
#include <fcntl.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/task/fetch/commands.h"
#include "agent/task/fetch/decompress.h"
#include "agent/task/fetch/http.h"

static int on_size(void *ctx, uint64_t size, struct err *err)
{
	if (size)
		task_log("size %llu bytes", (unsigned long long)size);
	return incoming_expect(ctx, size, err);
}

static int on_data(void *ctx, const void *data, size_t size, struct err *err)
{
	return incoming_write(ctx, data, size, err);
}

static int fetch(const struct fields *args, struct incoming *in, struct err *err)
{
	struct http_answer answer;
	const struct http_request request = {.url = fields_get(args, "url"),
					     .is_unverified = fields_find(args, "insecure") != NULL,
					     .on_data = on_data,
					     .on_size = on_size,
					     .is_stopped = task_is_cancelled,
					     .ctx = in};
	if (!request.url)
		return err_field(err, "url", "property is missing and it is not optional");
	autofree char *url = http_url_shown(request.url);
	task_log("downloading %s to '%s:%s/%s'", url, in->target.def.id,
		 volume_content_name(in->content), in->file);
	if (request.is_unverified)
		task_log("the server's certificate is not verified");
	return http_fetch(&request, &answer, err);
}

/* The sum is that of what the server sent; the file is what comes out of it. packed is never committed. */
static int unpack(const struct fields *args, struct incoming *packed, struct err *err)
{
	struct incoming in = INCOMING_INIT;
	const char *compression = fields_get(args, "compression");
	autofields plain = FIELDS_INIT;
	int r = checksum_verify(&packed->checksum, err);
	if (r < 0)
		return r;
	fields_copy(&plain, args);
	fields_remove(&plain, "checksum");
	fields_remove(&plain, "checksum-algorithm");
	task_log("unpacking %s", compression);
	r = incoming_args(&plain, &in, err);
	if (r == 0)
		r = incoming_begin(&in, err);
	if (r == 0)
		r = decompress(compression, packed->fd, &in, err);
	if (r == 0)
		r = incoming_commit(&in, err);
	incoming_fini(&in);
	return r;
}

int download_run(struct task_ctx *task, struct err *err)
{
	struct incoming in = INCOMING_INIT;
	const char *compression = fields_get(&task->args, "compression");
	int r = compression ? decompress_check(compression, err) : 0;
	if (r == 0)
		r = incoming_args(&task->args, &in, err);
	if (r == 0)
		r = incoming_begin(&in, err);
	if (r == 0)
		r = fetch(&task->args, &in, err);
	if (r == 0)
		r = compression ? unpack(&task->args, &in, err) : incoming_commit(&in, err);
	incoming_fini(&in);
	return r;
}
