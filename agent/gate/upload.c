/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An upload on its way through the gate, with at most one piece of it in memory: while the job does not
 * read, the connection is suspended. */
#include "agent/gate/upload_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/parse.h"

#define FIELDS_SIZE_MAX (128u * 1024) /* of everything before the file */
#define FILE_PART	"filename"
#define PATH_END	"/upload"
#define DRAIN_REFUSED	(512u * 1024) /* of who has no valid credential */

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

bool upload_is_one(const struct request *r)
{
	const char *type = header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
	size_t size = r->target ? strcspn(r->target, "?") : 0, end = strlen(PATH_END);

	return str_eq(r->verb, "POST") && parse_content_type(type) == BODY_TYPE_MULTIPART &&
	       size > end && memcmp(r->target + size - end, PATH_END, end) == 0;
}

/* ---- the core ---- */

static void fail(struct upload *u, const struct err *err)
{
	if (u->r->state == REQUEST_CALLED) {
		u->failure = *err; /* told when the core has answered */
		return;
	}
	upload_send_stop(u);
	request_fail_err(u->r, err->code == ERR_CROWDED ? 503 : 400, err);
}

static void keep_answer(struct request *r, struct reply *reply)
{
	r->status = reply->status;
	xreplace(&r->reason, fields_get(&reply->head, "reason"));
	xreplace(&r->content_type, "application/json;charset=UTF-8");
	r->answer = reply->body;
	reply->body = BUF_INIT;
}

void upload_reply(struct request *r, struct reply *reply)
{
	struct upload *u = r->upload;

	list_remove(&r->node); /* no longer the parked ones' */
	u->is_suspended = true;
	keep_answer(r, reply);
	r->state = REQUEST_UPLOADING;
	/* others may have been faster; the job finds its stream broken off */
	if (!u->failure.code)
		upload_check_room(r, &u->failure);
	u->is_accepted = true;
	u->uploads->accepted++;
	if (upload_send_begin(u, TAKE_FD(reply->fd)) < 0)
		upload_send_stop(u);
	if (u->failure.code)
		fail(u, &u->failure);
	upload_send(u);
}

static int ask_core(struct upload *u, const char *file, struct err *err)
{
	int code = upload_check_room(u->r, err);

	if (code < 0)
		return code;
	fields_set(&u->fields, FILE_PART, file);
	return request_call_upload(
		u->r,
		&(struct request_upload){
			.path = u->path, .query = u->query, .fields = &u->fields, .size = u->size},
		err);
}

/* ---- the parts ---- */

static int on_part(void *ctx, const char *name, const char *file, struct err *err)
{
	struct upload *u = ctx;

	if (u->has_file)
		return err_field(err, name, "the file must be the last part of the body");
	if (str_eq(name, FILE_PART) || file) {
		if (!str_eq(name, FILE_PART))
			return err_field(err, name, "the part with the file is called '%s'",
					 FILE_PART);
		u->has_file = u->is_in_file = true;
		sd_event_source_disable_unref(TAKE(u->deadline));
		return ask_core(u, file ? file : "", err);
	}
	if (u->fields.count >= FIELDS_COUNT_MAX - 1)
		return err_set(err, ERR_INVALID, "more than %d parameters", FIELDS_COUNT_MAX);
	xreplace(&u->name, name);
	buf_clear(&u->value);
	return 0;
}

static int on_data(void *ctx, const char *data, size_t size, struct err *err)
{
	struct upload *u = ctx;

	(void)err;
	if (!u->is_in_file) {
		buf_add(&u->value, data, size); /* bounded by FIELDS_SIZE_MAX */
		return 0;
	}
	if (u->failure.code || (u->fd < 0 && u->r->state != REQUEST_CALLED))
		return 0;
	buf_add_u32(&u->out, (uint32_t)size);
	buf_add(&u->out, data, size);
	return 0;
}

static int on_part_end(void *ctx, struct err *err)
{
	struct upload *u = ctx;

	(void)err;
	if (u->is_in_file)
		u->is_in_file = false;
	else
		fields_add_n(&u->fields, u->name, u->value.data, u->value.size);
	return 0;
}

static const struct multipart_ops ops = {on_part, on_data, on_part_end};

