/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of an API request on the core's loop: match, authenticate, validate, check permission,
 * run the handler, answer once; deadline and cancel of those that take longer. Never blocks. */
#include "agent/api/api.h"

#include <string.h>

#include "agent/api/match.h"
#include "agent/api/node_network.h"
#include "agent/api/pending.h"
#include "agent/api/reply.h"
#include "agent/api/resources.h"
#include "agent/api/validate.h"
#include "agent/base/log.h"
#include "agent/base/str.h"

#define DEADLINE_DEFAULT_MS 30000u
#define PATH_TEXT_MAX	    256

static struct list in_flight = {&in_flight, &in_flight};

static void pending_free(struct pending *p)
{
	list_remove(&p->link);
	if (p->timer)
		sd_event_source_disable_unref(p->timer);
	if (p->req.fd >= 0)
		close(p->req.fd);
	if (p->req.stream.fd >= 0)
		close(p->req.stream.fd);
	fields_fini(&p->req.params);
	fields_fini(&p->req.extra);
	fields_fini(&p->preconditions);
	buf_fini(&p->req.data);
	free(p);
}

static void answer(struct pending *p, struct reply *reply)
{
	if (p->conn)
		conn_reply(p->conn, p->id, reply);
	p->conn = NULL;
	reply_fini(reply);
}

/* A bug's text is for the log; the client learns that there is one. */
static void answer_err(struct pending *p, const struct err *err)
{
	struct reply reply = REPLY_INIT;
	struct err shown = *err;
	if (!err->code || err->code == ERR_INTERNAL) {
		log_error("%s %s: %s", api_verb_name(p->req.route->verb), p->req.route->path,
			  err->message);
		err_set(&shown, ERR_INTERNAL, "internal error: %s",
			err->message[0] ? "see the log of the agent" : "no reason given");
	}
	api_reply_err(&reply, &shown);
	answer(p, &reply);
}

static void answer_stream(struct pending *p)
{
	struct reply reply = REPLY_INIT;

	reply.status = str_eq(p->req.stream.type, API_STREAM_WEBSOCKET) ? 101 : 200;
	fields_add(&reply.head, "content-type", p->req.stream.type);
	reply.fd = TAKE_FD(p->req.stream.fd);
	answer(p, &reply);
}

static void settle(struct pending *p, const struct err *failure)
{
	if (failure) {
		answer_err(p, failure);
	} else if (p->req.stream.fd >= 0 && !str_eq(p->req.stream.type, API_STREAM_UPLOAD)) {
		answer_stream(p);
	} else {
		struct reply reply = REPLY_INIT;
		api_reply_data(&reply, &p->req.data, &p->req.extra);
		reply.fd = TAKE_FD(p->req.stream.fd);
		answer(p, &reply);
	}
	pending_free(p);
}

void api_finish(struct api_request *req)
{
	struct pending *p = pending_of(req);
	if (!p->is_in_step) {
		settle(p, NULL);
		return;
	}
	p->is_settled = true;
	p->failure = ERR_INIT;
}

void api_stream(struct api_request *req, int fd, const char *type)
{
	req->stream.fd = fd;
	req->stream.type = type;
}

void api_fail(struct api_request *req, const struct err *err)
{
	struct pending *p = pending_of(req);
	if (!p->is_in_step) {
		settle(p, err);
		return;
	}
	p->is_settled = true;
	p->failure = *err;
	if (!p->failure.code)
		p->failure.code = ERR_INTERNAL;
}

/* The handler still works when it cannot be cancelled; its answer then goes nowhere. */
static void abandon(struct pending *p)
{
	p->conn = NULL;
	if (!p->req.cancel)
		return;
	p->req.cancel(&p->req);
	pending_free(p);
}

static int on_deadline(sd_event_source *source, uint64_t now, void *ctx)
{
	(void)source;
	(void)now;
	struct pending *p = ctx;
	struct err err = ERR_INIT;
	err_set(&err, ERR_TIMEOUT, "got timeout");
	answer_err(p, &err);
	abandon(p);
	return 0;
}

static void wait_later(struct pending *p)
{
	if (p->timer || !p->conn)
		return;
	sd_event_add_time_relative(p->req.core->event, &p->timer, CLOCK_MONOTONIC,
				   p->deadline_ms * USEC_PER_MSEC, 10 * USEC_PER_MSEC, on_deadline,
				   p);
}

