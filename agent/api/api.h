/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The API dispatcher: route tables in, validated requests to handlers, replies out. Runs on the
 * core's loop. One table a resource, beside its handlers; validation, the machine-readable
 * description (`lodge api`) and the CLI's help come from the tables. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/auth/access.h"
#include "agent/base/address.h"
#include "agent/base/fields.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/core/core.h"

enum api_verb { API_GET, API_POST, API_PUT, API_DELETE };

enum api_permission_kind {
	API_WORLD,   /* no credential needed */
	API_USER,    /* any valid credential; the handler filters what it shows */
	API_CHECK,   /* `privs` on `path`; templates: "/vms/{vmid}" */
	API_HANDLER, /* valid credential; the handler checks by itself (text says what) */
};

struct api_permission {
	enum api_permission_kind kind;
	const char *path;
	const char *privs; /* "VM.Audit", or "VM.Audit|VM.Console" with any */
	bool any;
	const char *text;
};

struct api_request;

struct api_route {
	enum api_verb verb;
	const char *path;	    /* "/nodes/{node}/lxc/{vmid}/config" */
	const char *text;	    /* one sentence */
	const struct param *params; /* path parameters included; ended by PARAM_END; NULL: none */
	const struct param *more;   /* a second table (a guest's configuration keys), or NULL */
	struct api_permission permission;
	const char *returns; /* JSON schema text of the data, as in the contract */
	/* 0: the data was written to req->json (nothing written: null). API_LATER: api_finish() or
	 * api_fail() follows. Otherwise a negative error. Runs only after all checks passed. */
	int (*handle)(struct api_request *req, struct err *err);
	bool no_token;	   /* refused for API tokens */
	bool takes_upload; /* descriptor 0 of the call is a file */
};

#define API_LATER 1

typedef int (*api_then_fn)(struct api_request *req, struct err *err);

struct api_request {
	struct core *core; /* NULL once the core is being taken apart: only to be ended */
	const struct api_route *route;
	struct identity who;
	struct fields params;		 /* path, query and body parameters, validated */
	char peer[64];			 /* client's address */
	char peer_key[ADDRESS_KEY_SIZE]; /* what limits count it by */
	struct buf data;		 /* the JSON of "data"; written through json */
	struct json json;		 /* writes to data */
	struct fields extra; /* further members of the envelope beside data: name -> JSON text */
	int fd;		     /* uploaded file or -1 */
	bool takes_upload_stream; /* the file comes in while the job runs (API_STREAM_UPLOAD) */
	uint64_t upload_size;	  /* then: at most so many bytes, 0: unknown */
	bool takes_raw_stream; /* the caller can take a descriptor where others upgrade to WebSocket */
	bool wants_websocket;	/* the request is a valid WebSocket handshake */
	char last_event_id[64]; /* header Last-Event-ID, "" if none */
	struct {
		int fd;		  /* api_stream(); -1: none */
		const char *type; /* static */
	} stream;
	struct {
		const char *pool; /* a parameter's value; NULL: none */
		unsigned vmid;
	} joins;   /* the guest that this request makes will be in that pool (pools.h) */
	void *ctx; /* the handler's, for API_LATER */
	void (*cancel)(struct api_request *req); /* set by the handler: the client went away or the
						    deadline passed; must forget req. May be NULL */
};

/* values of validated parameters */
const char *api_str(const struct api_request *req, const char *name); /* NULL if not given */
int64_t api_int(const struct api_request *req, const char *name, int64_t fallback);
bool api_bool(const struct api_request *req, const char *name, bool fallback);
unsigned api_vmid(const struct api_request *req);

void api_finish(struct api_request *req); /* req is gone afterwards */
void api_fail(struct api_request *req, const struct err *err);
#define API_STREAM_WEBSOCKET "websocket"
/* Not an answer of its own: the document is sent as well, and the caller writes the file of an upload to fd, as
 * frames (agent/gate/upload.h). */
#define API_STREAM_UPLOAD "upload"
/* Answers with a byte stream instead of a document: fd, a connected stream socket that is taken over, goes
 * to the caller. type (static): API_STREAM_WEBSOCKET, whose bytes the gate carries as binary WebSocket
 * messages (status 101), or a content type (status 200), whose body ends with the stream. The handler
 * returns 0 or calls api_finish() afterwards. */
void api_stream(struct api_request *req, int fd, const char *type);
/* Convenience for job-starting handlers: starts it and writes its UPID as data. */
int api_start_job(struct api_request *req, struct job_spec *spec, struct err *err);
/* Submits a transaction; on DONE calls next(req) (which finishes or returns like a handler), else
 * fails the request with the contract's wording. Returns API_LATER or an error. */
int api_store(struct api_request *req, const struct store_txn *txn, api_then_fn next,
	      struct err *err);
/* Runs a helper; done(req, output) then goes on like a handler. When the client goes away a GET's
 * helper is killed, others run to their end. Returns API_LATER or an error. */
int api_run_helper(struct api_request *req, const char *name, const struct fields *args,
		   usec_t timeout,
		   int (*done)(struct api_request *req, struct buf *output, struct err *err),
		   struct err *err);
/* How many requests of the same route are in flight, this one included; only_peer: from the same
 * address, as limits count it. */
size_t api_count_alike(const struct api_request *req, bool only_peer);
/* Handler of index routes: the literal path components below the route's own path, as
 * [{"name":…}] or [{"subdir":…}]. */
int api_index_names(struct api_request *req, struct err *err);
int api_index_subdirs(struct api_request *req, struct err *err);
/* Who asked, as tasks and the history show it: the token id or the user id. */
const char *api_user(const struct api_request *req);
/* Checks privileges ("VM.Audit", "A|B" with any) on a path for the one who asked. For a guest that joins a pool those
 * on the pool do as well. */
int api_check(const struct api_request *req, const char *path, const char *privs, bool any,
	      struct err *err);
bool api_may(const struct api_request *req, const char *path, const char *privs); /* any of them */
/* 0 if {node} is this node's name; otherwise the contract's error. */
int api_check_node(const struct api_request *req, struct err *err);

/* Every resource's table; api_tables.c lists them. */
struct api_table {
	const struct api_route *routes;
	size_t count;
};
extern const struct api_table *const api_tables[]; /* NULL-terminated */

struct conn;
struct call;
/* Entry: CALL_API from gate or CLI. is_local_root by the connection's peer. */
void api_call(struct core *core, struct conn *conn, uint64_t id, struct call *call, bool is_local);
void api_cancel(struct core *core, struct conn *conn, uint64_t id); /* id 0: all of that conn */
/* Drops what is open and cached for this core; before core_free() takes its parts apart. */
void api_fini(struct core *core);
/* The description of everything: JSON list of {path, method, params, returns, permissions}. */
void api_describe(struct json *j);
/* HTTP status of an error code, one table. */
int api_status_of(int err_code);
