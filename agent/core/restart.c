/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restarts from inside a guest. The spool file goes only after the job was started: a core killed
 * between the two starts it again, and the second start job finds it running. A start that fails for
 * now (too many tasks, no descriptors) is tried again from the file. Runs on the core's loop. */
#include "agent/core/restart.h"

#include <dirent.h>
#include <stdio.h>

#include "agent/base/cursor.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/facts_decode.h"
#include "agent/core/guest_power.h"
#include "agent/core/guests.h"

#define SPOOL_SUFFIX ".stopped"
#define SPOOL_MAX    65536
#define RETRY_AFTER  (5 * USEC_PER_SEC)

int restart_guest(struct core *core, unsigned vmid, char ret_upid[UPID_MAX], struct err *err)
{
	const struct guest_power power = {.vmid = vmid, .verb = "start", .user = "root@pam"};

	return guest_power_start(core, &power, ret_upid, err);
}

static int on_retry_time(sd_event_source *source, uint64_t now, void *ctx)
{
	struct core *core = ctx;

	(void)source;
	(void)now;
	core->restart_timer = sd_event_source_disable_unref(core->restart_timer);
	restart_scan(core);
	return 0;
}

/* false: not yet, and the spool file must stay. */
static bool reboot(struct core *core, unsigned vmid)
{
	const struct guest *guest = guests_find(core->guests, vmid);
	char upid[UPID_MAX];
	struct err err = ERR_INIT;

	if (restart_guest(core, vmid, upid, &err) >= 0)
		return true;
	log_error("restart of guest %u: %s", vmid, err.message);
	if (!guest || !str_eq(guest->node, core->node))
		return true; /* nothing to start any more */
	if (!core->restart_timer)
		sd_event_add_time_relative(core->event, &core->restart_timer, CLOCK_MONOTONIC,
					   RETRY_AFTER, USEC_PER_SEC, on_retry_time, core);
	return false;
}

void restart_take(struct core *core, const struct fields *f)
{
	unsigned vmid;

	if (facts_decode_vmid(f, &vmid, NULL) < 0 || !str_eq(fields_get(f, "state"), "stopped"))
		return;
	if (str_eq(fields_get(f, "target"), "reboot") && !reboot(core, vmid))
		return;
	autofree char *spool = path_join(path_run(), "guests/%u" SPOOL_SUFFIX, vmid);
	(void)file_remove(spool, NULL);
}

static void take_spool(struct core *core, const char *name)
{
	autofree char *path = path_join(path_run(), "guests/%s", name);
	autobuf text = BUF_INIT;
	autofields f = FIELDS_INIT;
	struct err err = ERR_INIT;

	if (file_read(path, SPOOL_MAX, &text, &err) >= 0) {
		struct cursor c = cursor_on(text.data, text.size);

		if (fields_decode(&c, &f, &err) >= 0) {
			restart_take(core, &f);
			return;
		}
	}
	log_warning("%s: %s", path, err.message);
}

void restart_scan(struct core *core)
{
	autofree char *path = path_join(path_run(), "guests");
	DIR *dir = opendir(path);

	if (!dir)
		return; /* no guest ran since boot */
	for (struct dirent *entry; (entry = readdir(dir));)
		if (str_ends(entry->d_name, SPOOL_SUFFIX))
			take_spool(core, entry->d_name);
	closedir(dir);
}
