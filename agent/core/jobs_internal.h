/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that implement jobs.h; nobody else includes it. */
#pragma once

#include "agent/base/list.h"
#include "agent/core/job_record.h"
#include "agent/core/jobs.h"
#include "agent/core/scopes.h"
#include "agent/core/task_index.h"

#define JOBS_LISTENERS_MAX 8
#define JOBS_RUNNING_MAX   512 /* undos do not count */
#define JOBS_OF_GUEST_MAX  16  /* the same */
#define JOBS_REQUESTS_KEPT 256
#define JOB_KILL_AFTER	   (10 * USEC_PER_SEC)
#define JOBS_RETRY_EVERY   (1 * USEC_PER_SEC)

#define JOB_ARG_UNDO_OF	 "undo-of"  /* argument of an undo: the serial of the job, or "boot" */
#define JOB_ARG_UNDO_TRY "undo-try" /* 1 for the first */
#define JOB_DEATH_UNSEEN "task died without a status"

/* A job that runs. */
struct job {
	struct list link; /* in no order */
	struct jobs *jobs;
	const struct task *task;  /* in the index, which keeps running tasks */
	struct job_record record; /* command is NULL while the record is not there yet (adopted) */
	int pidfd;		  /* -1: could not be opened yet */
	sd_event_source *exit_source; /* NULL: is tried again */
	sd_event_source *kill_timer;  /* armed by jobs_stop() */
};

struct jobs_listeners {
	struct {
		jobs_task_fn fn;
		void *ctx;
	} items[JOBS_LISTENERS_MAX];
	size_t count;
};

struct jobs {
	sd_event *event;
	char node[64];
	struct task_index *index;
	struct scopes *scopes;
	struct list running;
	size_t running_count;
	int inotify_fd;
	sd_event_source *inotify_source;
	struct jobs_listeners begun, known, ended;
	struct job_request {
		char request[JOB_REQUEST_SIZE], upid[UPID_MAX];
	} requests[JOBS_REQUESTS_KEPT]; /* of jobs that ended; a ring */
	size_t request_count;
	/* What failed for want of descriptors or memory is neither alive nor dead: it is asked again. */
	sd_event_source *retry_timer;
	bool is_scan_due;
	/* Undoing waits until it is known which jobs live: one that has no record yet may be the very
	 * job that undoes another. */
	bool is_undo_deferred;
	bool is_scanning; /* what is known is only a part */
	/* Logs that were held before anything else was looked at: those jobs lived then, and come by
	 * inotify if the scans missed them. Each goes once its job's record is known, or the job
	 * dead; none is added later. */
	struct list held;	  /* struct held_log */
	struct list undo_retries; /* struct undo_retry: undos that are put off */
};

struct held_log {
	struct list link;
	char serial[JOB_SERIAL_SIZE];
	int fd;
};

void held_log_free(struct held_log *log);
/* The job's record is known: what it leaves running may hold its log longer than it lives. */
void jobs_forget_held(struct jobs *jobs, const char *serial);

/* Watches a process that is (or just was) alive; takes pidfd (-1: cannot be opened now) and the record's
 * content over. */
void job_watch(struct jobs *jobs, const struct task *task, int pidfd, struct job_record *record);
/* 0, and a pidfd of the very process that the UPID names; -ERR_NOT_FOUND: it is gone; other errors: who
 * knows. boot may be NULL. */
int job_open_process(const struct upid *id, const char *boot, int *ret_pidfd);
/* Did the job leave a status? 0 yes, -ERR_NOT_FOUND no; other errors: who knows. */
int job_has_status(const struct task *task);
/* Of a job that ended and whose record did not come yet (command is NULL; else nothing is done). A job
 * leaves it before it works, so by now it is there or never was. 0: read, or there is none; other
 * errors: who knows. */
int job_read_late_record(const char *upid, struct job_record *record);
/* Tries again soon to watch what could not be watched. */
void jobs_retry(struct jobs *jobs);
int jobs_on_retry(sd_event_source *source, uint64_t now, void *ctx);
void job_keep_record(struct job *job, struct job_record *record); /* takes its content over */
void jobs_tell(const struct jobs_listeners *listeners, const struct task *task);
struct job *job_find(const struct jobs *jobs, const char *upid);
void job_forget(struct job *job); /* frees; the process goes on */
/* What is left to do for a task whose process is gone. record may be NULL (unknown). */
void job_close(struct jobs *jobs, const struct task *task, const struct job_record *record,
	       const char *death);
/* It ends: what asked for it stays known. */
void job_keep_request(struct jobs *jobs, const char *upid, const struct job_record *record);
/* Starts the undo command kept under serial, if there is one and it is not running. */
void job_undo_start(struct jobs *jobs, const char *serial);
/* The job left no status, or says in it that something is left: starts its undo, or once more the undo that it was
 * itself. */
void job_undo_dead(struct jobs *jobs, const struct job_record *record);
/* The job left that status: nothing is to be undone any more, unless it was an undo that failed. */
void job_undo_settle(struct jobs *jobs, const struct job_record *record, const char *text);
void jobs_forget_undos(struct jobs *jobs); /* those that are put off; the next core finds them */

/* A record arrived, a job without one ended, or someone asks: perhaps now. */
void jobs_undo_deferred(struct jobs *jobs);

/* Takes the records in the run folder that are not known yet. */
int jobs_scan_records(struct jobs *jobs, struct err *err);
/* Start-up, before the index is loaded: logs without a final name. */
int jobs_scan_unclaimed(struct jobs *jobs, struct err *err);
/* Start-up: jobs that run, jobs that died, undoing what the dead left. */
int jobs_adopt(struct jobs *jobs, struct err *err);