/* ---- the request ---- */

static int split_target(struct upload *u, struct err *err)
{
	const char *query, *below;
	autofree char *path = NULL;
	int r = parse_target(u->r->target, &path, &query, err);

	if (r < 0)
		return r;
	below = str_after(path, "/api2/json") ?: str_after(path, "/api2/extjs");
	if (!below || below[0] != '/')
		return err_set(err, ERR_NOT_FOUND, "no such path");
	u->r->is_extjs = str_starts(path, "/api2/extjs");
	u->path = xstrdup(below);
	u->query = xstrdup(query);
	return 0;
}

/* libmicrohttpd sees that the peer is gone and ends the request. In the middle of a body it takes no answer, and
 * who is refused already reads that at the end. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct upload *u = userdata;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(u->r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void)source;
	(void)usec;
	if (info && u->r->state == REQUEST_READING)
		shutdown(info->connect_fd, SHUT_RDWR);
	return 0;
}

static struct upload *upload_new(struct request *r)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	struct upload *u = xcalloc(1, sizeof(*u));

	u->uploads = r->gate->uploads;
	u->r = r;
	u->fd = -1;
	list_append(&u->uploads->all, &u->node);
	if (length)
		str_to_u64(length, &u->size);
	return u;
}

static int begin_fields(struct upload *u, struct err *err)
{
	int r = sd_event_add_time_relative(u->uploads->gate->event, &u->deadline, CLOCK_MONOTONIC,
					   u->uploads->fields_within, 100 * USEC_PER_MSEC,
					   on_deadline, u);

	return r < 0 ? err_errno(err, -r, "timer") : 0;
}

bool upload_start(struct request *r)
{
	struct err err = ERR_INIT;

	if (!upload_may_start(r))
		return false;
	struct upload *u = r->upload = upload_new(r);

	if (begin_fields(u, &err) < 0)
		request_fail_err(r, 500, &err);
	else if (split_target(u, &err) < 0 || multipart_new(header(r, MHD_HTTP_HEADER_CONTENT_TYPE),
							    &ops, u, &u->parser, &err) < 0)
		request_fail_err(r, err.code == ERR_NOT_FOUND ? 404 : 400, &err);
	return r->state == REQUEST_READING;
}

/* Those who may upload can read their error at the end of what they send. */
static bool drain(const struct request *r)
{
	return r->status != 401 || r->body_size <= DRAIN_REFUSED;
}

bool upload_body(struct request *r, const char *data, size_t size)
{
	struct upload *u = r->upload;
	struct err err = ERR_INIT;

	r->body_size += size;
	if (r->state == REQUEST_ANSWERED)
		return drain(r);
	if (multipart_feed(u->parser, data, size, &err) < 0)
		fail(u, &err);
	else if (!u->has_file && r->body_size > FIELDS_SIZE_MAX) {
		err_set(&err, ERR_INVALID, "more than %u bytes before the file", FIELDS_SIZE_MAX);
		fail(u, &err);
	}
	if (r->state == REQUEST_UPLOADING)
		upload_send(u);
	return true;
}

void upload_end(struct request *r)
{
	struct upload *u = r->upload;
	struct err err = ERR_INIT;

	if (r->state == REQUEST_READING)
		err_field(&err, FILE_PART, "no file was sent");
	else if (!multipart_is_over(u->parser))
		err_set(&err, ERR_INVALID, "the multipart body ended before its last boundary");
	if (err.code) {
		fail(u, &err);
		return;
	}
	if (!u->is_ended)
		buf_add_u32(&u->out, 0);
	u->is_ended = true;
	upload_send(u);
	if (u->is_suspended)
		return;
	upload_send_stop(u);
	r->state = REQUEST_ANSWERED;
}

void upload_free(struct request *r)
{
	struct upload *u = TAKE(r->upload);

	if (!u)
		return;
	upload_send_stop(u); /* without the mark of the end, if it was not sent */
	sd_event_source_disable_unref(u->deadline);
	multipart_free(u->parser);
	fields_fini(&u->fields);
	buf_fini(&u->value);
	free(u->name);
	free(u->path);
	free(u->query);
	list_remove(&u->node);
	u->uploads->accepted -= u->is_accepted;
	free(u);
}
