/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core of real parts in a folder of its own, with a connection to it: requests go in as frames and
 * come back as documents. External programs are small scripts. Include after cmocka.h. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/api/api.h"
#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/core/events.h"
#include "agent/core/certificate.h"
#include "agent/core/consoles.h"
#include "agent/core/guests.h"
#include "agent/core/job_rights.h"
#include "agent/core/nextid.h"
#include "agent/core/storages.h"

struct fixture {
	char directory[64];
	struct core core;
	sd_event_source *store_source;
	struct conn *server, *client;
	bool is_local;				   /* requests count as those of local root */
	char ticket[TICKET_MAX], csrf[TICKET_MAX]; /* sent when not local; "" for none */
	unsigned replies;
	struct reply last;
	bool is_stored;
};

static inline void fixture_on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	struct fixture *f = ctx;
	api_call(&f->core, conn, id, call, f->is_local);
}

static inline void fixture_on_cancel(struct conn *conn, uint64_t id, void *ctx)
{
	struct fixture *f = ctx;
	api_cancel(&f->core, conn, id);
}

static inline void fixture_on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)ctx;
	fail_msg("connection closed: %s", err ? err->message : "");
}

static const struct conn_ops fixture_ops = {
	.on_call = fixture_on_call, .on_cancel = fixture_on_cancel, .on_closed = fixture_on_closed};

static inline int fixture_on_store(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	store_dispatch(ctx);
	return 0;
}

static inline void fixture_turn(struct fixture *f)
{
	assert_true(sd_event_run(f->core.event, 20 * USEC_PER_SEC) > 0);
}

static inline void fixture_on_put(const struct store_result *result, void *ctx)
{
	struct fixture *f = ctx;
	if (result->outcome != STORE_DONE)
		fail_msg("store: %s", result->err.message);
	f->is_stored = true;
}

/* Writes one value and waits until it is applied. text NULL: deletes it. */
static inline void fixture_put(struct fixture *f, const char *path, const char *text)
{
	struct err err = ERR_INIT;
	struct store_op op = {.kind = text ? STORE_PUT : STORE_DELETE,
			      .path = path,
			      .value = text,
			      .size = text ? strlen(text) : 0};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	f->is_stored = false;
	if (store_submit(f->core.store, &txn, fixture_on_put, f, &err) < 0)
		fail_msg("store: %s", err.message);
	while (!f->is_stored)
		fixture_turn(f);
}

/* An executable script in the folder of programs. */
static inline void fixture_script(const struct fixture *f, const char *name, const char *text)
{
	char path[128];
	struct err err = ERR_INIT;
	snprintf(path, sizeof(path), "%s/libexec/%s", f->directory, name);
	if (file_write_atomic(path, text, strlen(text), 0755, &err) < 0)
		fail_msg("%s", err.message);
}

/* A file below the folder of states. */
static inline void fixture_file(const struct fixture *f, const char *name, const char *text)
{
	char path[1024];
	struct err err = ERR_INIT;
	snprintf(path, sizeof(path), "%s/state/%s", f->directory, name);
	if (file_write_atomic(path, text, strlen(text), 0644, &err) < 0)
		fail_msg("%s", err.message);
}

static inline void fixture_folder(const struct fixture *f, const char *name, const char *variable)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	assert_int_equal(dir_make(path, 0700, NULL), 0);
	setenv(variable, path, 1);
}

static inline void fixture_connect(struct fixture *f)
{
	int fds[2];
	struct err err = ERR_INIT;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(conn_new(f->core.event, fds[0], &fixture_ops, f, &f->server, &err), 0);
	assert_int_equal(conn_new(f->core.event, fds[1], &fixture_ops, f, &f->client, &err), 0);
}

/* The folders must be there: fixture_begin(), then files that are to be found, then this. */
static inline void fixture_start(struct fixture *f)
{
	char path[128];
	struct core *core = &f->core;
	struct err err = ERR_INIT;
	snprintf(path, sizeof(path), "%s/state/db", f->directory);
	struct store_options options = {.directory = path, .node = "n1"};
	f->last = REPLY_INIT;
	f->is_local = true;
	str_copy(core->node, sizeof(core->node), "n1");
	assert_true(sd_event_new(&core->event) >= 0);
	if (store_open(&options, &core->store, &err) < 0 ||
	    access_new(core->store, &core->access, &err) < 0 ||
	    jobs_new(core->event, "n1", &core->jobs, &err) < 0)
		fail_msg("%s", err.message);
	sd_event_add_io(core->event, &f->store_source, store_fd(core->store), EPOLLIN,
			fixture_on_store, core->store);
	core->facts = facts_new();
	core->helpers = helpers_new(core->event);
	core->guests = guests_new(core);
	core->nextid = nextid_new();
	core->storages = storages_new(core);
	core->events = events_new(core);
	core->consoles = consoles_new(core->event, core->jobs);
	core->job_rights = job_rights_new(core);
	core->certificate = certificate_new();
	fixture_connect(f);
}

