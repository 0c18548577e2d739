/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An upload on its way through the gate, with at most one piece of it in memory: while the job does not
 * read, the connection is suspended. */
#include "agent/gate/upload.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/multipart.h"
#include "agent/gate/parse.h"

#define FIELDS_SIZE_MAX (128u * 1024) /* of everything before the file */
#define FILE_PART	"filename"
#define PATH_END	"/upload"
#define DRAIN_REFUSED	(512u * 1024) /* of who has no valid credential */
#define TEXT_FULL	"too many uploads at once; try again later"

struct uploads {
	struct list all;
	unsigned accepted; /* of them, by the core */
	usec_t fields_within;
	struct gate *gate;
};

struct upload {
	struct list node;
	struct uploads *uploads;
	struct request *r;
	struct multipart *parser;
	struct fields fields;
	struct buf value; /* of the field that comes in */
	char *name;
	char *path, *query; /* of the call */
	struct buf out;	    /* frames that the job has not taken yet */
	int fd;		    /* to the job, -1: not yet, or it wants no more */
	sd_event_source *room;
	sd_event_source *deadline; /* of the fields; NULL from the file on */
	uint64_t size;		   /* what the head announced, 0: unknown */
	bool is_suspended;
	bool has_file, is_in_file, is_ended;
	bool is_accepted;
	struct err failure; /* found while the core was being asked */
};

struct uploads *uploads_new(struct gate *gate, const struct gate_options *options)
{
	struct uploads *uploads = xcalloc(1, sizeof(*uploads));

	uploads->gate = gate;
	uploads->fields_within = options->upload_fields ?: GATE_UPLOAD_FIELDS;
	list_init(&uploads->all);
	return uploads;
}

void uploads_free(struct uploads *uploads)
{
	free(uploads);
}

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

/* ---- to the job ---- */

/* The job ended, or never came: what else comes in is thrown away. */
static void stop_sending(struct upload *u)
{
	sd_event_source_disable_unref(TAKE(u->room));
	if (u->fd >= 0)
		close(TAKE_FD(u->fd));
	buf_fini(&u->out);
}

static void resume(struct upload *u)
{
	if (!u->is_suspended)
		return;
	u->is_suspended = false;
	MHD_resume_connection(u->r->connection);
	server_wake(u->uploads->gate->server);
}

/* Until the job has taken what waits for it. */
static void suspend(struct upload *u)
{
	if (u->is_suspended)
		return;
	u->is_suspended = true;
	MHD_suspend_connection(u->r->connection);
}

static void flush(struct upload *u)
{
	size_t sent = 0;

	while (u->fd >= 0 && sent < u->out.size) {
		ssize_t n = send(u->fd, u->out.data + sent, u->out.size - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			stop_sending(u);
			return;
		}
		sent += (size_t)n;
	}
	if (u->fd >= 0)
		buf_drop_front(&u->out, sent);
}

static int on_room(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct upload *u = userdata;

	(void)fd;
	(void)events;
	flush(u);
	if (u->out.size > 0)
		return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	resume(u);
	return 0;
}

/* Sends what waits; if not all of it goes, the connection stays suspended until it does. */
static void push(struct upload *u)
{
	flush(u);
	if (u->fd < 0 || u->out.size == 0) {
		resume(u);
		return;
	}
	suspend(u);
	sd_event_source_set_enabled(u->room, SD_EVENT_ONESHOT);
}

/* ---- the core ---- */

static void fail(struct upload *u, const struct err *err)
{
	if (u->r->state == REQUEST_CALLED) {
		u->failure = *err; /* told when the core has answered */
		return;
	}
	stop_sending(u);
	request_fail_err(u->r, err->code == ERR_CROWDED ? 503 : 400, err);
}

static bool has_room(const struct uploads *uploads)
{
	return uploads->accepted < GATE_UPLOADS;
}

static void keep_answer(struct request *r, struct reply *reply)
{
	r->status = reply->status;
	xreplace(&r->reason, fields_get(&reply->head, "reason"));
	xreplace(&r->content_type, "application/json;charset=UTF-8");
	r->answer = reply->body;
	reply->body = BUF_INIT;
}

static int begin_sending(struct upload *u, int fd)
{
	u->fd = fd;
	return sd_event_add_io(u->uploads->gate->event, &u->room, fd, EPOLLOUT, on_room, u) >= 0 &&
			       sd_event_source_set_enabled(u->room, SD_EVENT_OFF) >= 0
		       ? 0
		       : -1;
}

void upload_reply(struct request *r, struct reply *reply)
{
	struct upload *u = r->upload;

	list_remove(&r->node); /* no longer the parked ones' */
	u->is_suspended = true;
	keep_answer(r, reply);
	r->state = REQUEST_UPLOADING;
	/* others may have been faster; the job finds its stream broken off */
	if (!u->failure.code && !has_room(u->uploads))
		err_set(&u->failure, ERR_CROWDED, TEXT_FULL);
	u->is_accepted = true;
	u->uploads->accepted++;
	if (begin_sending(u, TAKE_FD(reply->fd)) < 0)
		stop_sending(u);
	if (u->failure.code)
		fail(u, &u->failure);
	push(u);
}

static int ask_core(struct upload *u, const char *file, struct err *err)
{
	if (!has_room(u->uploads))
		return err_set(err, ERR_CROWDED, TEXT_FULL);
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

static unsigned count_waiting(const struct uploads *uploads, const char *address_key)
{
	unsigned n = 0;

	LIST_FOREACH (&uploads->all, u, struct upload, node)
		n += !u->is_accepted && str_eq(u->r->address_key, address_key) &&
		     (u->r->state == REQUEST_READING || u->r->state == REQUEST_CALLED);
	return n;
}

static bool may_start(struct request *r)
{
	if (!has_room(r->gate->uploads))
		request_fail(r, 503, TEXT_FULL);
	else if (count_waiting(r->gate->uploads, r->address_key) >= GATE_UPLOADS_WAITING)
		request_fail(r, 429, "too many uploads from your address begin at once; try again");
	return r->state == REQUEST_READING;
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

	if (!may_start(r))
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
		push(u);
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
	push(u);
	if (u->is_suspended)
		return;
	stop_sending(u);
	r->state = REQUEST_ANSWERED;
}

void upload_free(struct request *r)
{
	struct upload *u = TAKE(r->upload);

	if (!u)
		return;
	stop_sending(u); /* without the mark of the end, if it was not sent */
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

void uploads_stop(struct uploads *uploads)
{
	LIST_FOREACH (&uploads->all, u, struct upload, node) {
		stop_sending(u);
		resume(u);
	}
}
