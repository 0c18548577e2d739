/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that implement jobs.h; nobody else includes it. */
#pragma once

#include "agent/base/list.h"
#include "agent/core/job_record.h"
#include "agent/core/jobs.h"
#include "agent/core/scopes.h"
#include "agent/core/task_index.h"

#define JOBS_LISTENERS_MAX 8
#define JOBS_RUNNING_MAX   512
#define JOB_KILL_AFTER	   (10 * USEC_PER_SEC)

/* A job that runs. */
struct job {
	struct list link; /* in no order */
	struct jobs *jobs;
	const struct task *task; /* in the index, which keeps running tasks */
	struct job_record record; /* command is NULL while the record is not there yet (adopted) */
	int pidfd;
	sd_event_source *exit_source;
	sd_event_source *kill_timer; /* armed by jobs_stop() */
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
	struct jobs_listeners begun, ended;
	/* Undoing waits until it is known which jobs live: a job may have claimed its log and not yet
	 * written its record. */
	bool is_undo_deferred;
	/* Serials of logs that were held before anything else was looked at: those jobs lived then, and
	 * come by inotify if the scans missed them. NULL-terminated. */
	char **held;
	size_t held_count;
};

/* Watches a process that is (or just was) alive; takes pidfd and the record's content over. */
int job_watch(struct jobs *jobs, const struct task *task, int pidfd, struct job_record *record,
	      struct err *err);
void job_keep_record(struct job *job, struct job_record *record); /* takes its content over */
void jobs_tell(const struct jobs_listeners *listeners, const struct task *task);
struct job *job_find(const struct jobs *jobs, const char *upid);
void job_forget(struct job *job); /* frees; the process goes on */
/* What is left to do for a task whose process is gone. record may be NULL (unknown). */
void job_close(struct jobs *jobs, const struct task *task, const struct job_record *record,
	       const char *death);
/* Starts the undo command kept under serial, if there is one and it is not running. */
void job_undo_start(struct jobs *jobs, const char *serial);

/* A record arrived or a job without one ended: perhaps now. */
void jobs_undo_deferred(struct jobs *jobs);

/* Start-up, before the index is loaded: logs without a final name. */
int jobs_scan_unclaimed(struct jobs *jobs, struct err *err);
/* Start-up: jobs that run, jobs that died, undoing what the dead left. */
int jobs_adopt(struct jobs *jobs, struct err *err);
