/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that run: their end, by pidfd, and how they are stopped. Runs on the core's loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/child.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs_internal.h"

struct job *job_find(const struct jobs *jobs, const char *upid)
{
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if (str_eq(job->task->upid, upid))
			return job;
	}
	return NULL;
}

void job_forget(struct job *job)
{
	list_remove(&job->link);
	job->jobs->running_count--;
	if (job->exit_source)
		sd_event_source_disable_unref(job->exit_source);
	if (job->kill_timer)
		sd_event_source_disable_unref(job->kill_timer);
	if (job->pidfd >= 0)
		close(job->pidfd);
	job_record_fini(&job->record);
	free(job);
}

void job_close(struct jobs *jobs, const struct task *task, const struct job_record *record,
	       const char *death)
{
	autofree char *record_path = job_file_record(task->upid);
	autostatus status = {.end = clock_wall() / USEC_PER_SEC};

	if (record) {
		jobs_forget_held(jobs, record->serial);
		job_keep_request(jobs, task->upid, record);
	}
	if (job_status_read(&task->id, task->upid, &status, NULL) == 0) {
		if (record && status.is_unfinished && record->undo)
			job_undo_dead(jobs, record);
		else if (record)
			job_undo_settle(jobs, record, status.text);
	} else {
		status.text = xstrdup(death);
		if (record)
			job_undo_dead(jobs, record);
		job_log_append_error(&task->id, task->upid, death);
		job_status_leave(&task->id, task->upid, status.end, death);
		log_warning("task %s: %s", task->upid, death);
	}
	/* A listener may start a job, and that may drop the oldest task from the index: this one.
	 */
	struct task ended = *task;
	task_index_end(jobs->index, task->upid, status.end, status.text);
	(void)file_remove(record_path, NULL);
	ended.state = TASK_STOPPED;
	ended.end_time = status.end;
	ended.exit_text = status.text;
	jobs_tell(&jobs->ended, &ended);
}

int job_has_status(const struct task *task)
{
	autostatus status = {0};
	int r = job_status_read(&task->id, task->upid, &status, NULL);

	return r == -ERR_IO || r == 0 ? r : -ERR_NOT_FOUND; /* a torn one is none */
}

int job_read_late_record(const char *upid, struct job_record *record)
{
	autofree char *path = job_file_record(upid);
	int r = record->command ? 0 : job_record_read(path, record, NULL);

	return r == -ERR_NOT_FOUND || r == -ERR_CORRUPT ? 0 : r;
}

void jobs_retry(struct jobs *jobs)
{
	int is_on = SD_EVENT_OFF;

	/* One that is due is not put off: who asks may ask more often than it comes. */
	if (sd_event_source_get_enabled(jobs->retry_timer, &is_on) >= 0 && is_on != SD_EVENT_OFF)
		return;
	sd_event_source_set_time_relative(jobs->retry_timer, JOBS_RETRY_EVERY);
	sd_event_source_set_enabled(jobs->retry_timer, SD_EVENT_ONESHOT);
}

static void job_ended(struct job *job)
{
	struct jobs *jobs = job->jobs;
	autorecord record = {0};
	char how[32], death[96] = JOB_DEATH_UNSEEN;
	int status;

	if (job_has_status(job->task) == -ERR_IO ||
	    job_read_late_record(job->task->upid, &job->record) < 0) {
		log_warning("task %s ended, what it left cannot be read now", job->task->upid);
		job->exit_source = sd_event_source_disable_unref(job->exit_source);
		jobs_retry(jobs);
		return;
	}
	if (job->pidfd >= 0 && child_reap(job->pidfd, &status)) {
		child_status_text(status, how, sizeof(how));
		snprintf(death, sizeof(death), JOB_DEATH_UNSEEN " (%s)", how);
	}
	if (job->kill_timer)
		str_copy(death, sizeof(death), "interrupted by signal");
	const struct task *task = job->task;
	record = job->record;
	job->record = (struct job_record){0};
	/* The list must not hold it any more when an undo job looks for the one before it. */
	job_forget(job);
	if (record.command)
		job_close(jobs, task, &record, death);
	else
		job_close(jobs, task, NULL, death);
	jobs_undo_deferred(jobs);
}