void pending_run(struct pending *p, pending_step step, void *arg)
{
	struct err err = ERR_INIT;
	p->is_in_step = true;
	int r = step(p, arg, &err);
	p->is_in_step = false;
	if (p->is_settled)
		settle(p, p->failure.code ? &p->failure : NULL);
	else if (r < 0)
		settle(p, &err);
	else if (r == API_LATER)
		wait_later(p);
	else
		settle(p, NULL);
}

static int handle(struct pending *p, void *arg, struct err *err)
{
	(void)arg;
	return p->req.route->handle(&p->req, err);
}

static int authenticate(struct api_request *req, const struct fields *head, bool is_local,
			struct err *err)
{
	if (is_local) {
		str_copy(req->who.userid, sizeof(req->who.userid), "root@pam");
		req->who.is_local_root = true;
		return 0;
	}
	if (req->route && req->route->permission.kind == API_WORLD)
		return 0;
	const struct credential cred = {.ticket = fields_get(head, "ticket"),
					.csrf = fields_get(head, "csrf"),
					.token = fields_get(head, "token")};
	bool needs_csrf = req->route && req->route->verb != API_GET && !req->route->takes_upload;
	return access_authenticate(req->core->access, &cred, needs_csrf,
				   clock_wall() / USEC_PER_SEC, &req->who, err);
}

/* "/vms/{vmid}" with the request's values; false if one of them was not valid or not given. */
static bool expand_path(const struct fields *params, const char *path_template,
			char ret[PATH_TEXT_MAX])
{
	size_t size = 0;
	for (const char *at = path_template; *at;) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		const char *value = at;
		size_t length = 1;
		if (end) {
			autofree char *name = xstrndup(at + 1, (size_t)(end - at - 1));
			value = fields_get(params, name);
			if (!value)
				return false;
			length = strlen(value);
		}
		if (size + length >= PATH_TEXT_MAX)
			return false;
		memcpy(ret + size, value, length);
		size += length;
		at = end ? end + 1 : at + 1;
	}
	ret[size] = '\0';
	return true;
}

static int check_permission(const struct api_request *req, bool is_valid, struct err *err)
{
	const struct api_permission *permission = &req->route->permission;
	char path[PATH_TEXT_MAX];
	if (req->route->no_token && req->who.is_token)
		return err_set(err, ERR_DENIED,
			       "Permission check failed (not available with an API token)");
	if (permission->kind != API_CHECK)
		return 0;
	if (!expand_path(&req->params, permission->path, path))
		/* some parameter is wrong: that is reported instead */
		return is_valid ? err_set(err, ERR_DENIED, "Permission check failed (%s, %s)",
					  permission->path, permission->privs)
				: 0;
	return api_check(req, path, permission->privs, permission->any, err);
}

static void refuse(struct conn *conn, uint64_t id, struct reply *reply)
{
	conn_reply(conn, id, reply);
	reply_fini(reply);
}

static void refuse_err(struct conn *conn, uint64_t id, const struct err *err)
{
	struct reply reply = REPLY_INIT;
	api_reply_err(&reply, err);
	refuse(conn, id, &reply);
}

