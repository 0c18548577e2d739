/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core without main for the tests of container routes: the real dispatcher, store, access control
 * and job start, in one process. The job program is a script that keeps its arguments. Include after
 * cmocka.h. */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/api/api.h"
#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/certificate.h"
#include "agent/core/consoles.h"
#include "agent/core/guests.h"
#include "agent/core/nextid.h"
#include "agent/core/storages.h"

#define NODE	 "n1"
#define GUEST	 "/nodes/n1/lxc/101"
#define TEMPLATE "ostemplate=local:vztmpl/debian.tar.zst"
#define WAIT	 (20 * USEC_PER_SEC)

static struct core core;
static struct conn *client, *server;
static char folder[] = "/tmp/lodge-test-XXXXXX";

/* -- a core without main ------------------------------------------------------------------------
 */

static inline int store_ready(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source, (void)fd, (void)events;
	store_dispatch(ctx);
	return 0;
}

static inline void stored(const struct store_result *result, void *ctx)
{
	assert_int_equal(result->outcome, STORE_DONE);
	*(bool *)ctx = true;
}

static inline void run_until(const bool *flag)
{
	usec_t end = clock_monotonic() + WAIT;

	while (!*flag) {
		assert_true(clock_monotonic() < end);
		assert_true(sd_event_run(core.event, USEC_PER_SEC) >= 0);
	}
}

static inline void store_op(enum store_op_kind kind, const char *path, const char *text)
{
	struct store_op op = {.kind = kind, .path = path, .value = text, .size = strlen(text)};
	struct store_txn txn = {.who = "test", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;
	bool done = false;

	if (store_submit(core.store, &txn, stored, &done, &err) < 0)
		fail_msg("%s: %s", path, err.message);
	run_until(&done);
}

static inline void put(const char *path, const char *text)
{
	store_op(STORE_PUT, path, text);
}

static inline void on_call(struct conn *conn, uint64_t id, struct call *call, void *ctx)
{
	(void)ctx;
	api_call(&core, conn, id, call, fields_get(&call->head, "ticket") == NULL);
}

static inline void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn, (void)ctx;
	fail_msg("connection closed: %s", err->message);
}

static const struct conn_ops ops = {.on_call = on_call, .on_closed = on_closed};

static inline void write_program(void)
{
	static const char script[] = "#!/bin/sh\nset -C\ncat > \"${0%/*}/args-$1\"\n";
	autofree char *path = path_join(folder, "lodge-task-ct");
	struct err err = ERR_INIT;

	assert_int_equal(file_write_atomic(path, script, strlen(script), 0755, &err), 0);
}

static inline int open_core(void **state)
{
	static const char storages[] =
		"dir: local\n\tpath /nowhere\n\tcontent rootdir,vztmpl,snippets\n\n"
		"dir: isos\n\tpath /nowhere2\n\tcontent iso\n";
	static const char users[] = "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n";
	struct err err = ERR_INIT;
	sd_event_source *source;
	int ends[2];

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_STATE_DIR", folder, 1);
	setenv("LODGE_RUN_DIR", folder, 1);
	setenv("LODGE_LIBEXEC_DIR", folder, 1);
	write_program();
	assert_true(sd_event_new(&core.event) >= 0);
	str_copy(core.node, sizeof(core.node), NODE);
	struct store_options options = {.directory = folder, .node = NODE};

	if (store_open(&options, &core.store, &err) < 0 ||
	    access_new(core.store, &core.access, &err) < 0 ||
	    jobs_new(core.event, NODE, &core.jobs, &err) < 0)
		fail_msg("%s", err.message);
	sd_event_add_io(core.event, &source, store_fd(core.store), EPOLLIN, store_ready,
			core.store);
	core.facts = facts_new();
	core.helpers = helpers_new(core.event);
	core.guests = guests_new(&core);
	core.storages = storages_new(&core);
	core.consoles = consoles_new(core.event, core.jobs);
	core.certificate = certificate_new();
	core.nextid = nextid_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(conn_new(core.event, ends[0], &ops, NULL, &server, &err), 0);
	assert_int_equal(conn_new(core.event, ends[1], &ops, NULL, &client, &err), 0);
	put("/storage.cfg", storages);
	put("/user.cfg", users);
	facts_hello(core.facts);
	facts_kind_listed(core.facts, false);
	facts_kind_listed(core.facts, true);
	return 0;
}

static inline int close_core(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	api_fini(&core);
	conn_close(client);
	conn_close(server);
	certificate_free(core.certificate);
	consoles_free(core.consoles);
	storages_free(core.storages);
	guests_free(core.guests);
	nextid_free(core.nextid);
	helpers_free(core.helpers);
	facts_free(core.facts);
	jobs_free(core.jobs);
	access_free(core.access);
	store_close(core.store);
	sd_event_unref(core.event);
	return dir_remove_tree(folder, &err);
}

/* -- asking -------------------------------------------------------------------------------------
 */

struct answer {
	bool done;
	unsigned status;
	struct buf body;
};

static inline void on_reply(struct reply *reply, void *ctx)
{
	struct answer *answer = ctx;

	answer->status = reply->status;
	answer->body = reply->body;
	reply->body = BUF_INIT;
	answer->done = true;
}

