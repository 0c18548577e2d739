/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows a container's end: its traces go, the core learns of it. Runs in jobs and hooks. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent/base/client.h"
#include "agent/base/exec.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/init_end.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/veth.h"
#include "agent/guest/end.h"
#include "agent/task/guest/record.h"
#include "agent/base/fd.h"

#define END_MAX	  4096
#define TELL_WAIT (1 * USEC_PER_SEC) /* the spool file tells a core that is away */

static void tell_core(const struct fields *fields)
{
	autofree char *path = path_join(path_run(), CORE_SOCKET);
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;

	if (access(path, F_OK) != 0)
		return;
	call.op = CALL_GUEST_STATE;
	call.deadline_ms = TELL_WAIT / USEC_PER_MSEC;
	fields_copy(&call.head, fields);
	(void)client_call(path, &call, clock_monotonic() + TELL_WAIT, true, &reply, NULL);
	reply_fini(&reply);
	call_fini(&call);
}

/* How often the kernel killed for want of memory while it ran. */
static bool add_kills(unsigned vmid, struct fields *f)
{
	autofree char *path = path_join(path_run(), "guests/%u" CT_END_SUFFIX, vmid);
	autobuf text = BUF_INIT;
	autofields end = FIELDS_INIT;

	if (file_read(path, END_MAX, &text, NULL) == 0) {
		struct cursor c = cursor_on(text.data, text.size);

		if (fields_decode(&c, &end, NULL) == 0)
			fields_add(f, "oom_kills", fields_get(&end, "oom_kills"));
	}
	task_record_remove_beside(vmid, CT_END_SUFFIX);
	return fields_get(f, "oom_kills") != NULL;
}

static void add_reason(unsigned vmid, pid_t init, bool has_oom, struct fields *f)
{
	autofree char *asked = path_join(path_run(), "guests/%u" CT_ASKED_SUFFIX, vmid);
	int status = ct_init_status(init);

	if (status >= 0 && access(asked, F_OK) != 0)
		guest_end_fields(guest_end_reason(status, has_oom), status, f);
}

void ct_note_stopped(unsigned vmid, pid_t init, const char *target)
{
	struct ct_record record;
	autofields f = FIELDS_INIT;

	if (ct_find_running(vmid, &record) && record.pid != init)
		return;
	if (ct_record_read(vmid, &record, NULL) == 0 && record.pid == init)
		(void)ct_ending_write(vmid, &record, NULL);
	fields_addf(&f, "vmid", "%u", vmid);
	fields_add(&f, "kind", "lxc");
	fields_add(&f, "state", "stopped");
	fields_add(&f, "target", target);
	add_reason(vmid, init, add_kills(vmid, &f), &f);
	(void)ct_spool_write(vmid, &f, NULL);
	ct_record_remove(vmid);
	tell_core(&f);
}

static void remove_veths(unsigned vmid)
{
	struct ct_record record;

	if (ct_record_read(vmid, &record, NULL) < 0)
		return;
	autostrv char **names = str_split(record.veths, " ");

	for (char **name = names; *name; name++)
		(void)veth_delete(*name, NULL);
}

/* liblxc's lock file for this container; it never removes it. */
static void remove_lock_file(unsigned vmid)
{
	autofree char *path = path_join("/run/lxc/lock", "%s/ct/.%u", path_run() + 1, vmid);

	(void)file_remove(path, NULL);
}

/* Folders on which its other volumes and its devices were mounted: "101.mp0", "101.dev". */
static void remove_places(unsigned vmid)
{
	autofree char *parent = path_join(path_run(), "ct/mnt");
	autofree char *prefix = xasprintf("%u.", vmid);
	DIR *dir = opendir(parent);

	for (struct dirent *e; dir && (e = readdir(dir));)
		if (str_starts(e->d_name, prefix))
			(void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	if (dir)
		closedir(dir);
}

void ct_clean(unsigned vmid)
{
	autofree char *log = path_join(path_run(), "ct/%u.log", vmid);
	autofree char *seccomp = path_join(path_run(), "ct/%u.seccomp", vmid);
	autofree char *profile = path_join(path_run(), "ct/%u", vmid);
	autofree char *target = ct_mount_point(vmid);
	struct cgroup_layout layout;
	struct ct_record record;

	if (ct_find_running(vmid, &record))
		return;
	remove_veths(vmid);
	cgroup_layout_read(&layout);
	cgroup_remove(&layout, vmid);
	ct_record_remove(vmid);
	task_record_remove_beside(vmid, CT_PLAN_SUFFIX);
	task_record_remove_beside(vmid, CT_END_SUFFIX);
	task_record_remove_beside(vmid, CT_ASKED_SUFFIX);
	task_record_remove_beside(vmid, CT_ENDING_SUFFIX);
	(void)file_remove(log, NULL);
	(void)file_remove(seccomp, NULL);
	(void)dir_remove_tree(profile, NULL); /* where liblxc keeps the AppArmor profile */
	remove_places(vmid);
	(void)rmdir(target);
	remove_lock_file(vmid);
}