/* Parts of the contract whose absence has one reason, which is worth a word. */
static const char *absence_reason(const char *path)
{
	static const struct {
		const char *part, *reason;
	} absent[] = {
		{"/vzdump", ": this version makes no backups"},
		{"/file-restore/", ": this version makes no backups"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (strstr(path, absent[i].part))
			return absent[i].reason;
	return "";
}

static void refuse_route(struct conn *conn, uint64_t id, const char *verb, const char *path)
{
	struct reply reply = REPLY_INIT;
	autofree char *message = xasprintf("Method '%.16s %.400s' not implemented%s", verb, path,
					   absence_reason(path));
	api_reply_error(&reply, 501, message, NULL);
	refuse(conn, id, &reply);
}

/* Everything before the handler. true: go on; otherwise the answer was given. */
static bool admit(struct pending *p, const struct fields *path_params, const struct call *call,
		  bool is_local)
{
	struct api_request *req = &p->req;
	struct err err = ERR_INIT;
	autofields errors = FIELDS_INIT;
	if (authenticate(req, &call->head, is_local, &err) < 0) {
		refuse_err(p->conn, p->id, &err);
		return false;
	}
	api_network_seen(req);
	bool is_valid = api_validate(req->route, path_params, &call->params, &req->params, &errors);
	if (str_eq(api_str(req, "node"), "localhost"))
		fields_set(&req->params, "node", req->core->node);
	if (check_permission(req, is_valid, &err) < 0) {
		refuse_err(p->conn, p->id, &err);
		return false;
	}
	if (!is_valid) {
		struct reply reply = REPLY_INIT;
		api_reply_error(&reply, 400, "Parameter verification failed.", &errors);
		refuse(p->conn, p->id, &reply);
		return false;
	}
	if (fields_find(path_params, "node") && api_check_node(req, &err) < 0) {
		refuse_err(p->conn, p->id, &err);
		return false;
	}
	return true;
}

static struct pending *pending_new(struct core *core, struct conn *conn, uint64_t id,
				   const struct call *call)
{
	struct pending *p = xcalloc(1, sizeof(*p));
	const char *peer = fields_get(&call->head, "peer");
	const char *upgrade = fields_get(&call->head, "upgrade");
	const char *upload = fields_get(&call->head, "upload");
	const char *last_event_id = fields_get(&call->head, "last-event-id");
	p->conn = conn;
	p->id = id;
	p->deadline_ms = call->deadline_ms ? call->deadline_ms : DEADLINE_DEFAULT_MS;
	p->req.core = core;
	p->req.fd = p->req.stream.fd = -1;
	p->req.wants_websocket = str_eq(upgrade, "websocket");
	p->req.takes_raw_stream = str_eq(upgrade, "raw");
	p->req.takes_upload_stream = upload && str_to_u64(upload, &p->req.upload_size);
	if (!str_copy(p->req.last_event_id, sizeof(p->req.last_event_id),
		      last_event_id ? last_event_id : ""))
		p->req.last_event_id[0] = '\0';
	if (!str_copy(p->req.peer, sizeof(p->req.peer), peer ? peer : ""))
		p->req.peer[0] = '\0';
	address_key(p->req.peer, p->req.peer_key);
	buf_add_str(&p->req.data, API_ENVELOPE);
	json_init(&p->req.json, &p->req.data);
	list_append(&in_flight, &p->link);
	return p;
}

/* Whether a route exists is told to those with a credential only. */
static void answer_unknown(struct core *core, struct conn *conn, uint64_t id,
			   const struct call *call, bool is_local)
{
	struct api_request req = {.core = core};
	struct err err = ERR_INIT;
	const char *verb = fields_get(&call->head, "verb"), *path = fields_get(&call->head, "path");
	if (authenticate(&req, &call->head, is_local, &err) < 0)
		refuse_err(conn, id, &err);
	else
		refuse_route(conn, id, verb ? verb : "", path ? path : "");
}

void api_call(struct core *core, struct conn *conn, uint64_t id, struct call *call, bool is_local)
{
	const char *path = fields_get(&call->head, "path");
	autofields path_params = FIELDS_INIT;
	enum api_verb verb;
	const struct api_route *route = NULL;
	if (path && api_verb_from_name(fields_get(&call->head, "verb"), &verb))
		route = api_match(api_routes(), verb, path, &path_params);
	if (!route) {
		answer_unknown(core, conn, id, call, is_local);
		return;
	}
	struct pending *p = pending_new(core, conn, id, call);
	p->req.route = route;
	if (!admit(p, &path_params, call, is_local)) {
		pending_free(p);
		return;
	}
	if (route->takes_upload && call->fd_count > 0)
		p->req.fd = TAKE_FD(call->fds[0]);
	pending_run(p, handle, NULL);
}

size_t api_count_alike(const struct api_request *req, bool only_peer)
{
	size_t count = 0;

	LIST_FOREACH (&in_flight, p, struct pending, link)
		count += p->req.route == req->route &&
			 (!only_peer || str_eq(p->req.peer_key, req->peer_key));
	return count;
}

void api_cancel(struct core *core, struct conn *conn, uint64_t id)
{
	LIST_FOREACH (&in_flight, p, struct pending, link) {
		if (p->req.core == core && p->conn == conn && (id == 0 || p->id == id))
			abandon(p);
	}
}

void api_fini(struct core *core)
{
	LIST_FOREACH (&in_flight, p, struct pending, link) {
		if (p->req.core != core)
			continue;
		if (p->helper)
			helper_cancel(TAKE(p->helper));
		else if (p->req.cancel)
			p->req.cancel(&p->req);
		else {
			/* freed when the store gives its last answers; nothing follows on those,
			 * since the parts of the core are gone by then */
			p->conn = NULL;
			p->req.core = NULL;
			continue;
		}
		pending_free(p);
	}
	api_resources_forget();
}
