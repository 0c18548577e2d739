/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restarts from inside a guest. The spool file goes only after the job was started: a core killed
 * between the two starts it again, and the second start job finds it running. Runs on the core's
 * loop. */
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
#include "agent/core/guests.h"

#define SPOOL_SUFFIX ".stopped"
#define SPOOL_MAX    65536

static const struct {
	enum job_program program;
	const char *command;
} starts[] = {
	[GUEST_LXC] = {JOB_CT, "vzstart"},
	[GUEST_QEMU] = {JOB_VM, "qmstart"},
};

int restart_guest(struct core *core, unsigned vmid, char ret_upid[UPID_MAX], struct err *err)
{
	const struct guest *guest = guests_find(core->guests, vmid);
	char id[16];

	if (!guest || !str_eq(guest->node, core->node))
		return err_set(err, ERR_NOT_FOUND, "guest %u is not on this node", vmid);
	snprintf(id, sizeof(id), "%u", vmid);
	const struct job_spec spec = {.program = starts[guest->kind].program,
				      .command = starts[guest->kind].command,
				      .id = id,
				      .user = "root@pam",
				      .guest = vmid,
				      .fd = -1};
	return jobs_start(core->jobs, &spec, ret_upid, err);
}

void restart_take(struct core *core, const struct fields *f)
{
	struct err err = ERR_INIT;
	char upid[UPID_MAX];
	unsigned vmid;

	if (facts_decode_vmid(f, &vmid, &err) < 0 || !str_eq(fields_get(f, "state"), "stopped"))
		return;
	if (str_eq(fields_get(f, "target"), "reboot") && restart_guest(core, vmid, upid, &err) < 0)
		log_error("restart of guest %u: %s", vmid, err.message);
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
