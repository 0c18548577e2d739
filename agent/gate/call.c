/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request on its way to the core and back: flat parameters and raw credentials there, ready bytes
 * back. Refused credentials are held here. */
#include "agent/gate/request.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/brake.h"
#include "agent/gate/parse.h"
#include "agent/gate/upload.h"

#define JSON_TYPE      "application/json;charset=UTF-8"
#define LAST_EVENT_MAX 63
#define TEXT_BRAKED    "too many refused requests; wait a few seconds"

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* ---- back ---- */

static void take_answer(struct request *r, struct reply *reply)
{
	const char *type = fields_get(&reply->head, "content-type");

	r->state = REQUEST_ANSWERED;
	r->status = reply->status >= 100 && reply->status <= 999 ? reply->status : 500;
	xreplace(&r->reason, fields_get(&reply->head, "reason"));
	xreplace(&r->content_type, type ? type : JSON_TYPE);
	r->answer = reply->body;
	reply->body = BUF_INIT;
	r->answer_fd = TAKE_FD(reply->body_fd);
	r->stream_fd = TAKE_FD(reply->fd);
}

/* A WebSocket only for who asked for it. */
static bool is_stream(const struct request *r, const struct reply *reply)
{
	return reply->fd >= 0 && (reply->status == 200 || (reply->status == 101 && r->is_upgrade));
}

static bool has_answer(const struct request *r, const struct reply *reply)
{
	bool has_body = reply->body.size > 0 || reply->body_fd >= 0;

	return is_stream(r, reply) || (has_body && reply->status != 101 && reply->fd < 0);
}

static bool is_http_error(unsigned status)
{
	return status >= 400 && status <= 999;
}

static void on_reply(struct reply *reply, void *ctx)
{
	struct request *r = ctx;
	struct brake *brake = r->is_guess ? r->gate->guesses : r->gate->brake;
	const char *message = fields_get(&reply->head, "message");
	usec_t now = clock_monotonic();

	r->call = NULL;
	if (r->upload && reply->status == 200 && reply->fd >= 0) {
		upload_reply(r, reply);
		return;
	}
	if (has_answer(r, reply))
		take_answer(r, reply);
	else
		request_fail(r, is_http_error(reply->status) ? reply->status : 500,
			     message ? message : "the node's core gave no answer");
	if (r->status != 401) {
		parked_resume(r);
	} else if (brake_enter(brake, r->address_key, now, now + GATE_HOLD_401)) {
		r->state = REQUEST_HELD;
		r->release_at = now + GATE_HOLD_401;
	} else {
		if (r->answer_fd >= 0)
			close(TAKE_FD(r->answer_fd));
		request_fail(r, 429, TEXT_BRAKED);
		parked_resume(r);
	}
}

/* ---- there ---- */

static int body_fields(struct request *r, struct fields *ret, struct err *err)
{
	switch (parse_content_type(header(r, MHD_HTTP_HEADER_CONTENT_TYPE))) {
	case BODY_TYPE_NONE:
	case BODY_TYPE_FORM:
		return parse_form(r->body.data, r->body.size, ret, err);
	case BODY_TYPE_JSON:
		return parse_json(r->body.data, r->body.size, ret, err);
	case BODY_TYPE_MULTIPART:
		return err_set(err, ERR_UNSUPPORTED, "multipart/form-data is for uploads");
	case BODY_TYPE_OTHER:
		break;
	}
	return err_set(err, ERR_INVALID,
		       "the content type must be application/x-www-form-urlencoded or "
		       "application/json");
}

/* What the query names, it overrides. */
static int add_query(const char *query, struct fields *ret, struct err *err)
{
	autofields asked = FIELDS_INIT;
	int failed = parse_form(query, strlen(query), &asked, err);

	if (failed < 0)
		return failed;
	for (size_t i = 0; ret->count > 0 && i < asked.count; i++)
		fields_remove(ret, asked.items[i].name);
	fields_copy(ret, &asked);
	return 0;
}

