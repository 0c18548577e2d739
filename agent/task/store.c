/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Store access of jobs: calls to the core, which may be restarting meanwhile. A transaction carries
 * its own request id, so that asking again never does it twice. Runs in job processes. */
#include "agent/task/task.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "agent/base/client.h"
#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/remote.h"
#include "agent/task/core_call.h"

#define CORE_WAIT	(60 * USEC_PER_SEC)
#define CALL_DEADLINE	(20 * 1000) /* ms, of one attempt */
#define REQUEST_ID_SIZE 16
#define VALUE_MAX	(1024u * 1024) /* the store's bound of one value */

/* What a reply of the core means for its caller. */
static const struct {
	unsigned status;
	enum err_code code;
} status_codes[] = {
	{400, ERR_INVALID},	{403, ERR_DENIED},  {404, ERR_NOT_FOUND},
	{409, ERR_CONFLICT},	{202, ERR_UNKNOWN}, {501, ERR_UNSUPPORTED},
	{503, ERR_UNAVAILABLE}, {504, ERR_UNKNOWN}, {596, ERR_UNKNOWN},
};

int task_reply_error(const struct reply *reply, const char *what, struct err *err)
{
	const char *message = fields_get(&reply->head, "message");
	enum err_code code = ERR_INTERNAL;

	if (reply->status == 200)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(status_codes); i++)
		if (status_codes[i].status == reply->status)
			code = status_codes[i].code;
	if (message && *message)
		return err_set(err, code, "%s: %s", what, message);
	return err_set(err, code, "%s: the core answered %u", what, reply->status);
}

int task_call_core(const struct call *call, usec_t deadline, bool again, struct reply *ret,
		   struct err *err)
{
	autofree char *path = path_join(path_run(), CORE_SOCKET);

	return client_call(path, call, deadline, again, ret, err);
}

static int read_body(struct reply *reply, struct buf *ret, struct err *err)
{
	if (reply->body_fd >= 0)
		return fd_memfd_read(reply->body_fd, VALUE_MAX, ret, err);
	buf_add(ret, reply->body.data, reply->body.size);
	return 0;
}

int task_store_get(const char *path, struct buf *ret, uint64_t *ret_version, struct err *err)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	uint64_t version = 0;
	const char *text;
	int r;

	call.op = CALL_STORE_GET;
	call.deadline_ms = CALL_DEADLINE;
	fields_add(&call.head, "path", path);
	if ((r = task_call_core(&call, clock_monotonic() + CORE_WAIT, true, &reply, err)) == 0)
		r = task_reply_error(&reply, path, err);
	text = fields_get(&reply.head, "version");
	if (r == 0 && (!text || !str_to_u64(text, &version)))
		r = err_set(err, ERR_CORRUPT, "%s: the core's answer has no version", path);
	if (r == 0)
		r = read_body(&reply, ret, err);
	if (r == 0 && ret_version)
		*ret_version = version;
	reply_fini(&reply);
	call_fini(&call);
	return r;
}

struct task_txn {
	struct call call;
};

struct task_txn *task_txn_new(const char *who)
{
	struct task_txn *txn = xcalloc(1, sizeof(*txn));
	uint8_t id[REQUEST_ID_SIZE];
	autobuf hex = BUF_INIT;

	txn->call = CALL_INIT;
	txn->call.op = CALL_STORE_TXN;
	txn->call.deadline_ms = CALL_DEADLINE;
	random_bytes(id, sizeof(id));
	digest_hex(id, sizeof(id), &hex);
	fields_add(&txn->call.head, "id", buf_str(&hex));
	fields_add(&txn->call.head, "who", who);
	return txn;
}

void task_txn_free(struct task_txn *txn)
{
	if (!txn)
		return;
	call_fini(&txn->call);
	free(txn);
}

void task_txn_require(struct task_txn *txn, const char *path, uint64_t version)
{
	fields_addf(&txn->call.params, REMOTE_REQUIRE, "%llu %s", (unsigned long long)version,
		    path);
}

void task_txn_put(struct task_txn *txn, const char *path, const void *value, size_t size)
{
	autobuf text = BUF_INIT;

	buf_addf(&text, "%s\n", path);
	buf_add(&text, value, size);
	fields_add_n(&txn->call.params, REMOTE_PUT, text.data, text.size);
}

void task_txn_delete(struct task_txn *txn, const char *path)
{
	fields_add(&txn->call.params, REMOTE_DELETE, path);
}

/* Asking again tells when it was asked first: so old a request that its outcome may be forgotten is not done. */
static void keep_first(struct task_txn *txn, const struct reply *reply)
{
	const char *first = fields_get(&reply->head, "first");

	if (first && !fields_get(&txn->call.head, "first"))
		fields_add(&txn->call.head, "first", first);
}

/* One attempt. -ERR_UNKNOWN: the same transaction must be asked for again. *was_sent is raised where it may
 * have been done: from then on a core that is not there any more leaves the outcome unknown. */
static int commit_once(struct task_txn *txn, usec_t deadline, bool *was_sent, struct err *err)
{
	autofree char *path = path_join(path_run(), CORE_SOCKET);
	struct reply reply = REPLY_INIT;
	bool sent;
	int r = client_call_tracked(path, &txn->call, deadline, true, &sent, &reply, err);

	*was_sent |= sent;
	if (r == 0) {
		keep_first(txn, &reply);
		r = task_reply_error(&reply, "store", err);
	} else if (*was_sent) {
		r = err_set(err, ERR_UNKNOWN,
			    "the core does not answer; whether the change was made is unknown");
	}
	reply_fini(&reply);
	return r;
}

int task_txn_commit(struct task_txn *txn, struct err *err)
{
	usec_t deadline = clock_monotonic() + CORE_WAIT;
	bool was_sent = false, was_unknown = false;
	int r;

	/* An unknown outcome resolves with the same id: the first outcome is answered again. That this time it was
	 * not sent on says nothing of the times before. */
	for (;;) {
		r = commit_once(txn, deadline, &was_sent, err);
		was_unknown |= r == -ERR_UNKNOWN;
		if (r == -ERR_UNAVAILABLE && was_unknown)
			r = err_set(err, ERR_UNKNOWN, "whether the change was made is unknown");
		if (r != -ERR_UNKNOWN || clock_left_ms(deadline) == 0)
			return r;
		poll(NULL, 0, 200);
	}
}
