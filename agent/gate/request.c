/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request as it comes in: limits, routing, and the answers that the gate gives by itself. */
#include "agent/gate/request.h"
#include "agent/gate/upload.h"

#include <string.h>
#include <strings.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/origin.h"
#include "agent/gate/parse.h"
#include "agent/gate/upgrade.h"

#define TARGET_MAX 8192
#define DRAIN_MAX                                                                                  \
	(8u * 1024 * 1024) /* of a body too large: read on, so that the answer is seen  \
				       */

#define JSON_TYPE "application/json;charset=UTF-8"

static void take_address(struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	peer_text(info ? info->client_addr : NULL, r->address);
	address_key(r->address, r->address_key);
}

struct request *request_new(struct gate *gate, const char *target,
			    struct MHD_Connection *connection)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->gate = gate;
	r->connection = connection;
	r->target = xstrndup(target ? target : "", TARGET_MAX + 1);
	r->answer_fd = r->stream_fd = -1;
	list_init(&r->node);
	take_address(r);
	return r;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	list_remove(&r->node);
	request_uncall(r);
	upload_free(r);
	if (r->answer_fd >= 0)
		close(r->answer_fd);
	if (r->stream_fd >= 0)
		close(r->stream_fd);
	free(r->target);
	free(r->reason);
	free(r->content_type);
	free(r->etag);
	buf_fini(&r->body);
	buf_fini(&r->answer);
	free(r);
}

static bool has_small_head(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return (!info || info->header_size <= GATE_HEAD_MAX) &&
	       MHD_get_connection_values(r->connection, MHD_HEADER_KIND, NULL, NULL) <=
		       GATE_HEADERS_MAX;
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static bool is_of_own_page(struct request *r)
{
	autofree char *cookie = parse_cookie(header(r, MHD_HTTP_HEADER_COOKIE), GATE_COOKIE);
	const struct origin origin = {.verb = r->verb,
				      .has_cookie = cookie != NULL,
				      .origin = header(r, MHD_HTTP_HEADER_ORIGIN),
				      .fetch_site = header(r, "Sec-Fetch-Site"),
				      .host = header(r, MHD_HTTP_HEADER_HOST)};
	struct err err = ERR_INIT;

	if (origin_check(&origin, &err) == 0)
		return true;
	request_fail(r, 403, err.message);
	return false;
}

bool request_start(struct request *r, const char *verb, const char *http)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n = 0;

	str_copy(r->verb, sizeof(r->verb), verb);
	str_copy(r->http, sizeof(r->http), http);
	r->accepts_gzip = parse_accepts_gzip(header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	if (!has_small_head(r))
		request_fail(r, 431, "more than 64 headers, or more than 8 KiB of them");
	else if (!is_of_own_page(r))
		return false;
	else if (upload_is_one(r))
		return upload_start(r);
	else if (length && str_to_u64(length, &n) && n > DRAIN_MAX)
		request_fail(r, 413, "the body is larger than 512 KiB");
	return r->state == REQUEST_READING;
}

bool request_drains(const struct request *r)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *expect = header(r, MHD_HTTP_HEADER_EXPECT);
	uint64_t n = 0;

	if (expect && strcasecmp(expect, "100-continue") == 0)
		return false;
	return !length || (str_to_u64(length, &n) && n <= DRAIN_MAX);
}

bool request_body(struct request *r, const char *data, size_t size)
{
	r->body_size += size;
	if (r->state == REQUEST_ANSWERED)
		return r->body_size <= DRAIN_MAX;
	if (r->body_size > GATE_BODY_MAX)
		r->is_too_large = true;
	if (!r->is_too_large)
		buf_add(&r->body, data, size);
	return r->body_size <= DRAIN_MAX;
}

void request_fail(struct request *r, unsigned status, const char *message)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_INVALID, "%s", message);
	request_fail_err(r, status, &err);
}

static void write_errors(struct json *j, const struct err *err)
{
	if (!err->field[0])
		return;
	json_key(j, "errors");
	json_object_begin(j);
	json_kv_string(j, err->field, err->message);
	json_object_end(j);
}

void request_fail_err(struct request *r, unsigned status, const struct err *err)
{
	const char *message = err->field[0] ? "Parameter verification failed." : err->message;
	autofree char *line = xasprintf("%s\n", message);
	struct json j;

	r->state = REQUEST_ANSWERED;
	r->status = status;
	xreplace(&r->reason, message);
	xreplace(&r->content_type, JSON_TYPE);
	buf_clear(&r->answer);
	json_init(&j, &r->answer);
	json_object_begin(&j);
	json_kv_null(&j, "data");
	write_errors(&j, err);
	json_kv_string(&j, "message", line);
	json_object_end(&j);
}

/* ---- routing ---- */

static bool is_api_verb(const char *verb)
{
	return str_eq(verb, "GET") || str_eq(verb, "POST") || str_eq(verb, "PUT") ||
	       str_eq(verb, "DELETE");
}

static void fail_method(struct request *r, const char *path)
{
	autofree char *message = xasprintf("Method '%s %s' not implemented", r->verb, path);

	request_fail(r, 501, message);
}

static const struct {
	const char *prefix;
	bool is_extjs;
} formats[] = {{"/api2/json", false}, {"/api2/extjs", true}};

static bool route_api(struct request *r, const char *path, const char *query)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const char *below = str_after(path, formats[i].prefix);

		if (!below || (below[0] != '/' && below[0] != '\0'))
			continue;
		r->is_extjs = formats[i].is_extjs;
		if (!is_api_verb(r->verb))
			fail_method(r, below);
		else if (upgrade_check(r))
			request_call(r, below[0] ? below : "/", query);
		return true;
	}
	return false;
}

void request_dispatch(struct request *r)
{
	autofree char *path = NULL;
	const char *query;
	struct err err = ERR_INIT;

	if (r->is_too_large)
		request_fail(r, 413, "the body is larger than 512 KiB");
	else if (strlen(r->target) > TARGET_MAX)
		request_fail(r, 414, "the request target is too long");
	else if (parse_target(r->target, &path, &query, &err) < 0)
		request_fail(r, 400, err.message);
	else if (route_api(r, path, query))
		return;
	else if (str_eq(r->verb, "GET") || str_eq(r->verb, "HEAD"))
		static_serve(r, path);
	else
		fail_method(r, path);
}
