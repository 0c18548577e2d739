/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One API call over the core's local socket, and reading its envelope. */
#include "agent/cli/cli.h"

#include <stdarg.h>
#include <unistd.h>

#include "agent/base/client.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define REPLY_MAX    (64u * 1024 * 1024)
#define CALL_TIMEOUT (60 * USEC_PER_SEC)

static int read_body(struct reply *reply, struct buf *ret, struct err *err)
{
	if (reply->body_fd >= 0)
		return fd_memfd_read(reply->body_fd, REPLY_MAX, ret, err);
	buf_add(ret, reply->body.data, reply->body.size);
	return 0;
}

/* "Parameter verification failed. (memory: value must have a minimum value of 16; …)" */
static int envelope_error(struct json_object *envelope, unsigned status, const char *reason,
			  struct err *err)
{
	struct json_object *errors = NULL, *message = NULL;
	autobuf text = BUF_INIT;

	if (json_object_object_get_ex(envelope, "message", &message))
		buf_add_str(&text, json_object_get_string(message));
	else
		buf_addf(&text, "%s", reason && *reason ? reason : "the core refused the call");
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (json_object_object_get_ex(envelope, "errors", &errors)) {
		json_object_object_foreach(errors, field, why)
		{
			buf_addf(&text, " [%s: %s]", field, json_object_get_string(why));
		}
	}
	return err_set(err,
		       status == 403   ? ERR_DENIED
		       : status == 400 ? ERR_INVALID
				       : ERR_IO,
		       "%.*s", (int)text.size, text.data ? text.data : "");
}

/* The whole envelope. */
static int read_reply(struct reply *reply, struct json_object **ret, struct err *err)
{
	autojson *envelope = NULL;
	autobuf body = BUF_INIT;
	int r = read_body(reply, &body, err);

	if (r < 0)
		return r;
	if (body.size > 0 && (r = json_parse(body.data, body.size, REPLY_MAX, &envelope, err)) < 0)
		return err_prefix(err, "reply of the core");
	if (reply->status < 200 || reply->status >= 300) {
		const char *reason = fields_get(&reply->head, "reason");

		return envelope_error(envelope, reply->status,
				      reason ? reason : fields_get(&reply->head, "message"), err);
	}
	*ret = TAKE(envelope);
	return 0;
}

static struct json_object *take_member(struct json_object *envelope, const char *name)
{
	struct json_object *member = NULL;

	json_object_object_get_ex(envelope, name, &member);
	return json_object_get(member);
}

static void fill_call(struct call *call, const char *verb, const char *path,
		      const struct fields *params)
{
	call->op = CALL_API;
	call->deadline_ms = (uint32_t)(CALL_TIMEOUT / USEC_PER_MSEC);
	fields_add(&call->head, "verb", verb);
	fields_add(&call->head, "path", path);
	fields_add(&call->head, "source", "cli");
	if (params)
		fields_copy(&call->params, params);
}

static int send_call(const struct call *call, bool again, struct reply *ret, struct err *err)
{
	autofree char *socket_path = path_join(path_run(), "%s", CORE_SOCKET);

	return client_call(socket_path, call, clock_monotonic() + CALL_TIMEOUT, again, ret, err);
}

static int call_whole(const char *verb, const char *path, const struct fields *params, int fd,
		      struct json_object **ret, struct err *err)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	int r;

	if (path[0] != '/')
		return err_set(err, ERR_INVALID, "an API path starts with '/': %s", path);
	fill_call(&call, verb, path, params);
	if (fd >= 0) {
		call.fds[0] = dup(fd);
		call.fd_count = 1;
	}
	r = send_call(&call, str_eq(verb, "GET"), &reply, err);
	call_fini(&call);
	if (r < 0)
		return r;
	r = read_reply(&reply, ret, err);
	reply_fini(&reply);
	return r;
}

int cli_call(const char *verb, const char *path, const struct fields *params, int fd,
	     struct json_object **ret, struct err *err)
{
	autojson *envelope = NULL;
	int r = call_whole(verb, path, params, fd, &envelope, err);

	if (r == 0)
		*ret = take_member(envelope, "data");
	return r;
}

int cli_get_with(const char *path, const struct fields *params, const char *name,
		 struct json_object **ret, struct json_object **ret_member, struct err *err)
{
	autojson *envelope = NULL;
	int r = call_whole("GET", path, params, -1, &envelope, err);

	if (r < 0)
		return r;
	*ret = take_member(envelope, "data");
	*ret_member = take_member(envelope, name);
	return 0;
}

static int stream(const char *verb, const char *path, const struct fields *params,
		  const char *last_event_id, int *ret_fd, struct err *err)
{
	autojson *nothing = NULL;
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	int r;

	fill_call(&call, verb, path, params);
	fields_add(&call.head, "upgrade", "raw");
	fields_add(&call.head, "last-event-id", last_event_id);
	r = send_call(&call, last_event_id != NULL, &reply, err);
	call_fini(&call);
	if (r < 0)
		return r;
	if (reply.fd >= 0)
		*ret_fd = TAKE_FD(reply.fd);
	else if ((r = read_reply(&reply, &nothing, err)) == 0)
		r = err_set(err, ERR_UNSUPPORTED, "%s does not give a stream", path);
	reply_fini(&reply);
	return r;
}

int cli_stream(const char *path, const struct fields *params, const char *last_event_id,
	       int *ret_fd, struct err *err)
{
	return stream("GET", path, params, last_event_id, ret_fd, err);
}

int cli_stream_post(const char *path, const struct fields *params, int *ret_fd, struct err *err)
{
	return stream("POST", path, params, NULL, ret_fd, err);
}

int cli_get(struct json_object **ret, struct err *err, const char *fmt, ...)
{
	autofree char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = xvasprintf(fmt, ap);
	va_end(ap);
	return cli_call("GET", path, NULL, -1, ret, err);
}

const char *cli_member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(o, key, &value) || !value)
		return "";
	return json_object_get_string(value);
}

int64_t cli_member_int(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return json_object_get_int64(value);
}