static int on_exit_fd(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	job_ended(ctx);
	return 0;
}

static const char *const kept_args[] = {
	JOB_ARG_UNDO_OF, JOB_ARG_UNDO_TRY,   JOB_ARG_REQUEST,
	JOB_ARG_TIED_TO, JOB_ARG_TIED_UNTIL, JOB_ARG_TIED_PROOF,
};

/* Without its other arguments, which may be secret or large: whatever undoes the job has a file of them. */
void job_keep_record(struct job *job, struct job_record *record)
{
	struct fields kept = FIELDS_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(kept_args); i++)
		fields_add(&kept, kept_args[i], fields_get(&record->args, kept_args[i]));
	fields_fini(&record->args);
	job_record_fini(&job->record);
	job->record = *record;
	job->record.args = kept;
	*record = (struct job_record){0};
}

/* Nobody was told that it began before its process was seen. */
static int find_process(struct job *job)
{
	int r = job_open_process(&job->task->id, job->record.boot, &job->pidfd);

	if (r == 0)
		jobs_tell(&job->jobs->begun, job->task);
	return r;
}

/* A failure to watch a process says nothing about the process. */
static void watch(struct job *job)
{
	int r = job->pidfd >= 0 ? 0 : find_process(job);

	if (r == -ERR_NOT_FOUND) {
		job_ended(job);
		return;
	}
	if (r == 0)
		r = sd_event_add_io(job->jobs->event, &job->exit_source, job->pidfd, EPOLLIN,
				    on_exit_fd, job);
	if (r >= 0)
		return;
	log_warning("task %s cannot be watched now", job->task->upid);
	jobs_retry(job->jobs);
}

void job_watch(struct jobs *jobs, const struct task *task, int pidfd, struct job_record *record)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->jobs = jobs;
	job->task = task;
	job->pidfd = pidfd;
	job_keep_record(job, record);
	list_append(&jobs->running, &job->link);
	jobs->running_count++;
	watch(job);
}

int jobs_on_retry(sd_event_source *source, uint64_t now, void *ctx)
{
	struct jobs *jobs = ctx;
	bool is_scan_due = jobs->is_scan_due;
	struct err err = ERR_INIT;

	(void)source;
	(void)now;
	jobs->is_scan_due = false;
	if (is_scan_due && jobs_scan_records(jobs, &err) < 0) {
		log_error("%s", err.message);
		jobs->is_scan_due = true;
		jobs_retry(jobs);
	}
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if (!job->exit_source)
			watch(job);
	}
	jobs_undo_deferred(jobs);
	return 0;
}

static int on_kill_time(sd_event_source *source, uint64_t now, void *ctx)
{
	struct job *job = ctx;

	(void)source;
	(void)now;
	log_warning("task %s does not stop: killed", job->task->upid);
	child_signal_group(job->task->id.pid, job->pidfd, SIGKILL);
	return 0;
}

int jobs_stop(struct jobs *jobs, const char *upid, struct err *err)
{
	struct job *job = job_find(jobs, upid);
	int r;

	if (!job && !jobs_find(jobs, upid))
		return err_set(err, ERR_NOT_FOUND, "no such task");
	if (!job || job->kill_timer)
		return 0; /* ended, or being stopped */
	r = sd_event_add_time_relative(jobs->event, &job->kill_timer, CLOCK_MONOTONIC,
				       JOB_KILL_AFTER, USEC_PER_SEC / 10, on_kill_time, job);
	if (r < 0)
		return err_errno(err, -r, "timer");
	child_signal_group(job->task->id.pid, job->pidfd, SIGTERM);
	return 0;
}
