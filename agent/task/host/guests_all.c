/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs startall, stopall: all guests of a node, those of the same order at once, the others one group after the
 * other. Each guest has a job of its own; when this one is stopped, theirs go on. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/jobs.h"
#include "agent/task/internal.h"

#define WORKERS_MAX 64
#define STATUS_MAX  4096
#define SETTLE	    (10 * USEC_PER_SEC) /* until the core has heard of an end */
#define LOOK_MS	    1000

struct turn {
	unsigned vmid;
	char order[24];
	uint64_t seconds;
	char mark[48];
	bool is_over; /* stopped, or not there any more */
	usec_t until; /* it is waited for */
};

struct all {
	struct task_ctx *task;
	const char *verb;
	struct turn *turns;
	size_t count;
	unsigned workers;
	bool force_stop;
	/* those that are under way, oldest first */
	struct {
		struct turn *turn;
		char upid[UPID_MAX];
	} running[WORKERS_MAX];
	unsigned running_count;
};

static int read_turns(struct all *all, struct err *err)
{
	autostrv char **lines = str_split(fields_get(&all->task->args, "guests") ?: "", "\n");
	uint64_t workers = 1;

	all->turns = xcalloc(strv_count(lines) + 1, sizeof(*all->turns));
	for (char **line = lines; *line; line++) {
		struct turn *turn = &all->turns[all->count++];

		if (sscanf(*line, "%u %23s %" SCNu64 " %47s", &turn->vmid, turn->order,
			   &turn->seconds, turn->mark) != 4)
			return err_field(err, "guests", "bad line '%.100s'", *line);
	}
	if (fields_get(&all->task->args, "workers") &&
	    (!str_to_u64(fields_get(&all->task->args, "workers"), &workers) || workers < 1 ||
	     workers > WORKERS_MAX))
		return err_field(err, "workers", "must be between 1 and %d", WORKERS_MAX);
	all->workers = (unsigned)workers;
	str_to_bool(fields_get(&all->task->args, "force-stop") ?: "0", &all->force_stop);
	return 0;
}

/* The status file "TIME TEXT", which a job writes before it ends. */
static void judge(const struct all *all, unsigned vmid, const char *text)
{
	struct upid upid;
	autobuf status = BUF_INIT;
	const char *outcome = NULL;

	if (upid_parse(text, &upid, NULL) == 0) {
		autofree char *path = task_log_path(&upid, text, ".status");

		if (file_read(path, STATUS_MAX, &status, NULL) == 0)
			outcome = strchr(buf_str(&status), ' ');
	}
	if (status.size > 0)
		status.data[strcspn(status.data, "\n")] = '\0';
	if (!outcome)
		task_warn(all->task, "%s of guest %u: its task ended without a word", all->verb,
			  vmid);
	else if (!str_eq(outcome + 1, "OK") && !str_starts(outcome + 1, "WARNINGS"))
		task_warn(all->task, "%s of guest %u: %s", all->verb, vmid, outcome + 1);
}

static int await_oldest(struct all *all, struct err *err)
{
	int r = task_wait_for(all->running[0].upid, err);

	if (r < 0)
		return r;
	all->running[0].turn->until = clock_monotonic() + SETTLE;
	judge(all, all->running[0].turn->vmid, all->running[0].upid);
	memmove(&all->running[0], &all->running[1], sizeof(all->running) - sizeof(all->running[0]));
	all->running_count--;
	return 0;
}

/* What is known when it could not be begun: one that is gone needs nothing; what may have been begun has its time. */
static void note_failure(const struct all *all, struct turn *turn, const struct err *err)
{
	turn->is_over = err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT;
	if (err->code == ERR_UNKNOWN)
		turn->until = clock_monotonic() + turn->seconds * USEC_PER_SEC;
	if (turn->is_over)
		task_log("guest %u is skipped: %s", turn->vmid, err->message);
	else
		task_warn(all->task, "guest %u: %s", turn->vmid, err->message);
}