static inline void fixture_begin(struct fixture *f)
{
	*f = (struct fixture){.directory = "/tmp/lodge-test-XXXXXX"};
	assert_non_null(mkdtemp(f->directory));
	fixture_folder(f, "state", "LODGE_STATE_DIR");
	fixture_folder(f, "run", "LODGE_RUN_DIR");
	fixture_folder(f, "libexec", "LODGE_LIBEXEC_DIR");
	fixture_folder(f, "share", "LODGE_SHARE_DIR");
	fixture_script(f, "lodge-task", "#!/bin/sh\necho '{}'\n");
}

static inline void fixture_end(struct fixture *f)
{
	struct core *core = &f->core;
	api_fini(core);
	conn_close(f->client);
	conn_close(f->server);
	events_free(core->events);
	certificate_free(core->certificate);
	job_rights_free(core->job_rights);
	consoles_free(core->consoles);
	storages_free(core->storages);
	guests_free(core->guests);
	nextid_free(core->nextid);
	helpers_free(core->helpers);
	facts_free(core->facts);
	jobs_free(core->jobs);
	access_free(core->access);
	sd_event_source_disable_unref(f->store_source);
	store_close(core->store);
	sd_event_unref(core->event);
	reply_fini(&f->last);
	dir_remove_tree(f->directory, NULL);
}

/* The next requests are this user's; NULL: local root; "": nobody's. */
static inline void fixture_login(struct fixture *f, const char *user)
{
	struct err err = ERR_INIT;
	f->is_local = user == NULL;
	f->ticket[0] = f->csrf[0] = '\0';
	if (!str_is_empty(user) &&
	    access_ticket_make(f->core.access, user, clock_wall() / USEC_PER_SEC, f->ticket,
			       f->csrf, &err) < 0)
		fail_msg("%s", err.message);
}

static inline void fixture_on_reply(struct reply *reply, void *ctx)
{
	struct fixture *f = ctx;
	reply_fini(&f->last);
	f->last = *reply;
	*reply = REPLY_INIT;
	f->replies++;
	if (f->last.body_fd >= 0)
		assert_int_equal(fd_memfd_read(f->last.body_fd, 64 << 20, &f->last.body, NULL), 0);
}

/* Fills a call: "GET /path?name=value&name=value" (values as they are). */
static inline void fixture_fill(const struct fixture *f, const char *request, struct call *ret)
{
	autostrv char **words = str_split(request, " ");
	char *query = strchr(words[1], '?');
	*ret = CALL_INIT;
	ret->op = CALL_API;
	if (query)
		*query++ = '\0';
	fields_add(&ret->head, "verb", words[0]);
	fields_add(&ret->head, "path", words[1]);
	fields_add(&ret->head, "peer", "127.0.0.1");
	if (f->ticket[0]) {
		fields_add(&ret->head, "ticket", f->ticket);
		fields_add(&ret->head, "csrf", f->csrf);
	}
	autostrv char **pairs = str_split(query ? query : "", "&");
	for (size_t i = 0; pairs[i]; i++) {
		char *value = strchr(pairs[i], '=');
		*value = '\0';
		fields_add(&ret->params, pairs[i], value + 1);
	}
}

/* One request; returns the HTTP status, the document is in last.body. */
static inline int fixture_call(struct fixture *f, const char *request)
{
	struct call call;
	struct err err = ERR_INIT;
	unsigned before = f->replies;
	fixture_fill(f, request, &call);
	assert_int_equal(conn_call(f->client, &call, fixture_on_reply, f, NULL, &err), 0);
	call_fini(&call);
	while (f->replies == before)
		fixture_turn(f);
	return f->last.status;
}

/* The request is answered with exactly this status and document. */
static inline void expect(struct fixture *f, const char *request, int status, const char *body)
{
	int got = fixture_call(f, request);
	if (got != status || !str_eq(buf_str(&f->last.body), body))
		fail_msg("%s: got %d %s\nexpected %d %s", request, got, buf_str(&f->last.body),
			 status, body);
}

/* The document holds all of these texts, and none of those after "!". */
static inline void expect_has(struct fixture *f, const char *request, const char *const *texts)
{
	int status = fixture_call(f, request);
	const char *body = buf_str(&f->last.body);
	if (status != 200)
		fail_msg("%s: %d %s", request, status, body);
	for (; *texts; texts++) {
		bool is_there = strstr(body, **texts == '!' ? *texts + 1 : *texts) != NULL;
		if (is_there == (**texts == '!'))
			fail_msg("%s: %s in %s", request, *texts, body);
	}
}

#define EXPECT_HAS(f, request, ...) expect_has(f, request, (const char *const[]){__VA_ARGS__, NULL})
