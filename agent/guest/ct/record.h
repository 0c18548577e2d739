/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a running container between processes: path_run()/guests/VMID, written before its
 * init runs and removed when it has stopped. The monitor of the node and later jobs read it. Fields:
 * pid, pid_start, boot, kind ("lxc"), started (wall clock, s), veths ("veth101i0 …", host side),
 * monitor, monitor_start (liblxc's process), halt (signal number that asks its init to stop), memory (folder of its
 * memory group, or ""), script (path of its hookscript, or ""), rules (1: what devices it may use was named at its
 * start; else all nodes that it was given work). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

struct ct_record {
	pid_t pid, monitor;
	uint64_t pid_start, monitor_start; /* clock ticks since boot */
	uint64_t started;
	int halt;
	bool has_rules; /* of devices; true where an older record does not tell */
	char veths[1024];
	char memory[512], script[512];
};

int ct_record_write(unsigned vmid, const struct ct_record *record, struct err *err);
/* ERR_NOT_FOUND when there is none or it is of another boot. Says nothing about being alive. */
int ct_record_read(unsigned vmid, struct ct_record *ret, struct err *err);
void ct_record_remove(unsigned vmid);
/* path_run()/guests/VMID.start: what the hooks of a start need to know: fields mount
 * (mounts.h), …; start (its name), script, rules */
#define CT_PLAN_SUFFIX ".start"
/* path_run()/guests/VMID.end: what was seen of its end: fields oom_kills (for want of memory) */
#define CT_END_SUFFIX ".end"
/* path_run()/guests/VMID.asked: a job has asked for the end, which so needs no other reason: fields job, job_start */
#define CT_ASKED_SUFFIX ".asked"
int ct_asked_write(unsigned vmid, struct err *err); /* by this process */
/* Does the job that asked still wait for the end? */
bool ct_is_asked(unsigned vmid);
/* path_run()/guests/VMID.ending: its end is told, and its monitor has yet to unmount its volumes: fields monitor,
 * monitor_start */
#define CT_ENDING_SUFFIX ".ending"
/* Of one that has ended, as long as there is a trace of it: whose death its unmounting ends with. */
int ct_ending_write(unsigned vmid, const struct ct_record *record, struct err *err);
/* monitor and monitor_start of the record, which may be removed by now. ERR_NOT_FOUND: nothing is left of it. */
int ct_monitor_read(unsigned vmid, struct ct_record *ret, struct err *err);
int ct_plan_read(unsigned vmid, struct fields *ret, struct err *err);
/* path_run()/guests/VMID.stopped, for a core that is away: fields vmid, kind, state, target. */
int ct_spool_write(unsigned vmid, const struct fields *fields, struct err *err);
void ct_spool_remove(unsigned vmid);

/* The control groups of its init: the text of /proc/PID/cgroup. ERR_UNAVAILABLE: it has ended. */
int ct_groups_read(const struct ct_record *record, struct buf *ret, struct err *err);
/* Fills ret and returns 1 when the container runs (init is alive), 0 when not. */
int ct_find_running(unsigned vmid, struct ct_record *ret);
