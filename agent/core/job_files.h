/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and contents of the files of jobs: logs and status below the state folder's tasks/, run records
 * in the run folder's jobs/, undo copies in tasks/. Used on the core's loop: small, local files. */
#pragma once

/* What a file is called in its folder until it is whole. */
#define JOB_FILES_TEMP ".core-new"

#include "agent/core/job_record.h"

/* tasks/, tasks/0 … tasks/F, jobs/ */
int job_files_make_folders(struct err *err);
/* Heap paths; suffix is "" or ".status". */
char *job_file_log(const struct upid *id, const char *upid, const char *suffix);
char *job_file_record(const char *upid);
char *job_file_new_log(const char *serial);
char *job_file_undo(const char *serial);

/* Opens tasks/new-SERIAL, locked (flock) as long as a process has it open: an unclaimed log without a
 * lock belongs to nobody. */
int job_log_create(const char *serial, int *ret_fd, struct err *err);
/* A descriptor of an unclaimed log that a process holds, or -1. */
int job_log_open_held(const char *serial);
/* Does a process still hold it, under whatever name? */
bool job_log_is_held(int fd);
/* Gives the log its final name; already done by the job is fine. */
int job_log_rename(const char *serial, const struct upid *id, const char *upid, struct err *err);
void job_log_append_error(const struct upid *id, const char *upid, const char *text);

/* Never replaces a record that the job wrote. */
int job_record_leave(const char *upid, const struct job_record *record, struct err *err);
int job_record_read(const char *path, struct job_record *ret, struct err *err);
int job_undo_keep(const struct job_record *record, struct err *err);
int job_undo_read(const char *serial, struct job_record *ret, struct err *err);
void job_undo_drop(const char *serial);

/* The caller's job_status_fini(). ERR_NOT_FOUND: no status; ERR_CORRUPT: torn. */
int job_status_read(const struct upid *id, const char *upid, struct job_status *ret,
		    struct err *err);
/* For a job that could not write its own. Not synced: it can be made again from the same facts. */
void job_status_leave(const struct upid *id, const char *upid, uint64_t end, const char *text);
