/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The review of jobs that are tied to somebody's right. Runs on the core's loop. */
#include "agent/core/job_rights.h"

#include <inttypes.h>
#include <stdlib.h>

#include "agent/auth/usercfg.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LOOK_MAX 60 /* s; the wall clock may be set meanwhile */

struct job_rights {
	struct core *core;
	struct store_subscription *users, *secrets;
	sd_event_source *round; /* armed by a change */
	sd_event_source *timer; /* armed while a tied job's user or token will end by itself */
};

void job_rights_tie(const struct identity *who, const char *privs, struct fields *args)
{
	if (who->is_local_root)
		return;
	fields_add(args, JOB_ARG_TIED_TO, privs);
	fields_addf(args, JOB_ARG_TIED_UNTIL, "%" PRIu64, who->valid_until);
	fields_addf(args, JOB_ARG_TIED_PROOF, "%" PRIu64, who->proof);
}

/* NULL: not tied. A record that is torn makes an identity that holds nothing. */
static const char *read_tie(const struct jobs *jobs, const struct task *task, struct identity *ret)
{
	const char *until = jobs_arg(jobs, task->upid, JOB_ARG_TIED_UNTIL);
	const char *proof = jobs_arg(jobs, task->upid, JOB_ARG_TIED_PROOF);
	struct identity who = {0};

	who.is_token = tokenid_owner(task->id.user, who.userid);
	str_copy(who.is_token ? who.tokenid : who.userid, USERID_MAX, task->id.user);
	if (until && proof && str_to_u64(until, &who.valid_until))
		str_to_u64(proof, &who.proof);
	*ret = who;
	return jobs_arg(jobs, task->upid, JOB_ARG_TIED_TO);
}

static int check(struct access *access, struct identity *who, const struct task *task,
		 const char *privs, uint64_t *ret_until, struct err *err)
{
	autofree char *path = xasprintf("/vms/%s", task->id.id);
	uint64_t now = clock_wall() / USEC_PER_SEC;
	privset need = 0;
	int r = privset_from_names(privs, &need, err);

	if (r < 0)
		return r;
	if (!access_holds(access, who, now, ret_until))
		return err_set(err, ERR_AUTH, "the credential of %s has ended", task->id.user);
	return access_check(access, who, path, need, false, err);
}

static void end_sooner(uint64_t *until, uint64_t end)
{
	if (end && (!*until || end < *until))
		*until = end;
}

static void review_one(struct job_rights *rights, const struct task *task, uint64_t *until)
{
	struct core *core = rights->core;
	struct identity who;
	const char *privs;
	uint64_t end = 0;
	struct err err = ERR_INIT;

	if (task->state != TASK_RUNNING || !(privs = read_tie(core->jobs, task, &who)))
		return;
	if (check(core->access, &who, task, privs, &end, &err) == 0) {
		end_sooner(until, end);
		return;
	}
	log_info("task %s is stopped: %s", task->upid, err.message);
	err = ERR_INIT;
	if (jobs_stop(core->jobs, task->upid, &err) < 0)
		log_error("stop task %s: %s", task->upid, err.message);
}

static void arm(struct job_rights *rights, uint64_t until)
{
	uint64_t now = clock_wall() / USEC_PER_SEC, left = until > now ? until - now : 0;

	if (!until)
		return;
	sd_event_source_set_time(rights->timer,
				 clock_monotonic() +
					 (left < LOOK_MAX ? left : LOOK_MAX) * USEC_PER_SEC);
	sd_event_source_set_enabled(rights->timer, SD_EVENT_ONESHOT);
}

static void review(struct job_rights *rights)
{
	uint64_t until = 0;

	for (const struct task *t = jobs_next(rights->core->jobs, NULL); t;
	     t = jobs_next(rights->core->jobs, t))
		review_one(rights, t, &until);
	arm(rights, until);
}

static int on_round(sd_event_source *source, void *ctx)
{
	(void)source;
	review(ctx);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	review(ctx);
	return 0;
}

static void note(struct job_rights *rights)
{
	sd_event_source_set_enabled(rights->round, SD_EVENT_ONESHOT);
}

static void on_store(const struct store_change *change, void *ctx)
{
	(void)change;
	note(ctx);
}

/* When its user ends is asked for then; and of one that is not known before, whether the right still stands. */
static void on_begun(const struct task *task, void *ctx)
{
	struct job_rights *rights = ctx;

	if (jobs_arg(rights->core->jobs, task->upid, JOB_ARG_TIED_TO))
		note(rights);
}

struct job_rights *job_rights_new(struct core *core)
{
	struct job_rights *rights = xcalloc(1, sizeof(*rights));

	rights->core = core;
	/* the first round is at once: much may have changed while there was no core */
	if (sd_event_add_defer(core->event, &rights->round, on_round, rights) < 0 ||
	    sd_event_add_time(core->event, &rights->timer, CLOCK_MONOTONIC, 0, 100 * USEC_PER_MSEC,
			      on_timer, rights) < 0 ||
	    sd_event_source_set_enabled(rights->timer, SD_EVENT_OFF) < 0)
		abort(); /* no memory */
	jobs_on_begun(core->jobs, on_begun, rights);
	jobs_on_known(core->jobs, on_begun, rights);
	rights->users = store_subscribe(core->store, "/user.cfg", on_store, rights);
	rights->secrets = store_subscribe(core->store, "/priv/", on_store, rights);
	return rights;
}

void job_rights_free(struct job_rights *rights)
{
	if (!rights)
		return;
	store_unsubscribe(rights->users);
	store_unsubscribe(rights->secrets);
	sd_event_source_disable_unref(rights->round);
	sd_event_source_disable_unref(rights->timer);
	free(rights);
}
