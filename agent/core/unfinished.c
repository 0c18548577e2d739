/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending what has no job any more. The lock "create" is set by a creation only, and a creation stores it and starts
 * its job in one step of the loop: a guest that has the lock and no job is what a core left behind that was killed
 * between the two. What jobs on volumes write down of themselves outlives a power cut, which may take along the
 * file that would undo the job. Runs on the core's loop. */
#include "agent/core/unfinished.h"

#include <stdio.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/guest/guest.h"
#include "agent/guest/underway.h"

#define LOOK_AGAIN (500 * USEC_PER_MSEC)
/* For what was begun to be ended; so many times as long before each further look, up to the last. */
#define FIRST_WAIT USEC_PER_SEC
#define WAIT_GROWS 5
#define LAST_WAIT  (1800 * USEC_PER_SEC)

struct unfinished {
	struct core *core;
	sd_event_source *timer;
	uint64_t wait; /* until the next look */
};

static const struct {
	enum job_program program;
	const struct guest_kind_ops *ops;
} kinds[] = {
	[GUEST_LXC] = {JOB_CT, &guest_kind_ct},
	[GUEST_QEMU] = {JOB_VM, &guest_kind_vm},
};

static bool is_unfinished(const struct core *core, const struct guest *guest,
			  struct guest_underway *ret)
{
	if (guest->config_is_bad || !str_eq(guest->node, core->node))
		return false;
	*ret = (struct guest_underway){.command = "create-undo"};
	return str_eq(guest_config_get(guest->config, "lock"), "create") ||
	       guest_underway_find(guest->config, ret);
}

static void undo(struct core *core, const struct guest *guest, const struct guest_underway *what)
{
	autofree char *command =
		xasprintf("%s%s", kinds[guest->kind].ops->task_prefix, what->command);
	autofields args = FIELDS_INIT;
	char id[16], upid[UPID_MAX];
	struct err err = ERR_INIT;
	const struct job_spec spec = {.program = kinds[guest->kind].program,
				      .command = command,
				      .args = &args,
				      .id = id,
				      .user = "root@pam",
				      .guest = guest->vmid,
				      .fd = -1};

	snprintf(id, sizeof(id), "%u", guest->vmid);
	fields_add(&args, "undo-of", "boot");
	fields_add(&args, "snapname", what->snapname[0] ? what->snapname : NULL);
	log_notice("guest %u: a job on it is gone without an end: %s", guest->vmid, command);
	if (jobs_start(core->jobs, &spec, upid, &err) < 0)
		log_error("guest %u: %s", guest->vmid, err.message);
}

static void look_again(struct unfinished *u, uint64_t delay)
{
	sd_event_source_set_time(u->timer, clock_monotonic() + delay);
	sd_event_source_set_enabled(u->timer, SD_EVENT_ONESHOT);
}

/* Until there is none left: what ends one may fail, for want of a storage that comes back later, and nothing is kept of
 * it that would be tried again. */
static void look(struct unfinished *u)
{
	const struct guest *guest = NULL;
	bool has_found = false;

	if (!jobs_are_known(u->core->jobs)) {
		look_again(u, LOOK_AGAIN);
		return;
	}
	while ((guest = guests_next(u->core->guests, guest ? guest->vmid : 0))) {
		struct guest_underway what;

		if (!is_unfinished(u->core, guest, &what))
			continue;
		has_found = true;
		if (!jobs_guest_is_busy(u->core->jobs, guest->vmid) &&
		    !jobs_guest_awaits_undo(u->core->jobs, guest->vmid))
			undo(u->core, guest, &what);
	}
	if (!has_found)
		return;
	look_again(u, u->wait);
	u->wait = u->wait * WAIT_GROWS < LAST_WAIT ? u->wait * WAIT_GROWS : LAST_WAIT;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	look(ctx);
	return 0;
}

struct unfinished *unfinished_new(struct core *core)
{
	struct unfinished *u = xcalloc(1, sizeof(*u));

	u->core = core;
	u->wait = FIRST_WAIT;
	return u;
}

void unfinished_free(struct unfinished *u)
{
	if (!u)
		return;
	sd_event_source_disable_unref(u->timer);
	free(u);
}

void unfinished_begin(struct unfinished *u)
{
	if (sd_event_add_time(u->core->event, &u->timer, CLOCK_MONOTONIC, 0, 10000, on_timer, u) <
	    0)
		log_error("unfinished jobs are not looked for");
}
