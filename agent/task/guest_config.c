/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job's guest configuration in the store: read, and written only if unchanged since. Runs in job
 * processes. */
#include "agent/task/task.h"

#include "agent/base/mem.h"
#include "agent/guest/notices.h"

static char *config_path(const struct task_ctx *task, const char *kind)
{
	return xasprintf("/nodes/%s/%s/%u.conf", task->node, kind, task->guest);
}

int task_config_get(struct task_ctx *task, const char *kind, struct guest_config *ret,
		    uint64_t *ret_version, struct err *err)
{
	autofree char *path = config_path(task, kind);
	autobuf text = BUF_INIT;
	uint64_t version;
	int r;

	r = task_store_get(path, &text, &version, err);
	if (r == -ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "Configuration file '%s' does not exist",
			       path + 1);
	if (r < 0)
		return r;
	if ((r = guest_config_parse(buf_str(&text), text.size, ret, err)) < 0)
		return err_prefix(err, "%s", path + 1);
	if (ret_version)
		*ret_version = version;
	return 0;
}

static int commit_if_unchanged(struct task_ctx *task, struct task_txn *txn, struct err *err)
{
	int r = task_txn_commit(txn, err);

	if (r == -ERR_CONFLICT)
		r = err_set(err, ERR_CONFLICT,
			    "configuration of guest %u was changed by someone else meanwhile",
			    task->guest);
	task_txn_free(txn);
	return r;
}

int task_config_put(struct task_ctx *task, const char *kind, const struct guest_config *config,
		    uint64_t version, struct err *err)
{
	autofree char *path = config_path(task, kind);
	struct task_txn *txn = task_txn_new(task->user);
	autobuf text = BUF_INIT;

	guest_config_format(config, &text);
	task_txn_require(txn, path, version);
	task_txn_put(txn, path, buf_str(&text), text.size);
	return commit_if_unchanged(task, txn, err);
}

int task_config_delete(struct task_ctx *task, const char *kind, uint64_t version, struct err *err)
{
	autofree char *path = config_path(task, kind);
	struct task_txn *txn = task_txn_new(task->user);

	task_txn_require(txn, path, version);
	task_txn_delete(txn, path);
	return commit_if_unchanged(task, txn, err);
}

/* Lines only: a warning that is counted makes clients take the start for a failed one. */
void task_guest_notices(const struct guest_config *config)
{
	autofields notices = FIELDS_INIT;

	guest_notices(config, &notices);
	for (size_t i = 0; i < notices.count; i++)
		task_log("WARN: %s", notices.items[i].value);
}
