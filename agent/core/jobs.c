/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: their start, and questions about them. Runs on the core's loop; never waits for a process.
 *
 * The core may be killed between any two steps, so each step leaves something that says how far it
 * came. A start is:
 *
 *   1 tasks/new-SERIAL is created and locked; a process that has it open is alive (the lock ends with
 *     the last one that holds it)
 *   2 tasks/undo-SERIAL gets the command that would undo the job (only if it has one)
 *   3 the process is spawned with the log as 1 and 2, its arguments in a memfd as 0
 *   4 jobs/UPID gets the record, tasks/new-SERIAL becomes tasks/X/UPID; the job does both as well, so
 *     each may find it done
 *
 * The next core looks in this order: held logs, named logs, records. A job that claims its log
 * between two of these looks was held in the first; so none is taken for dead that lives.
 *
 * Killed after 1: the next core finds an unlocked new-SERIAL and removes it. After 2: it also runs
 * the undo command, which finds nothing to undo. After 3: the log is locked, the job will write its
 * record, and the next core learns of it by inotify (or finds the record in its scan). After 4: the
 * record names the process (pid, its start time, boot id); it is watched through a pidfd. A job may
 * also end before the event of its record is seen: it left the record before it worked, so whoever
 * sees an end without a record looks for it once more before anything is undone.
 *
 * An end is:
 *
 *   5 the job writes tasks/X/UPID.status and exits; if it died without one, the core starts the undo
 *     command from tasks/undo-SERIAL as a job (argument undo-of) and then writes the status itself; if
 *     the status says that something is left, the core starts the undo as well
 *   6 tasks/undo-SERIAL is removed, once the job left a status of its own that says nothing of the kind,
 *     or its undo job a good one
 *   7 jobs/UPID is removed
 *
 * Killed before 7: the next core finds a record without a process and goes on from 5. Killed
 * between undo and status: the undo job's record says which serial it undoes, and no second one
 * is started beside it; undo commands may run again after they finished. So the next core undoes
 * nothing before each job that it found alive has said what it is, or died. A power cut takes jobs/
 * away (tmpfs): every undo-SERIAL is then without a job and is undone. */
#include "agent/core/jobs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/digest.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/child.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs_internal.h"

#define TASK_ID_MAX 80 /* longer ids (volume names) are cut: a UPID must fit in a file name */

int jobs_new(sd_event *event, const char *node, struct jobs **ret, struct err *err)
{
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));
	int r;

	jobs->event = event;
	jobs->scopes = scopes_new(event);
	jobs->inotify_fd = -1;
	list_init(&jobs->running);
	list_init(&jobs->held);
	list_init(&jobs->undo_retries);
	if ((r = sd_event_add_time(event, &jobs->retry_timer, CLOCK_MONOTONIC, 0, 0, jobs_on_retry,
				   jobs)) < 0 ||
	    (r = sd_event_source_set_enabled(jobs->retry_timer, SD_EVENT_OFF)) < 0)
		r = err_errno(err, -r, "timer");
	else if (!str_copy(jobs->node, sizeof(jobs->node), node))
		r = err_set(err, ERR_INVALID, "node name is too long");
	else if ((r = job_files_make_folders(err)) >= 0 &&
		 (r = jobs_scan_unclaimed(jobs, err)) >= 0 &&
		 (r = task_index_load(&jobs->index, err)) >= 0)
		r = jobs_adopt(jobs, err);
	if (r < 0) {
		jobs_free(jobs);
		return r;
	}
	*ret = jobs;
	return 0;
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		job_forget(job);
	}
	jobs_forget_undos(jobs);
	sd_event_source_disable_unref(jobs->retry_timer);
	if (jobs->inotify_source)
		sd_event_source_disable_unref(jobs->inotify_source);
	if (jobs->inotify_fd >= 0)
		close(jobs->inotify_fd);
	LIST_FOREACH (&jobs->held, log, struct held_log, link) {
		held_log_free(log);
	}
	scopes_free(jobs->scopes);
	task_index_free(jobs->index);
	free(jobs);
}

static bool works_on(const struct job *job, unsigned guest)
{
	return job->task->guest == guest || job->record.other == guest;
}

static void copy_id(const char *id, char *dst, size_t size)
{
	size_t length = 0;

	for (; id && *id && length + 1 < size && length < TASK_ID_MAX; id++, length++) {
		bool is_fine = *id > ' ' && *id <= '~' && *id != ':' && *id != '/';

		dst[length] = is_fine ? *id : '-';
	}
	dst[length] = '\0';
}

/* Clients know a guest's task by its number; a volume's name is for the eye. */
static void cut_id(const struct job_spec *spec, struct upid *id)
{
	autofree char *number = xasprintf("%u", spec->guest);
	size_t room = upid_id_room(id);

	if (strlen(id->id) > room && !str_eq(id->id, number))
		id->id[room] = '\0';
}