static void begin(struct all *all, struct turn *turn)
{
	autofields args = FIELDS_INIT;
	char *upid = all->running[all->running_count].upid;
	struct err err = ERR_INIT;

	if (str_eq(all->verb, "shutdown"))
		fields_addf(&args, "timeout", "%" PRIu64, turn->seconds);
	if (all->force_stop)
		fields_add(&args, "forceStop", "1");
	if (task_guest_job(all->task, turn->vmid, turn->mark, all->verb, &args, upid, &err) < 0) {
		note_failure(all, turn, &err);
		return;
	}
	task_log("%s of guest %u: %s", all->verb, turn->vmid, upid);
	all->running[all->running_count++].turn = turn;
}

static int pause_for(uint64_t seconds, struct err *err)
{
	struct pollfd cancel = {.fd = task_cancel_fd(), .events = POLLIN};
	usec_t end = clock_monotonic() + seconds * USEC_PER_SEC;

	if (seconds > 0)
		task_log("%" PRIu64 " s before the next ones", seconds);
	while (clock_left_ms(end) > 0 && task_check_cancelled(err) == 0)
		(void)poll(&cancel, 1, clock_left_ms(end));
	return task_check_cancelled(err);
}

/* Those of one order. *ret_pause: the longest that one of them wants before the next ones. */
static int take_turn(struct all *all, size_t *at, uint64_t *ret_pause, struct err *err)
{
	const char *order = all->turns[*at].order;
	int r = 0;

	*ret_pause = 0;
	for (; r == 0 && *at < all->count && str_eq(all->turns[*at].order, order); ++*at) {
		if ((r = task_check_cancelled(err)) < 0)
			return r;
		if (all->running_count >= all->workers)
			r = await_oldest(all, err);
		if (r < 0)
			return r;
		begin(all, &all->turns[*at]);
		if (all->turns[*at].seconds > *ret_pause)
			*ret_pause = all->turns[*at].seconds;
	}
	while (r == 0 && all->running_count > 0)
		r = await_oldest(all, err);
	return r;
}

/* Looks at those that were not seen to stop yet. */
static bool are_over(struct all *all, usec_t now)
{
	bool is_time = true;

	for (size_t i = 0; i < all->count; i++) {
		struct turn *turn = &all->turns[i];

		if (turn->is_over)
			continue;
		turn->is_over = task_guest_is_stopped(turn->vmid, NULL) > 0;
		is_time &= turn->is_over || now >= turn->until;
	}
	return is_time;
}

/* Whatever was said on the way: a node that is told to be empty is about to be switched off. */
static int check_stopped(struct all *all, struct err *err)
{
	struct pollfd cancel = {.fd = task_cancel_fd(), .events = POLLIN};
	autobuf left = BUF_INIT;

	while (!are_over(all, clock_monotonic())) {
		(void)poll(&cancel, 1, LOOK_MS);
		if (task_check_cancelled(err) < 0)
			return -ERR_CANCELLED;
	}
	for (size_t i = 0; i < all->count; i++)
		if (!all->turns[i].is_over)
			buf_addf(&left, "%s%u", left.size ? ", " : "", all->turns[i].vmid);
	return left.size == 0 ? 0 : err_set(err, ERR_BUSY, "not stopped: %s", buf_str(&left));
}

static int run(struct task_ctx *task, const char *verb, struct err *err)
{
	struct all all = {.task = task, .verb = verb};
	uint64_t pause = 0;
	int r = read_turns(&all, err);

	if (r == 0 && all.count == 0)
		task_log("there is no guest to %s", verb);
	for (size_t at = 0; r == 0 && at < all.count;) {
		r = take_turn(&all, &at, &pause, err);
		if (r == 0 && at < all.count && str_eq(verb, "start"))
			r = pause_for(pause, err);
	}
	if (r == 0 && str_eq(verb, "shutdown"))
		r = check_stopped(&all, err);
	free(all.turns);
	return r;
}

int job_startall(struct task_ctx *task, struct err *err)
{
	return run(task, "start", err);
}

int job_stopall(struct task_ctx *task, struct err *err)
{
	return run(task, "shutdown", err);
}
