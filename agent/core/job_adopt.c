/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding jobs that an earlier core started: a scan of their records at start, inotify for records
 * that come later, and what the dead left behind. Order and reasons: jobs.c. Runs on the core's
 * loop. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs_internal.h"

/* The start time is read after opening: if it fits, the pidfd is that process. */
int job_open_process(const struct upid *id, const char *boot, int *ret_pidfd)
{
	autofd int fd = -1;

	if (id->pid <= 1 || id->pid_start == 0 || (boot && !str_eq(boot, exec_boot_id())))
		return -ERR_NOT_FOUND;
	fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	if (fd < 0)
		return errno == ESRCH || errno == EINVAL ? -ERR_NOT_FOUND : -ERR_IO;
	uint64_t start = exec_pid_start(id->pid);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (poll(&p, 1, 0) != 0 || (start != 0 && start != id->pid_start))
		return -ERR_NOT_FOUND; /* it ended, or the number is another's by now */
	if (start == 0)
		return -ERR_IO; /* alive, but it could not be asked */
	*ret_pidfd = TAKE_FD(fd);
	return 0;
}

static void adopt(struct jobs *jobs, const char *upid, const struct upid *id,
		  struct job_record *record)
{
	const struct task *task = task_index_add(jobs->index, upid, id, record->guest);
	struct err err = ERR_INIT;
	int pidfd = -1, has_status;

	task_index_set_guest(jobs->index, upid, record->guest);
	int r = job_open_process(id, record->boot, &pidfd);
	if (r == -ERR_NOT_FOUND && job_read_late_record(upid, record) == 0 &&
	    ((has_status = job_has_status(task)) == 0 || has_status == -ERR_NOT_FOUND)) {
		job_close(jobs, task, record->command ? record : NULL, JOB_DEATH_UNSEEN);
		return;
	}
	if (record->serial[0] && job_log_rename(record->serial, id, upid, &err) < 0)
		log_warning("log of %s: %s", upid, err.message);
	if (r == 0)
		log_info("task %s still runs", upid);
	job_watch(jobs, task, pidfd, record);
	if (r == 0)
		jobs_tell(&jobs->begun, task);
}

/* A record of this name is in the folder. */
static void take_record(struct jobs *jobs, const char *name)
{
	autofree char *path = job_file_record(name);
	autorecord record = {0};
	char serial[JOB_SERIAL_SIZE];
	struct upid id;
	struct err err = ERR_INIT;

	if (upid_parse(name, &id, NULL) < 0)
		return;
	struct job *known = job_find(jobs, name);
	if (known && known->record.command)
		return;
	int r = job_record_read(path, &record, &err);
	if (r < 0) {
		if (r != -ERR_NOT_FOUND)
			log_error("record of %s: %s", name, err.message);
		if (r == -ERR_CORRUPT)
			(void)file_remove(path, NULL);
		else if (r != -ERR_NOT_FOUND)
			jobs->is_scan_due = true, jobs_retry(jobs);
		return;
	}
	memcpy(serial, record.serial, sizeof(serial));
	if (known) {
		task_index_set_guest(jobs->index, name, record.guest);
		job_keep_record(known, &record);
		jobs_tell(&jobs->known, known->task);
	} else {
		adopt(jobs, name, &id, &record);
	}
	jobs_forget_held(jobs, serial);
	jobs_undo_deferred(jobs);
}

/* Runs each(jobs, name) for every name in the folder; the names are taken first, since each()
 * changes the folder. */
static int each_name(struct jobs *jobs, const char *path, void (*each)(struct jobs *, const char *),
		     struct err *err)
{
	DIR *dir = opendir(path);
	char **names = NULL;
	size_t count = 0;

	if (!dir)
		return err_errno(err, errno, "open %s", path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		names = xrealloc(names, count + 1, sizeof(*names));
		names[count++] = xstrdup(entry->d_name);
	}
	closedir(dir);
	for (size_t i = 0; i < count; i++) {
		each(jobs, names[i]);
		free(names[i]);
	}
	free(names);
	return 0;
}

int jobs_scan_records(struct jobs *jobs, struct err *err)
{
	autofree char *path = path_join(path_run(), "jobs");
	bool was_scanning = jobs->is_scanning;

	jobs->is_scanning = true;
	int r = each_name(jobs, path, take_record, err);
	jobs->is_scanning = was_scanning;
	return r;
}

/* Logs without a status and without a record: the job may be before step 4, or dead. */
static void adopt_unrecorded(struct jobs *jobs)
{
	const struct task *next;

	for (const struct task *t = jobs_next(jobs, NULL); t; t = next) {
		struct job_record none = {0};

		next = jobs_next(jobs, t);
		if (t->state == TASK_RUNNING && !job_find(jobs, t->upid))
			adopt(jobs, t->upid, &t->id, &none);
	}
}

