/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undoing creations whose job was never started. The lock "create" is set by a creation only, and a
 * creation stores it and starts its job in one step of the loop: a guest that has the lock and no job
 * is what a core left behind that was killed between the two. Runs on the core's loop. */
#include "agent/core/unfinished.h"

#include <stdio.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"

#define LOOK_AGAIN (500 * USEC_PER_MSEC)

struct unfinished {
	struct core *core;
	sd_event_source *timer;
};

static const struct {
	enum job_program program;
	const char *command;
} undos[] = {
	[GUEST_LXC] = {JOB_CT, "vzcreate-undo"},
	[GUEST_QEMU] = {JOB_VM, "qmcreate-undo"},
};

static bool is_unfinished(const struct core *core, const struct guest *guest)
{
	return !guest->config_is_bad && str_eq(guest->node, core->node) &&
	       str_eq(guest_config_get(guest->config, "lock"), "create") &&
	       !jobs_guest_is_busy(core->jobs, guest->vmid);
}

static void undo(struct core *core, const struct guest *guest)
{
	char id[16], upid[UPID_MAX];
	struct err err = ERR_INIT;
	const struct job_spec spec = {.program = undos[guest->kind].program,
				      .command = undos[guest->kind].command,
				      .id = id,
				      .user = "root@pam",
				      .guest = guest->vmid,
				      .fd = -1};

	snprintf(id, sizeof(id), "%u", guest->vmid);
	log_notice("guest %u: its creation was never begun, undoing it", guest->vmid);
	if (jobs_start(core->jobs, &spec, upid, &err) < 0)
		log_error("guest %u: %s", guest->vmid, err.message);
}

static void look(struct unfinished *u)
{
	const struct guest *guest = NULL;

	if (!jobs_are_known(u->core->jobs)) {
		sd_event_source_set_time(u->timer, clock_monotonic() + LOOK_AGAIN);
		sd_event_source_set_enabled(u->timer, SD_EVENT_ONESHOT);
		return;
	}
	while ((guest = guests_next(u->core->guests, guest ? guest->vmid : 0)))
		if (is_unfinished(u->core, guest))
			undo(u->core, guest);
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
		log_error("unfinished creations are not looked for");
}