static int all_fields(struct request *r, const char *query, struct fields *ret, struct err *err)
{
	int failed = 0;

	if (r->body.size > 0) {
		if (str_eq(r->verb, "GET") || str_eq(r->verb, "DELETE"))
			return err_set(err, ERR_UNSUPPORTED, "Unexpected content for method '%s'",
				       r->verb);
		failed = body_fields(r, ret, err);
	}
	return failed < 0 ? failed : add_query(query, ret, err);
}

static void add_credentials(struct request *r, struct fields *head)
{
	autofree char *cookie = parse_cookie(header(r, MHD_HTTP_HEADER_COOKIE), GATE_COOKIE);
	autofree char *token = NULL, *ticket = NULL;

	parse_authorization(header(r, MHD_HTTP_HEADER_AUTHORIZATION), &ticket, &token);
	fields_add(head, "ticket", cookie ? cookie : ticket);
	fields_add(head, "token", token);
	fields_add(head, "csrf", header(r, "CSRFPreventionToken"));
}

/* What is longer never came from us: the stream begins anew. */
static void add_last_event(struct request *r, struct fields *head)
{
	const char *id = header(r, "Last-Event-ID");

	if (id && strlen(id) <= LAST_EVENT_MAX)
		fields_add(head, "last-event-id", id);
}

/* Everything but the parameters, which are there. */
static int make_call(struct request *r, const char *path, struct call *ret, struct err *err)
{
	ret->op = CALL_API;
	ret->deadline_ms = GATE_CALL_MS;
	fields_add(&ret->head, "verb", r->verb);
	fields_add(&ret->head, "path", path);
	fields_add(&ret->head, "peer", r->address);
	fields_add(&ret->head, "source", "gate");
	add_credentials(r, &ret->head);
	if (r->is_upgrade)
		fields_add(&ret->head, "upgrade", "websocket");
	add_last_event(r, &ret->head);
	return frame_check_call(ret, err);
}

/* Has the core check a password. Pages renew their ticket by the same request, with the ticket as password, and
 * go on doing so behind an address from which others guess. Whether it is valid only the core knows, but the form
 * is enough: nobody's password has it, and a signature is not found by guessing, here or in any other request. */
static bool is_guess(const struct request *r, const char *path, const struct fields *params)
{
	const char *password = fields_get(params, "password");

	if (str_eq(r->verb, "POST") && parse_path_is(path, "access/ticket"))
		return password && !parse_is_ticket(password);
	return str_eq(r->verb, "PUT") && parse_path_is(path, "access/password");
}

/* Before the core is asked: an answer that is held back too late would tell whether the guess was right. Pages whose
 * ticket ran out are refused many times at once, which must not keep their user from logging in. */
static bool is_braked(const struct request *r)
{
	return r->is_guess && brake_is_full(r->gate->guesses, r->address_key, clock_monotonic());
}

static void send_call(struct request *r, struct call *call)
{
	r->state = REQUEST_CALLED;
	parked_add(server_parked(r->gate->server), r);
	r->call = link_call(r->gate->link, call, str_eq(r->verb, "GET"), on_reply, r);
}

void request_call(struct request *r, const char *path, const char *query)
{
	struct call call = CALL_INIT;
	struct err err = ERR_INIT;

	if (all_fields(r, query, &call.params, &err) < 0 || make_call(r, path, &call, &err) < 0) {
		request_fail_err(r, err.code == ERR_UNSUPPORTED ? 501 : 400, &err);
		call_fini(&call);
		return;
	}
	r->is_guess = is_guess(r, path, &call.params);
	if (is_braked(r)) {
		request_fail(r, 429, TEXT_BRAKED);
		call_fini(&call);
		return;
	}
	buf_fini(&r->body);
	send_call(r, &call);
}

int request_call_upload(struct request *r, const struct request_upload *upload, struct err *err)
{
	struct call call = CALL_INIT;

	call.params = *upload->fields;
	*upload->fields = FIELDS_INIT;
	fields_addf(&call.head, "upload", "%llu", (unsigned long long)upload->size);
	if (add_query(upload->query, &call.params, err) < 0 ||
	    make_call(r, upload->path, &call, err) < 0) {
		call_fini(&call);
		return -err->code;
	}
	send_call(r, &call);
	return 0;
}

void request_uncall(struct request *r)
{
	if (r->call)
		link_cancel(TAKE(r->call));
}
