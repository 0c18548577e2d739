/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: a map from path ("/nodes/a/lxc/101.conf") to a small value with a version (the log
 * index that last changed it). Reads are local, from memory, and never wait; writes are
 * transactions that are acknowledged once they are durable. All functions run on the owner's loop
 * thread; the writer thread is inside and never calls back directly: store_fd() becomes readable
 * and store_dispatch() delivers completions and changes, in log order.
 *
 * Paths: absolute, components of [A-Za-z0-9._@!-], no empty, "." or ".." component, at most
 * STORE_PATH_MAX bytes. Values: any bytes, at most STORE_VALUE_MAX. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/clock.h"
#include "agent/base/err.h"

#define STORE_PATH_MAX	255
#define STORE_VALUE_MAX (1024u * 1024)
#define STORE_TOTAL_MAX (256u * 1024 * 1024)
#define STORE_TXN_MAX	(4u * 1024 * 1024) /* values of one transaction */
#define STORE_OPS_MAX	256		   /* preconditions + operations of one transaction */
#define STORE_WHO_MAX	128

struct store;

struct store_request_id {
	uint8_t bytes
		[16]; /* random; the same id again yields the first outcome, and is not done twice */
};

enum store_op_kind { STORE_PUT = 1, STORE_DELETE, STORE_RENAME };

struct store_op {
	enum store_op_kind kind;
	const char *path;
	const char *to; /* STORE_RENAME: the new path, which must be absent */
	const void *value;
	size_t size;
};

struct store_precondition {
	const char *path;
	uint64_t version; /* the path is at exactly this version; 0: the path is absent */
};

struct store_txn {
	struct store_request_id id; /* all zero: the store makes one */
	uint64_t first;	 /* 0; asking again after UNKNOWN, with the same id: as the result said */
	const char *who; /* user for the history, "root@pam" or "node" */
	const struct store_precondition *preconditions;
	size_t precondition_count;
	const struct store_op *ops;
	size_t op_count;
	usec_t deadline; /* monotonic; 0: 30 s */
};

enum store_outcome {
	STORE_DONE = 1,
	STORE_REFUSED,	/* a precondition did not hold; nothing was changed */
	STORE_UNKNOWN,	/* the outcome could not be learned in time; retry with the same id */
	STORE_NOT_SENT, /* certainly not done: read-only, no quorum, full disk; err says why */
};

struct store_result {
	enum store_outcome outcome;
	uint64_t version;	    /* DONE: the version that the transaction gave */
	size_t failed_precondition; /* REFUSED: its index */
	uint64_t first;		    /* UNKNOWN: for asking again */
	struct err err;		    /* set unless DONE */
};

typedef void (*store_done_fn)(const struct store_result *result, void *ctx);

/* A value as applied. Borrowed until the next call of store_dispatch(). */
struct store_value {
	const char *path;
	const char *data; /* NUL-terminated after size bytes */
	size_t size;
	uint64_t version;
};

enum store_change_kind { STORE_CHANGE_PUT = 1, STORE_CHANGE_DELETE };

struct store_change {
	enum store_change_kind kind;
	struct store_value value; /* path and version; data only for PUT */
	const char *who;
};

typedef void (*store_change_fn)(const struct store_change *change, void *ctx);

struct group_transport;

struct store_options {
	const char *directory; /* holds lodge.db; made if absent, 0700 */
	const char *node;      /* name of this node */
	const char *run;       /* folder that a reboot empties; NULL: path_run() */
	/* cluster/transport/transport.h; taken over, also on failure. NULL: a node alone */
	struct group_transport *transport;
};

struct store_identity {
	char cluster_id[33];  /* 128 random bits, hex; zeros: it belongs to none yet */
	char fork_id[33];     /* zeros until a cluster went on without its majority */
	char incarnation[33]; /* of this database */
	uint64_t start;	      /* number of this process start */
};

/* Opens the store: loads all values, replays the log. A foreign, newer, damaged, copied or locked database, and one
 * that has gone back in time, is a clear error and stays untouched. An empty one is founded where there is no
 * transport, and writable on return; with a transport it waits for store_found() or store_join(). */
