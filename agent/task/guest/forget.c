/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What names a guest in the store goes with its configuration. Runs in jobs. */
#include "agent/task/guest/forget.h"

#include "agent/auth/text/usercfg_forget.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define USERS "/user.cfg"
#define TRIES 8

static int put_users(const struct task_ctx *task, struct task_txn *txn, bool keeps_rights,
		     struct err *err)
{
	autobuf text = BUF_INIT, rest = BUF_INIT;
	uint64_t version;
	int r = task_store_get(USERS, &text, &version, err);

	if (r == -ERR_NOT_FOUND)
		return 0;
	if (r < 0 ||
	    !usercfg_forget_guest(buf_str(&text), text.size, task->guest, keeps_rights, &rest))
		return r;
	task_txn_require(txn, USERS, version);
	task_txn_put(txn, USERS, buf_str(&rest), rest.size);
	return 0;
}

static int try_once(struct task_ctx *task, const char *path, uint64_t version, bool keeps_rights,
		    struct err *err)
{
	struct task_txn *txn = task_txn_new(task->user);
	int r;

	task_txn_require(txn, path, version);
	task_txn_delete(txn, path);
	if ((r = put_users(task, txn, keeps_rights, err)) == 0)
		r = task_txn_commit(txn, err);
	task_txn_free(txn);
	return r;
}

/* Is the configuration what the caller saw? Then it was the users that changed meanwhile. */
static bool is_unchanged(const char *path, uint64_t version)
{
	autobuf text = BUF_INIT;
	uint64_t now;

	return task_store_get(path, &text, &now, NULL) == 0 && now == version;
}

int task_guest_forget(struct task_ctx *task, const char *kind, uint64_t version, bool keeps_rights,
		      struct err *err)
{
	autofree char *path = xasprintf("/nodes/%s/%s/%u.conf", task->node, kind, task->guest);

	for (int i = 0;; i++) {
		int r = try_once(task, path, version, keeps_rights, err);

		if (r != -ERR_CONFLICT)
			return r;
		if (i >= TRIES || !is_unchanged(path, version))
			return err_set(err, ERR_CONFLICT,
				       "configuration of guest %u was changed by someone else "
				       "meanwhile",
				       task->guest);
	}
}
