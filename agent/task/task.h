/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of a job process: arguments from descriptor 0, identity, waiting for the job before it,
 * status file, calls to the core. Blocking, sequential code; stdout is the task log.
 *
 * A job that has an undo (argument "undo") ends in one of two ways, and its task shows the job's own end in both:
 *
 *   whole       what it began is done, or put back by itself; the core forgets its undo
 *   unfinished  something of it is left that it could not put back (a volume, a lock, a guest that stands still), or it is
 *               not known whether a change of the store was made (ERR_UNKNOWN), its beginning above all; the core carries
 *               its undo on as if the job had died, until one has succeeded
 *
 * So nothing stays locked that has no job any more. An undo writes what it finds before it judges, and finds nothing to
 * do where the job did all of it. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"
#include "agent/base/fields.h"
#include "agent/base/upid.h"
#include "agent/guest/config.h"

struct task_ctx {
	struct fields args;
	struct upid upid;
	char upid_text[UPID_MAX];
	unsigned guest;	  /* vmid or 0 */
	const char *node; /* borrowed from args */
	const char *user;
	unsigned warnings;  /* counted by task_warn() */
	bool is_unfinished; /* set by task_leave(); ERR_UNKNOWN at its end is as good */
};

struct task_command {
	const char *name; /* "vzstart" */
	int (*run)(struct task_ctx *task, struct err *err);
};

/* main() of a job program: finds argv[1] in the table (ended by a NULL name), reads the arguments,
 * claims its UPID and log name, waits for the job before, runs, writes the last log line ("TASK OK",
 * "TASK ERROR: …", "TASK WARNINGS: n") and the status file. `helper NAME`, `hook …` and the like are
 * the program's own business before calling this. Returns the exit code. SIGTERM makes
 * task_is_cancelled() true and interrupts blocking calls. */
int task_main(int argc, char **argv, const struct task_command *commands);

void task_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void task_warn(struct task_ctx *task, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As task_warn(); something of the job is left, which its undo has to end. */
void task_leave(struct task_ctx *task, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool task_is_cancelled(void);
int task_check_cancelled(struct err *err); /* ERR_CANCELLED "interrupted by signal" */

/* Store access through the core (waits for a restarting core, at most 60 s). */
int task_store_get(const char *path, struct buf *ret, uint64_t *ret_version, struct err *err);
struct task_txn; /* built step by step */
struct task_txn *task_txn_new(const char *who);
void task_txn_free(struct task_txn *txn);
void task_txn_require(struct task_txn *txn, const char *path, uint64_t version);
void task_txn_put(struct task_txn *txn, const char *path, const void *value, size_t size);
void task_txn_delete(struct task_txn *txn, const char *path);
int task_txn_commit(struct task_txn *txn, struct err *err); /* ERR_CONFLICT when refused */
/* Config of a container: read, and written back only if unchanged since. */
int task_config_get(struct task_ctx *task, const char *kind, struct guest_config *ret,
		    uint64_t *ret_version, struct err *err);
int task_config_put(struct task_ctx *task, const char *kind, const struct guest_config *config,
		    uint64_t version, struct err *err);
int task_config_delete(struct task_ctx *task, const char *kind, uint64_t version, struct err *err);
/* Says in the log what the configuration asks for and this version does not do. */
void task_guest_notices(const struct guest_config *config);
/* Has the core start a job on a guest of this node, for the user of this one: verb "start" or "shutdown"; args may be
 * NULL; mark (agent/core/guest_mark.h): of which guest. Asks again until it is known which job that began: ERR_UNKNOWN
 * after a minute. ERR_DENIED: the user may not; ERR_NOT_FOUND, ERR_CONFLICT: that guest is not there any more. */
int task_guest_job(const struct task_ctx *task, unsigned vmid, const char *mark, const char *verb,
		   const struct fields *args, char ret_upid[UPID_MAX], struct err *err);
/* 1: the core knows it stopped, or of no such guest; 0: not so. */
int task_guest_is_stopped(unsigned vmid, struct err *err);
/* Why a guest that has just stopped did so, as far as the core knows: "exited, code 3", "oom, signal 9"; "" unknown.
 * Waits a second at most for whoever saw it. */
void task_guest_reason(unsigned vmid, struct buf *ret);
/* Tells the core what became of the guest, before the job ends (CALL_GUEST_STATE); never fails the job. A
 * process that is gone by now is not told of. */
void task_guest_state(unsigned vmid, const char *state, pid_t pid);
