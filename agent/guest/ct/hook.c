/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks that liblxc's monitor executes, through a shell:
 *   hook start-host VMID HALT "VETHS" START
 *                                      before init runs: mounts what its plan has; leaves the run record
 *   hook stop VMID                     init is gone, its groups and namespaces are still there
 *   hook post-stop VMID                after the end: the node's script; spool file, record removed, core told
 * liblxc adds arguments of its own behind these and sets LXC_PID and LXC_TARGET. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "agent/base/clock.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/hookscript.h"
#include "agent/guest/ct/mounts.h"
#include "agent/task/guest/record.h"

/* The monitor is init's parent. */
static pid_t parent_of(pid_t pid)
{
	autofree char *path = xasprintf("/proc/%d/status", (int)pid);
	autobuf text = BUF_INIT;
	const char *at;
	int parent = 0;

	if (file_read(path, 65536, &text, NULL) == 0 && (at = strstr(buf_str(&text), "\nPPid:")))
		sscanf(at, "\nPPid: %d", &parent);
	return parent;
}

static pid_t init_pid(void)
{
	const char *text = getenv("LXC_PID");
	uint64_t pid;

	return text && str_to_u64(text, &pid) && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* For whoever waits for the start: a line of liblxc's own log becomes the job's error. The hook's exit code. */
static int explain(unsigned vmid, const char *message)
{
	autofree char *path = path_join(path_run(), "ct/%u.log", vmid);
	autofree char *line = xasprintf("lxc %u 0 ERROR    lodge - hook - %s\n", vmid, message);
	autofd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);

	log_error("container %u: %s", vmid, message);
	if (fd >= 0)
		(void)fd_write_all(fd, line, strlen(line), NULL);
	return 1;
}

/* Of a device the file system that holds its node; several share it. */
static void drop_source(const struct ct_mount *mount)
{
	autofree char *path = xstrdup(mount->source);
	char *slash = strrchr(path, '/');

	if (mount->is_file && slash)
		*slash = '\0';
	(void)umount2(path, MNT_DETACH);
}

/* Mounts and devices from outside; ours is the mount namespace in which their sources were prepared. */
static int attach_mounts(unsigned vmid, const struct ct_record *record, const struct fields *plan)
{
	struct ct_mount mount;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < plan->count && str_eq(plan->items[i].name, "mount"); i++) {
		if (!ct_mounts_decode(plan, i, &mount))
			return explain(vmid, "the plan of its start is malformed");
		if (ct_mount_attach(NULL, record, &mount, &err) < 0)
			return explain(vmid, err.message);
	}
	/* Here they would keep volumes busy that a running container gave back. */
	for (size_t i = 0; ct_mounts_decode(plan, i, &mount); i++)
		drop_source(&mount);
	return 0;
}

static void note_groups(unsigned vmid, struct ct_record *record)
{
	struct cgroup_layout layout;
	autobuf groups = BUF_INIT;

	cgroup_layout_read(&layout);
	if (ct_groups_read(record, &groups, NULL) == 0)
		(void)cgroup_path(&layout, buf_str(&groups), vmid, CG_MEMORY, record->memory,
				  sizeof(record->memory));
}

/* A start whose job was killed can be followed by another one, which takes its plan away: what it was to have is not known
 * any more. */
static int read_plan(unsigned vmid, const char *start, struct fields *ret)
{
	struct err err = ERR_INIT;

	if (ct_plan_read(vmid, ret, &err) < 0)
		return explain(vmid, err.message);
	if (!str_eq(fields_get(ret, "start"), start))
		return explain(vmid, "another start has begun meanwhile");
	return 0;
}

/* A failure here makes liblxc give up before init runs. */
static int hook_start_host(unsigned vmid, int argc, char **argv)
{
	struct ct_record other, record = {.pid = init_pid()};
	autofields plan = FIELDS_INIT;
	struct err err = ERR_INIT;
	uint64_t halt;

	if (argc < 3 || !str_to_u64(argv[0], &halt) || record.pid <= 0)
		return 2;
	if (ct_find_running(vmid, &other)) {
		log_error("container %u already runs", vmid);
		return 1;
	}
	record.halt = (int)halt;
	record.pid_start = exec_pid_start(record.pid);
	if (record.pid_start == 0) {
		log_error("container %u: its init is gone already", vmid);
		return 1;
	}
	record.monitor = parent_of(record.pid);
	record.monitor_start = exec_pid_start(record.monitor);
	record.started = clock_wall() / USEC_PER_SEC;
	str_copy(record.veths, sizeof(record.veths), argv[1]);
	note_groups(vmid, &record);
	if (read_plan(vmid, argv[2], &plan) != 0)
		return 1;
	record.has_rules = !str_eq(fields_get(&plan, "rules"), "0");
	str_copy(record.script, sizeof(record.script), fields_get(&plan, "script") ?: "");
	if (attach_mounts(vmid, &record, &plan) != 0)
		return 1;
	if (ct_record_write(vmid, &record, &err) < 0) {
		log_error("container %u: %s", vmid, err.message);
		return 1;
	}
	return 0;
}

/* While its groups are still there. */
static int hook_stop(unsigned vmid, int argc, char **argv)
{
	struct cgroup_layout layout;
	struct ct_record record;
	autofields f = FIELDS_INIT;
	unsigned long kills;

	(void)argc;
	(void)argv;
	if (ct_record_read(vmid, &record, NULL) < 0 || !record.memory[0])
		return 0;
	cgroup_layout_read(&layout);
	if ((kills = cgroup_oom_kills(&layout, record.memory)) == 0)
		return 0;
	log_warning("container %u: the kernel killed %lu times for want of memory", vmid, kills);
	fields_addf(&f, "oom_kills", "%lu", kills);
	(void)task_record_write_beside(vmid, CT_END_SUFFIX, &f, NULL);
	return 0;
}

/* Non-zero for a reboot: liblxc then ends instead of starting again with the old configuration. */
static int hook_post_stop(unsigned vmid, int argc, char **argv)
{
	const char *target = getenv("LXC_TARGET");
	bool is_reboot = str_eq(target, "reboot");

	struct ct_record record;
	struct err err = ERR_INIT;
	autofree char *script = NULL;

	(void)argc;
	(void)argv;
	if (ct_record_read(vmid, &record, NULL) == 0)
		script = xstrdup(record.script);
	/* Before the end is told: one that reboots is started again at once, and its volumes are mounted as long as the
	 * script runs. */
	if (ct_hookscript_run(script, vmid, "post-stop", &err) < 0)
		log_warning("container %u: %s", vmid, err.message);
	/* A job that was asked to end it says when that is done: nobody else starts it again. */
	ct_note_stopped(vmid, init_pid(), is_reboot && !ct_is_asked(vmid) ? "reboot" : "stop");
	return is_reboot ? 1 : 0;
}

static const struct {
	const char *name;
	int (*run)(unsigned vmid, int argc, char **argv);
} hooks[] = {
	{"start-host", hook_start_host},
	{"stop", hook_stop},
	{"post-stop", hook_post_stop},
};

int hook_main(int argc, char **argv)
{
	uint64_t vmid;

	if (argc < 2 || !str_to_u64(argv[1], &vmid) || vmid == 0 || vmid > 999999999)
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (str_eq(hooks[i].name, argv[0]))
			return hooks[i].run((unsigned)vmid, argc - 2, argv + 2);
	return 2;
}
