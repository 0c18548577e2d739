/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks that liblxc's monitor executes, through a shell:
 *   hook start-host VMID HALT "VETHS"  before init runs: leaves the run record
 *   hook post-stop VMID                after the end: spool file, record removed, core told
 * liblxc adds arguments of its own behind these and sets LXC_PID and LXC_TARGET. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"

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

/* A failure here makes liblxc give up before init runs. */
static int hook_start_host(unsigned vmid, int argc, char **argv)
{
	struct ct_record other, record = {.pid = init_pid()};
	struct err err = ERR_INIT;
	uint64_t halt;

	if (argc < 2 || !str_to_u64(argv[0], &halt) || record.pid <= 0)
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
	if (ct_record_write(vmid, &record, &err) < 0) {
		log_error("container %u: %s", vmid, err.message);
		return 1;
	}
	return 0;
}

/* Non-zero for a reboot: liblxc then ends instead of starting again with the old configuration. */
static int hook_post_stop(unsigned vmid, int argc, char **argv)
{
	const char *target = getenv("LXC_TARGET");
	bool is_reboot = str_eq(target, "reboot");

	(void)argc;
	(void)argv;
	ct_note_stopped(vmid, init_pid(), is_reboot ? "reboot" : "stop");
	return is_reboot ? 1 : 0;
}

static const struct {
	const char *name;
	int (*run)(unsigned vmid, int argc, char **argv);
} hooks[] = {
	{"start-host", hook_start_host},
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
