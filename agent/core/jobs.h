/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: one process per long operation. The core spawns them, lists them, stops them and finds
 * them again after a restart; it never waits for one.
 *
 * A job is executed as `lodge-task… COMMAND` with its arguments (fields) on descriptor 0 and its
 * log on 1 and 2. Its log starts as tasks/new-SERIAL and is renamed to tasks/X/UPID (X: last hex
 * digit of the start time) by whichever of core and job comes first; while it runs, the job holds
 * a record jobs/UPID in the run folder (JSON-free: encoded fields: boot, guest, command, after).
 * It ends by writing tasks/X/UPID.status (fsync, rename): "OK", "WARNINGS: n" or the error text, and whether something
 * of it is left (job_status.h).
 *
 * Jobs of one guest run in the order in which they were started: each is told the UPIDs of all that
 * are before it ("after", separated by spaces; of both guests where it works on two) and waits,
 * saying so in its log, until those processes are gone. So the order survives a crash of the core.
 * Identity: pid + start time + boot id. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/base/fields.h"
#include "agent/base/upid.h"

struct jobs;

enum job_program {
	JOB_HOST, /* lodge-task */
	JOB_CT,	  /* lodge-task-ct */
	JOB_VM,
	JOB_CONSOLE,
	JOB_FETCH, /* lodge-task-fetch: HTTP to the outside */
};

struct job_spec {
	enum job_program program;
	const char *command;	   /* "vzstart": also the task type unless `type` is set */
	const char *type;	   /* NULL: command */
	const char *id;		   /* task id: vmid or volume; NULL: "" */
	const char *user;	   /* who asked */
	unsigned guest;		   /* vmid whose queue it joins, 0: none */
	unsigned other;		   /* a second one whose queue it joins as well, 0: none */
	const struct fields *args; /* borrowed; may be NULL */
	int fd;			   /* passed to the job as descriptor 3, or -1; borrowed */
	/* After a job that died without a status file, or says in it that something of it is left, this
	 * command of the same program is started with the same arguments ("vzcreate" ->
	 * "vzcreate-undo"), and again and again until one has succeeded; NULL: none. */
	const char *undo;
};

enum task_state { TASK_RUNNING, TASK_STOPPED };

struct task {
	char upid[UPID_MAX];
	struct upid id;
	unsigned guest;
	enum task_state state;
	uint64_t end_time;     /* wall clock, seconds; 0 while running */
	const char *exit_text; /* "OK", "WARNINGS: n" or the error; NULL while running */
};

/* Scans the run and state folders, adopts running jobs (pidfd), closes those that died. */
int jobs_new(sd_event *event, const char *node, struct jobs **ret, struct err *err);
void jobs_free(struct jobs *jobs); /* running jobs go on */

/* Starts a job. ret_upid gets its UPID. ERR_LIMIT, ERR_BUSY: too many run, or wait for this guest. */
int jobs_start(struct jobs *jobs, const struct job_spec *spec, char ret_upid[UPID_MAX],
	       struct err *err);
/* Who asked for a job and got no answer asks again with the same word, the job's argument "request": the UPID of the
 * one that it began. Known of jobs that run and of the last ones that ended; false: there is none. */
#define JOB_ARG_REQUEST	 "request"
#define JOB_REQUEST_SIZE 65
bool jobs_find_request(const struct jobs *jobs, const char *request, char ret_upid[UPID_MAX]);
/* SIGTERM to the job's process group, SIGKILL 10 s later. */
int jobs_stop(struct jobs *jobs, const char *upid, struct err *err);
const struct task *jobs_find(const struct jobs *jobs, const char *upid); /* NULL: no such task */
/* Arguments of a job that ends with the right of who asked for it (job_rights.h). */
#define JOB_ARG_TIED_TO	   "tied-to"
#define JOB_ARG_TIED_UNTIL "tied-until"
#define JOB_ARG_TIED_PROOF "tied-proof"
/* Of these and of JOB_ARG_REQUEST, what a job that runs was started with. NULL: without, or it ended, or is not
 * known yet. Borrowed until the loop runs again. */
const char *jobs_arg(const struct jobs *jobs, const char *upid, const char *name);
/* Newest first; cursor NULL starts. Bounded history: the newest 2,000 are in memory. */
const struct task *jobs_next(const struct jobs *jobs, const struct task *after);
/* Path of the log file of a task (heap string). */
char *jobs_log_path(const struct jobs *jobs, const char *upid);
/* false while a job of an earlier core did not say yet what it is: what looks idle may not be. */
bool jobs_are_known(struct jobs *jobs);
bool jobs_guest_is_busy(const struct jobs *jobs, unsigned guest);
/* The undo of a job on it failed, and is tried again later. */
bool jobs_guest_awaits_undo(const struct jobs *jobs, unsigned guest);
/* Does one that starts it, or of which nothing is known yet, wait or run? */
bool jobs_guest_may_start(const struct jobs *jobs, unsigned guest);

/* Called once for every job that begins (or is found running after the start of the core), and once for
 * every job that ends, from the loop. The listeners stay for good. */
typedef void (*jobs_task_fn)(const struct task *task, void *ctx);
void jobs_on_begun(struct jobs *jobs, jobs_task_fn fn, void *ctx);
/* One that was found running said only now what it was started with. */
void jobs_on_known(struct jobs *jobs, jobs_task_fn fn, void *ctx);
void jobs_on_ended(struct jobs *jobs, jobs_task_fn fn, void *ctx);