static int make_upid(const struct jobs *jobs, const struct job_spec *spec, struct upid *ret,
		     struct err *err)
{
	struct upid id = {.pid_start = UPID_PID_START_MAX,
			  .start_time = clock_wall() / USEC_PER_SEC};
	char text[UPID_MAX];

	copy_id(spec->id, id.id, sizeof(id.id));
	if (!str_copy(id.node, sizeof(id.node), jobs->node) ||
	    !str_copy(id.type, sizeof(id.type), spec->type ? spec->type : spec->command) ||
	    !str_copy(id.user, sizeof(id.user), spec->user ? spec->user : ""))
		return err_set(err, ERR_INVALID, "task type or user name is too long");
	cut_id(spec, &id);
	int r = upid_format(&id, text, err); /* the longest, before anything is started */
	if (r < 0)
		return r;
	*ret = id;
	return 0;
}

/* All of them, and not just the last: one that waits may be stopped, and what it waited for would be awaited by nobody. */
static void make_after(const struct jobs *jobs, const struct job_spec *spec, struct job_record *r)
{
	autobuf all = BUF_INIT;

	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if ((spec->guest && works_on(job, spec->guest)) ||
		    (spec->other && works_on(job, spec->other)))
			buf_addf(&all, "%s%s", all.size ? " " : "", job->task->upid);
	}
	xreplace(&r->after, all.size ? buf_str(&all) : NULL);
}

static void make_record(const struct jobs *jobs, const struct job_spec *spec, const struct upid *id,
			struct job_record *r)
{
	uint8_t serial[(JOB_SERIAL_SIZE - 1) / 2];
	autobuf hex = BUF_INIT;

	random_bytes(serial, sizeof(serial));
	digest_hex(serial, sizeof(serial), &hex);
	str_copy(r->serial, sizeof(r->serial), buf_str(&hex));
	r->boot = xstrdup(exec_boot_id());
	r->program = spec->program;
	r->guest = spec->guest;
	xreplace(&r->command, spec->command);
	xreplace(&r->undo, spec->undo);
	r->other = spec->other;
	make_after(jobs, spec, r);
	xreplace(&r->type, id->type);
	xreplace(&r->id, id->id);
	xreplace(&r->user, id->user);
	if (spec->args)
		fields_copy(&r->args, spec->args);
}

static int make_args(const struct job_record *r, const struct upid *id, int *ret_fd,
		     struct err *err)
{
	autofields args = FIELDS_INIT;
	autobuf text = BUF_INIT;

	fields_copy(&args, &r->args);
	fields_set(&args, "serial", r->serial);
	fields_set(&args, "program", job_program_name(r->program));
	fields_set(&args, "node", id->node);
	fields_set(&args, "user", id->user);
	fields_set(&args, "type", id->type);
	fields_set(&args, "id", id->id);
	fields_addf(&args, "starttime", "%llu", (unsigned long long)id->start_time);
	if (r->guest)
		fields_addf(&args, "guest", "%u", r->guest);
	if (r->other)
		fields_addf(&args, "other", "%u", r->other);
	fields_add(&args, "after", r->after);
	fields_add(&args, "undo", r->undo);
	if (args.count > FIELDS_COUNT_MAX)
		return err_set(err, ERR_LIMIT, "too many job arguments");
	fields_encode(&args, &text);
	return fd_memfd_sealed("job", text.data, text.size, ret_fd, err);
}

/* Steps 1 to 3. */
static int spawn(const struct job_record *record, const struct upid *id, int fd, struct child *ret,
		 struct err *err)
{
	autofree char *program = path_join(path_libexec(), "%s", job_program_name(record->program));
	const char *argv[] = {program, record->command, NULL};
	autofree char *log_path = job_file_new_log(record->serial);
	autofd int args_fd = -1, log_fd = -1;
	int r = make_args(record, id, &args_fd, err);

	if (r < 0 || (r = job_log_create(record->serial, &log_fd, err)) < 0)
		return r;
	if (record->undo)
		r = job_undo_keep(record, err);
	if (r >= 0) {
		const struct child_spec child = {argv, {args_fd, log_fd, log_fd, fd}};

		r = child_spawn(&child, ret, err);
	}
	if (r < 0) {
		unlink(log_path);
		if (record->undo)
			job_undo_drop(record->serial);
	}
	return r;
}

