/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request on its way to the core and back. */
#include "agent/gate/request.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/brake.h"
#include "agent/gate/parse.h"

#define API_PREFIX "/api2/json"
#define TARGET_MAX 8192

static void address_text(struct MHD_Connection *connection, char *ret, size_t size)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;

	ret[0] = '\0';
	if (sa && sa->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *) sa)->sin_addr, ret, (socklen_t) size);
	} else if (sa && sa->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *) sa)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(a))
			inet_ntop(AF_INET, &a->s6_addr[12], ret, (socklen_t) size);
		else
			inet_ntop(AF_INET6, a, ret, (socklen_t) size);
	}
}

struct request *request_new(struct gate *gate, const char *target, struct MHD_Connection *connection)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->gate = gate;
	r->connection = connection;
	r->target = xstrndup(target, TARGET_MAX + 1);
	r->answer_fd = -1;
	list_init(&r->node);
	address_text(connection, r->address, sizeof(r->address));
	return r;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	list_remove(&r->node);
	if (r->call)
		link_cancel(r->call);
	if (r->state == REQUEST_HELD)
		brake_leave(r->gate->brake, r->address);
	if (r->answer_fd >= 0)
		close(r->answer_fd);
	free(r->target);
	free(r->reason);
	free(r->content_type);
	free(r->etag);
	buf_fini(&r->body);
	buf_fini(&r->answer);
	free(r);
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void request_start(struct request *r, const char *verb)
{
	const char *length = header(r, "Content-Length");
	uint64_t n;

	str_copy(r->verb, sizeof(r->verb), verb);
	r->accepts_gzip = parse_accepts_gzip(header(r, "Accept-Encoding"));
	if (length && str_to_u64(length, &n) && n > GATE_BODY_MAX)
		r->is_too_large = true;
}

void request_body(struct request *r, const char *data, size_t size)
{
	if (r->body.size + size > GATE_BODY_MAX)
		r->is_too_large = true;
	if (!r->is_too_large)
		buf_add(&r->body, data, size);
}

void request_fail(struct request *r, unsigned status, const char *message)
{
	autofree char *line = xasprintf("%s\n", message);
	struct json j;

	r->state = REQUEST_ANSWERED;
	r->status = status;
	xreplace(&r->reason, message);
	xreplace(&r->content_type, "application/json;charset=UTF-8");
	buf_clear(&r->answer);
	json_init(&j, &r->answer);
	json_object_begin(&j);
	json_kv_null(&j, "data");
	json_kv_string(&j, "message", line);
	json_object_end(&j);
}

/* ---- the core's answer ---- */

static void resume(struct request *r)
{
	list_remove(&r->node);
	MHD_resume_connection(r->connection);
	server_wake(r->gate->server);
}

/* A refused credential costs the asker three seconds, and us nothing but a held connection. */
static void hold_or_resume(struct request *r)
{
	if (r->status != 401) {
		r->state = REQUEST_ANSWERED;
		resume(r);
		return;
	}
	if (brake_enter(r->gate->brake, r->address)) {
		r->state = REQUEST_HELD;
		r->release_at = clock_monotonic() + GATE_HOLD_401;
		return;
	}
	request_fail(r, 429, "too many refused requests; wait a few seconds");
	resume(r);
}

static void on_reply(struct reply *reply, void *ctx)
{
	struct request *r = ctx;
	const char *type = fields_get(&reply->head, "content-type");
	const char *message = fields_get(&reply->head, "message");

	r->call = NULL;
	if (reply->body.size == 0 && reply->body_fd < 0) {
		request_fail(r, reply->status ? reply->status : 500,
			     message ? message : "the node's core gave no answer");
	} else {
		r->status = reply->status;
		xreplace(&r->reason, fields_get(&reply->head, "reason"));
		xreplace(&r->content_type, type ? type : "application/json;charset=UTF-8");
		r->answer = reply->body;
		reply->body = BUF_INIT;
		r->answer_fd = TAKE_FD(reply->body_fd);
	}
	hold_or_resume(r);
}

/* ---- to the core ---- */

static int add_body(struct request *r, struct fields *params, struct err *err)
{
	bool takes_body = str_eq(r->verb, "POST") || str_eq(r->verb, "PUT");

	if (r->body.size == 0)
		return 0;
	if (!takes_body)
		return err_set(err, ERR_UNSUPPORTED, "Unexpected content for method '%s'", r->verb);
	switch (parse_content_type(header(r, "Content-Type"))) {
	case BODY_TYPE_NONE:
	case BODY_TYPE_FORM:
		return parse_form(r->body.data, r->body.size, params, err);
	case BODY_TYPE_JSON:
		return parse_json(r->body.data, r->body.size, params, err);
	case BODY_TYPE_MULTIPART:
		return err_set(err, ERR_UNSUPPORTED,
			       "uploads over HTTPS are not served yet; use 'lodge upload' on the node");
	case BODY_TYPE_OTHER:
		break;
	}
	return err_set(err, ERR_INVALID,
		       "content type must be application/x-www-form-urlencoded or application/json");
}

static void add_credentials(struct request *r, struct fields *head)
{
	autofree char *ticket = parse_cookie(header(r, "Cookie"), "PVEAuthCookie");
	autofree char *token = NULL, *other = NULL;

	parse_authorization(header(r, "Authorization"), &other, &token);
	fields_add(head, "ticket", ticket ? ticket : other);
	fields_add(head, "token", token);
	fields_add(head, "csrf", header(r, "CSRFPreventionToken"));
}

static void call_core(struct request *r, const char *path, const char *query)
{
	struct call call = CALL_INIT;
	struct err err = ERR_INIT;
	int failed;

	call.op = CALL_API;
	call.deadline_ms = GATE_CALL_MS;
	fields_add(&call.head, "verb", r->verb);
	fields_add(&call.head, "path", path);
	fields_add(&call.head, "peer", r->address);
	fields_add(&call.head, "source", "gate");
	add_credentials(r, &call.head);
	failed = parse_form(query, strlen(query), &call.params, &err);
	if (failed == 0)
		failed = add_body(r, &call.params, &err);
	if (failed < 0) {
		request_fail(r, err.code == ERR_UNSUPPORTED ? 501 : 400, err.message);
		call_fini(&call);
		return;
	}
	buf_fini(&r->body);
	r->state = REQUEST_CALLED;
	MHD_suspend_connection(r->connection);
	server_watch(r->gate->server, r);
	r->call = link_call(r->gate->link, &call, on_reply, r);
}

static bool is_api_verb(const char *verb)
{
	return str_eq(verb, "GET") || str_eq(verb, "POST") || str_eq(verb, "PUT") || str_eq(verb, "DELETE");
}

static void route(struct request *r, const char *path, const char *query)
{
	const char *below = str_after(path, API_PREFIX);

	if (below && (below[0] == '/' || below[0] == '\0')) {
		if (is_api_verb(r->verb))
			call_core(r, below[0] ? below : "/", query);
		else
			request_fail(r, 501, "method not implemented");
	} else if (str_eq(r->verb, "GET") || str_eq(r->verb, "HEAD")) {
		static_serve(r, path);
	} else {
		request_fail(r, 501, "method not implemented");
	}
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
	else
		route(r, path, query);
}
