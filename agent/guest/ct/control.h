/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and stopping a container, as jobs do it. All leave nothing behind when they fail. */
#pragma once

#include "agent/guest/ct/record.h"
#include "agent/task/task.h"

/* Merges pending changes, starts, waits until it runs, tells the core. */
int ct_start(struct task_ctx *task, struct err *err);
/* ERR_BUSY "CT 101 not running", else fills ret. */
int ct_require_running(unsigned vmid, struct ct_record *ret, struct err *err);
/* Not running, and its monitor is gone: one that still runs its hooks or unmounts its volumes is waited for, minutes if
 * need be. ERR_BUSY "CT 101 already running", ERR_TIMEOUT. */
int ct_require_stopped(unsigned vmid, struct err *err);
/* The same, and all that it wrote is in its volumes: ERR_BUSY: somebody else has one mounted. */
int ct_require_settled(struct task_ctx *task, struct err *err);
/* Ends init at once. */
int ct_stop(struct task_ctx *task, const struct ct_record *record, struct err *err);
/* Asks init to halt. After timeout_s: ends it if force, else ERR_TIMEOUT. */
int ct_shutdown(struct task_ctx *task, const struct ct_record *record, unsigned timeout_s,
		bool force, struct err *err);
/* Clears what a stopped container left: record, veths, cgroups, log, mount point. A running one is
 * left alone. */
void ct_clean(unsigned vmid);
/* After a container's end: spool file, then the record goes, then the core is told. target "stop" or
 * "reboot". Nothing happens if the record is of another, living container than init. */
void ct_note_stopped(unsigned vmid, pid_t init, const char *target);
/* "vzstop", "vzshutdown", "vzreboot" arguments. */
unsigned ct_timeout_arg(const struct task_ctx *task, unsigned fallback);
bool ct_bool_arg(const struct task_ctx *task, const char *name);
