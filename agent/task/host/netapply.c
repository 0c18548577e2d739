/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: apply the network's configuration, with a way back until somebody has shown that the node can still be
 * reached; and what undoes a job that died on the way. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/change.h"
#include "agent/net/owner.h"
#include "agent/task/host/jobs.h"
#include "agent/task/internal.h"

#define TIMEOUT_DEFAULT 60
#define TIMEOUT_MAX	600

static void log_lines(const char *prefix, struct buf *text)
{
	autostrv char **lines = str_split(buf_str(text), "\n");

	for (char **line = lines; *line; line++)
		task_log("%s%s", prefix, *line);
}

static unsigned confirm_seconds(const struct task_ctx *task)
{
	const char *text = fields_get(&task->args, "confirm-timeout");
	uint64_t seconds = TIMEOUT_DEFAULT;

	if (text)
		str_to_u64(text, &seconds);
	return seconds <= TIMEOUT_MAX ? (unsigned)seconds : TIMEOUT_MAX;
}

static const char *peer_of(const struct task_ctx *task)
{
	const char *peer = fields_get(&task->args, "peer");

	return peer ? peer : "";
}

/* From where the caller reaches the node: the one of HTTPS is asked again, who is logged in on it ("via") is not. */
static const char *origin_of(const struct task_ctx *task)
{
	const char *via = fields_get(&task->args, "via");

	return via ? via : peer_of(task);
}

/* The note that it waits comes after the change: what the caller sends from then on went through it. */
static int await_caller(const struct task_ctx *task, unsigned seconds, struct err *err)
{
	usec_t deadline = clock_monotonic() + seconds * USEC_PER_SEC;
	int r;

	if (*peer_of(task))
		task_log("waiting %u s for %s to call this node again, or for 'lodge network "
			 "confirm'; without it everything goes back",
			 seconds, peer_of(task));
	else
		task_log(
			"waiting %u s for 'lodge network confirm'; without it everything goes back",
			seconds);
	r = net_waiting_write(task->upid_text, peer_of(task), task->user, err);
	if (r == 0)
		r = net_waiting_await(task->upid_text, deadline, task_cancel_fd(), err);
	net_waiting_clear();
	return r;
}

/* Said, not refused: until then the node may well need what the host's own tools set up at boot. */
static void warn_of_others(const struct net_change *c)
{
	for (char **name = c->names; *name; name++) {
		const char *owner = net_other_owner(*name);

		if (owner)
			task_log("WARN: %s sets '%s' up as well: take it out there once this is "
				 "confirmed",
				 owner, *name);
	}
}

static int change(struct task_ctx *task, struct net_change *c, struct err *err)
{
	unsigned seconds = confirm_seconds(task);
	bool is_safe = net_change_is_safe(&c->before, &c->after, c->names, origin_of(task));
	int r;

	if ((r = net_change_forward(c, err)) < 0 || (r = net_change_check(c, err)) < 0)
		return r;
	if (is_safe)
		task_log("nothing that was there is touched: no confirmation is needed");
	else if (seconds > 0 && (r = await_caller(task, seconds, err)) < 0)
		return r;
	return net_change_commit(c, err);
}

static int change_or_back(struct task_ctx *task, struct net_change *c, struct err *err)
{
	struct err back = ERR_INIT;
	int r = change(task, c, err);

	if (r >= 0)
		return 0;
	task_log("%s: going back", err->message);
	if (net_change_back(c, &back) < 0)
		task_leave(task, "%s", back.message);
	return err_set(err, (enum err_code)err->code, "%s; %s", err->message,
		       back.code ? "and going back failed" : "the network is as it was before");
}

int job_netapply(struct task_ctx *task, struct err *err)
{
	autobuf lines = BUF_INIT;
	struct net_change c;
	int r = net_change_begin(&c, err);

	if (r < 0)
		return r;
	net_waiting_clear(); /* of a job that died */
	net_change_describe(&c, &lines);
	log_lines("ip ", &lines);
	warn_of_others(&c);
	if (lines.size == 0)
		task_log("nothing is to be changed");
	r = lines.size == 0 ? net_change_commit(&c, err) : change_or_back(task, &c, err);
	net_change_end(&c);
	return r;
}

int job_netapply_undo(struct task_ctx *task, struct err *err)
{
	const char *outcome;
	int r = net_change_undo(&outcome, err);

	(void)task;
	if (r < 0)
		return r;
	net_waiting_clear();
	task_log("a change of the network was interrupted: %s",
		 *outcome ? outcome : "nothing is left of it");
	return 0;
}