static inline void add_params(struct call *call, const char *text)
{
	autostrv char **pairs = str_split(text ? text : "", "|");

	for (size_t i = 0; pairs[i]; i++) {
		char *equals = strchr(pairs[i], '=');

		*equals = '\0';
		fields_add(&call->params, pairs[i], equals + 1);
	}
}

/* As root, or with the ticket of user. Returns the body. */
static inline struct buf ask_as(const char *user, const char *verb, const char *path,
				const char *params, unsigned *ret_status)
{
	struct call call = CALL_INIT;
	struct answer answer = {0};
	struct err err = ERR_INIT;
	char ticket[TICKET_MAX], csrf[TICKET_MAX];

	call.op = CALL_API;
	fields_add(&call.head, "verb", verb);
	fields_add(&call.head, "path", path);
	add_params(&call, params);
	if (user) {
		assert_int_equal(access_ticket_make(core.access, user, clock_wall() / USEC_PER_SEC,
						    ticket, csrf, &err),
				 0);
		fields_add(&call.head, "ticket", ticket);
		fields_add(&call.head, "csrf", csrf);
	}
	assert_int_equal(conn_call(client, &call, on_reply, &answer, NULL, &err), 0);
	call_fini(&call);
	run_until(&answer.done);
	*ret_status = answer.status;
	return answer.body;
}

static inline void expect_as(const char *user, const char *verb, const char *path,
			     const char *params, unsigned status, const char *body)
{
	unsigned got;
	autobuf answer = ask_as(user, verb, path, params, &got);

	if (got != status || !str_eq(buf_str(&answer), body))
		fail_msg("%s %s %s: got %u\n%s\nexpected %u\n%s", verb, path, params ? params : "",
			 got, buf_str(&answer), status, body);
}

static inline void expect(const char *verb, const char *path, const char *params, unsigned status,
			  const char *body)
{
	expect_as(NULL, verb, path, params, status, body);
}

static inline void expect_failure(const char *verb, const char *path, const char *params,
				  const char *message)
{
	autofree char *body = xasprintf("{\"data\":null,\"message\":\"%s\\n\"}", message);

	expect(verb, path, params, 500, body);
}

static inline void expect_wrong(const char *verb, const char *path, const char *params,
				const char *field, const char *text)
{
	autofree char *body = xasprintf("{\"data\":null,\"errors\":{\"%s\":\"%s\"},"
					"\"message\":\"Parameter verification failed.\\n\"}",
					field, text);

	expect(verb, path, params, 400, body);
}

/* answer: {"data":"UPID…"} */
static inline void wait_for_job(const char *answer)
{
	autofree char *upid = xstrndup(answer + strlen("{\"data\":\""),
				       strlen(answer) - strlen("{\"data\":\"\"}"));

	while (jobs_find(core.jobs, upid)->state == TASK_RUNNING)
		assert_true(sd_event_run(core.event, WAIT) > 0);
}

/* The arguments that the job of this type got; the next one of this type makes its own. */
static inline void take_args(const char *type, struct fields *ret)
{
	autofree char *args = path_join(folder, "args-%s", type);
	autobuf raw = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(file_read(args, 1 << 20, &raw, &err), 0);
	assert_int_equal(file_remove(args, &err), 0);
	struct cursor c = cursor_on(raw.data, raw.size);

	assert_int_equal(fields_decode(&c, ret, &err), 0);
}

/* The request must be answered by a UPID of this type; waits for the job's end and reads the
 * arguments that it got. */
static inline void expect_job(const char *verb, const char *path, const char *params,
			      const char *type, struct fields *ret_args)
{
	unsigned status;
	autobuf answer = ask_as(NULL, verb, path, params, &status);
	autofree char *middle = xasprintf(":%s:101:root@pam:\"}", type);

	if (status != 200 || !str_starts(buf_str(&answer), "{\"data\":\"UPID:n1:") ||
	    !str_ends(buf_str(&answer), middle))
		fail_msg("%s %s: %u %s", verb, path, status, buf_str(&answer));
	wait_for_job(buf_str(&answer));
	take_args(type, ret_args);
}

static inline void expect_stored(const char *text)
{
	struct store_value value;

	if (!text) {
		assert_false(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
		return;
	}
	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	assert_string_equal(value.data, text);
}

#define STOPPED_CONFIG                                                                             \
	"arch: amd64\nhostname: web\nmemory: 512\nnet0: name=eth0,bridge=vmbr0,"                   \
	"hwaddr=BC:24:11:00:00:01\nrootfs: local:101/vm-101-disk-0.raw,size=8G\nswap: 512\n"       \
	"unprivileged: 1\n"

static inline void take_fact(const char *state, const char *pid)
{
	autofields f = FIELDS_INIT;
	struct err err = ERR_INIT;

	fields_add(&f, "vmid", "101");
	fields_add(&f, "state", state);
	fields_add(&f, "pid", pid);
	if (facts_take_guest(core.facts, &f, &err) < 0)
		fail_msg("%s", err.message);
}

static inline int fresh_guest(void **state)
{
	(void)state;
	put("/nodes/n1/lxc/101.conf", STOPPED_CONFIG);
	take_fact("stopped", NULL);
	return 0;
}

static inline int no_guest(void **state)
{
	(void)state;
	store_op(STORE_DELETE, "/nodes/n1/lxc/101.conf", "");
	return 0;
}