static void take_unclaimed_log(struct jobs *jobs, const char *name)
{
	const char *serial = str_after(name, "new-");
	int fd = serial ? job_log_open_held(serial) : -1;

	if (serial && fd < 0) {
		autofree char *path = job_file_new_log(serial);

		(void)file_remove(path, NULL);
	} else if (serial) {
		struct held_log *log = xcalloc(1, sizeof(*log));

		str_copy(log->serial, sizeof(log->serial), serial);
		log->fd = fd;
		list_append(&jobs->held, &log->link);
	}
}

void held_log_free(struct held_log *log)
{
	list_remove(&log->link);
	closep(&log->fd);
	free(log);
}

void jobs_forget_held(struct jobs *jobs, const char *serial)
{
	LIST_FOREACH (&jobs->held, log, struct held_log, link) {
		if (str_eq(log->serial, serial))
			held_log_free(log);
	}
}

/* One that died before its record came: perhaps it left one whose event is still on its way, and
 * its log perhaps under the first name. */
static void forget_dead(struct held_log *log)
{
	autofree char *path = job_file_new_log(log->serial);

	(void)file_remove(path, NULL);
	held_log_free(log);
}

/* Is there a job that lives and did not yet say what it is? */
static bool have_unclaimed(struct jobs *jobs)
{
	struct err err = ERR_INIT;
	bool has_died = false;

	LIST_FOREACH (&jobs->held, log, struct held_log, link) {
		if (job_log_is_held(log->fd))
			continue;
		forget_dead(log);
		has_died = true;
	}
	if (has_died && jobs_scan_records(jobs, &err) < 0) {
		log_error("%s", err.message);
		jobs->is_scan_due = true;
	}
	return !list_is_empty(&jobs->held);
}

static bool have_unrecorded(const struct jobs *jobs)
{
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if (!job->record.command)
			return true;
	}
	return false;
}

int jobs_scan_unclaimed(struct jobs *jobs, struct err *err)
{
	autofree char *path = path_join(path_state(), "tasks");

	return each_name(jobs, path, take_unclaimed_log, err);
}

static void take_undo(struct jobs *jobs, const char *name)
{
	const char *serial = str_after(name, "undo-");

	if (serial && strlen(serial) == JOB_SERIAL_SIZE - 1)
		job_undo_start(jobs, serial);
}

void jobs_undo_deferred(struct jobs *jobs)
{
	struct err err = ERR_INIT;

	if (!jobs->is_undo_deferred || jobs->is_scanning)
		return;
	bool have_unknown = have_unclaimed(jobs);
	if (have_unknown || jobs->is_scan_due) {
		jobs_retry(jobs); /* nothing tells of the end of a lock */
		return;
	}
	if (have_unrecorded(jobs))
		return;
	jobs->is_undo_deferred = false;
	autofree char *path = path_join(path_state(), "tasks");
	if (each_name(jobs, path, take_undo, &err) < 0)
		log_error("left over tasks: %s", err.message);
}

static int on_inotify(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct jobs *jobs = ctx;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t size = read(fd, buffer, sizeof(buffer));

	(void)source;
	(void)events;
	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		if (event->mask & IN_Q_OVERFLOW) {
			jobs->is_scan_due = true;
			jobs_retry(jobs);
		} else if (event->len > 0) {
			take_record(jobs, event->name);
		}
		at += (ssize_t)sizeof(*event) + event->len;
	}
	return 0;
}

static int watch_folder(struct jobs *jobs, struct err *err)
{
	autofree char *path = path_join(path_run(), "jobs");
	int r;

	jobs->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (jobs->inotify_fd < 0 ||
	    inotify_add_watch(jobs->inotify_fd, path, IN_MOVED_TO | IN_ONLYDIR) < 0)
		return err_errno(err, errno, "watch %s", path);
	r = sd_event_add_io(jobs->event, &jobs->inotify_source, jobs->inotify_fd, EPOLLIN,
			    on_inotify, jobs);
	return r < 0 ? err_errno(err, -r, "watch %s", path) : 0;
}

/* A record that a core had not finished when it was killed, and which never counted. */
static void remove_unfinished(void)
{
	autofree char *path = path_join(path_run(), "jobs/" JOB_FILES_TEMP);

	(void)file_remove(path, NULL);
}

int jobs_adopt(struct jobs *jobs, struct err *err)
{
	int r = watch_folder(jobs, err); /* before the scan: nothing falls between */

	remove_unfinished();
	jobs->is_undo_deferred = true;
	jobs->is_scanning = true;
	if (r < 0 || (r = jobs_scan_records(jobs, err)) < 0)
		return r;
	adopt_unrecorded(jobs);
	jobs->is_scanning = false;
	jobs_undo_deferred(jobs);
	return 0;
}