int store_open(const struct store_options *options, struct store **ret, struct err *err);
/* Waits for what was submitted (at most 5 s), then closes. Pending callbacks get UNKNOWN. From inside a callback of
 * store_dispatch(): at the end of that, which the store does not outlive. */
void store_close(struct store *store);
int store_fd(const struct store *store);
void store_dispatch(struct store *store);

/* What an admin decides about an empty database. ERR_CONFLICT: it is not empty. */
int store_found(struct store *store, struct err *err);
int store_join(struct store *store, const char *cluster_id, const char *fork_id, struct err *err);
/* The database of another node, which has joined, gets a vote. Asked of any node, done by the leader. */
int store_admit(struct store *store, uint32_t node, const char *incarnation, store_done_fn done,
		void *ctx, struct err *err);

const struct store_identity *store_identity(const struct store *store);
bool store_leads(const struct store *store);
/* NULL while writable, otherwise the reason that it is read-only (failed sync, full disk, …). */
const char *store_read_only_reason(const struct store *store);
uint64_t store_applied(const struct store *store); /* index of the last applied entry */

/* Checks bounds at once (error: done is never called), otherwise done is called exactly once from
 * store_dispatch(). Content of txn is copied. By then the change is applied and visible here. */
int store_submit(struct store *store, const struct store_txn *txn, store_done_fn done, void *ctx,
		 struct err *err);

bool store_get(const struct store *store, const char *path, struct store_value *ret);
/* Entries below prefix in path order: start with after = NULL, then pass ret->path on. */
bool store_next(const struct store *store, const char *prefix, const char *after,
		struct store_value *ret);

struct store_subscription;
/* fn is called for every change below prefix, after it was applied and before the done callback of
 * its transaction. */
struct store_subscription *store_subscribe(struct store *store, const char *prefix,
					   store_change_fn fn, void *ctx);
void store_unsubscribe(struct store_subscription *subscription);

bool store_path_is_valid(const char *path);

/* ---- history: what changed at a path, read from the disk by the writer thread ----
 *
 * Old values are kept for a bounded number of log indices and bytes; the current value is there as
 * long as the path is. A path's history ends where it was renamed to another, and goes on there. */
#define STORE_HISTORY_MAX  200	    /* entries of one answer */
#define STORE_READS_MAX	   64	    /* waiting reads */
#define STORE_PRIVATE_PATH "/priv/" /* below it: who and when, never a value nor its size */

enum store_history_kind { STORE_HISTORY_CREATED = 1, STORE_HISTORY_CHANGED, STORE_HISTORY_DELETED };

struct store_history_entry {
	uint64_t version;  /* that the change gave */
	uint64_t previous; /* version before it; 0: the path was absent */
	usec_t when;	   /* wall clock of the node that made the change */
	char who[STORE_WHO_MAX];
	enum store_history_kind kind;
	size_t size; /* of the value after the change; 0 below STORE_PRIVATE_PATH */
};

struct store_history_query {
	const char *path;
	uint64_t before;  /* list: only changes of lower versions; 0: from the newest on */
	unsigned limit;	  /* list: 1 … STORE_HISTORY_MAX */
	uint64_t version; /* value: that the path had with this version, the current one as well */
	bool since_created; /* nothing from before the path was last created */
	usec_t deadline;    /* monotonic; 0: 30 s */
};

/* Borrowed until the callback returns. */
struct store_history {
	const struct store_history_entry *entries; /* list: newest first */
	size_t count;
	bool has_more;	  /* list: there are older ones */
	const char *data; /* value: NUL-terminated after size bytes */
	size_t size;
};

/* history is NULL if err is set: ERR_NOT_FOUND (no such version is kept), ERR_TIMEOUT, ERR_IO… */
typedef void (*store_history_fn)(const struct store_history *history, const struct err *err,
				 void *ctx);

/* Both check the query at once (error: fn is never called), otherwise fn is called exactly once from
 * store_dispatch() or store_close(). ERR_DENIED: a value below STORE_PRIVATE_PATH. */
int store_history_list(struct store *store, const struct store_history_query *query,
		       store_history_fn fn, void *ctx, struct err *err);
int store_history_value(struct store *store, const struct store_history_query *query,
			store_history_fn fn, void *ctx, struct err *err);