/* Step 4. The job runs by now and does the same: failing here is no failure of the start. */
static const struct task *settle(struct jobs *jobs, struct job_record *record,
				 const struct upid *id, const char *upid)
{
	struct err err = ERR_INIT;

	if (job_record_leave(upid, record, &err) < 0)
		log_warning("record of %s: %s", upid, err.message);
	if (job_log_rename(record->serial, id, upid, &err) < 0)
		log_warning("log of %s: %s", upid, err.message);
	return task_index_add(jobs->index, upid, id, record->guest);
}

static int check_guest(const struct jobs *jobs, unsigned guest, struct err *err)
{
	size_t count = 0;

	LIST_FOREACH (&jobs->running, job, struct job, link) {
		count += guest && works_on(job, guest);
	}
	return count < JOBS_OF_GUEST_MAX
		       ? 0
		       : err_set(err, ERR_BUSY,
				 "guest %u has %zu tasks running or waiting already: try again "
				 "when some of them have ended",
				 guest, count);
}

/* What undoes makes room, and must not wait for it. */
static int check_room(const struct jobs *jobs, const struct job_spec *spec, struct err *err)
{
	int r;

	if (spec->args && fields_find(spec->args, JOB_ARG_UNDO_OF))
		return 0;
	if (jobs->running_count >= JOBS_RUNNING_MAX)
		return err_set(err, ERR_LIMIT, "too many tasks are running");
	r = check_guest(jobs, spec->guest, err);
	return r < 0 ? r : check_guest(jobs, spec->other, err);
}

int jobs_start(struct jobs *jobs, const struct job_spec *spec, char ret_upid[UPID_MAX],
	       struct err *err)
{
	autorecord record = {0};
	struct upid id;
	char upid[UPID_MAX];
	struct child child;
	int r = make_upid(jobs, spec, &id, err);

	if (r < 0)
		return r;
	if ((r = check_room(jobs, spec, err)) < 0)
		return r;
	make_record(jobs, spec, &id, &record);
	if ((r = spawn(&record, &id, spec->fd, &child, err)) < 0)
		return err_prefix(err, "start task %s", id.type);
	/* It runs: from here on the start does not fail any more. */
	id.pid = child.pid;
	id.pid_start = child.start;
	if (upid_format(&id, upid, err) < 0)
		abort(); /* make_upid() tried it with the largest numbers */
	const struct task *task = settle(jobs, &record, &id, upid);
	scopes_move(jobs->scopes, id.pid, record.serial);
	job_watch(jobs, task, child.pidfd, &record);
	jobs_tell(&jobs->begun, task);
	memcpy(ret_upid, upid, sizeof(upid));
	return 0;
}

const struct task *jobs_find(const struct jobs *jobs, const char *upid)
{
	return task_index_find(jobs->index, upid);
}

const char *jobs_arg(const struct jobs *jobs, const char *upid, const char *name)
{
	const struct job *job = job_find(jobs, upid);

	return job ? fields_get(&job->record.args, name) : NULL;
}

const struct task *jobs_next(const struct jobs *jobs, const struct task *after)
{
	return task_index_next(jobs->index, after);
}

char *jobs_log_path(const struct jobs *jobs, const char *upid)
{
	struct upid id;

	(void)jobs;
	return upid_parse(upid, &id, NULL) < 0 ? NULL : job_file_log(&id, upid, "");
}

bool jobs_are_known(struct jobs *jobs)
{
	jobs_undo_deferred(jobs);
	return !jobs->is_undo_deferred;
}

bool jobs_guest_is_busy(const struct jobs *jobs, unsigned guest)
{
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if (works_on(job, guest))
			return true;
	}
	return false;
}

bool jobs_guest_may_start(const struct jobs *jobs, unsigned guest)
{
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		const char *command = job->record.command;

		if (works_on(job, guest) &&
		    (!command || str_ends(command, "start") || str_ends(command, "reboot")))
			return true;
	}
	return false;
}

void jobs_tell(const struct jobs_listeners *listeners, const struct task *task)
{
	for (size_t i = 0; i < listeners->count; i++)
		listeners->items[i].fn(task, listeners->items[i].ctx);
}

static void listen_to(struct jobs_listeners *listeners, jobs_task_fn fn, void *ctx)
{
	if (listeners->count == JOBS_LISTENERS_MAX)
		abort(); /* listeners are part of the program, not of its input */
	listeners->items[listeners->count].fn = fn;
	listeners->items[listeners->count++].ctx = ctx;
}

void jobs_on_begun(struct jobs *jobs, jobs_task_fn fn, void *ctx)
{
	listen_to(&jobs->begun, fn, ctx);
}

void jobs_on_known(struct jobs *jobs, jobs_task_fn fn, void *ctx)
{
	listen_to(&jobs->known, fn, ctx);
}

void jobs_on_ended(struct jobs *jobs, jobs_task_fn fn, void *ctx)
{
	listen_to(&jobs->ended, fn, ctx);
}
