/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written down about a job, so that a restarted core finds it again: encoded fields. Pure. */
#pragma once

#include <stdlib.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"
#include "agent/core/jobs.h"

#define JOB_RECORD_MAX	(4u * 1024 * 1024)
#define JOB_SERIAL_SIZE 33 /* 32 hex digits and the NUL */

/* Heap strings are owned; NULL where absent. */
struct job_record {
	char serial[JOB_SERIAL_SIZE];
	char *boot; /* boot id under which it runs */
	char *command, *undo, *after;
	char *type, *id, *user; /* in copies kept for undoing; a run record's file name has them */
	enum job_program program;
	unsigned guest, other;
	struct fields args; /* the job's own, without secrets ("arg.NAME" when encoded) */
};

void job_record_encode(const struct job_record *record, struct buf *out);
int job_record_decode(const void *data, size_t size, struct job_record *ret, struct err *err);
void job_record_fini(struct job_record *record);
/* Arguments that are passed to the job but never written to a file. */
bool job_arg_is_secret(const char *name);
const char *job_program_name(enum job_program program); /* "lodge-task-ct" */

/* A status file (job_status.h). */
#define JOB_EXIT_TEXT_MAX 1024
struct job_status {
	uint64_t end;
	char *text;	    /* heap, one line, at most JOB_EXIT_TEXT_MAX bytes */
	bool is_unfinished; /* something of the job is left: its undo is to be run */
};
int job_status_parse(const char *text, size_t size, struct job_status *ret, struct err *err);
static inline void job_status_fini(struct job_status *status)
{
	free(status->text);
	status->text = NULL;
}
#define autostatus __attribute__((cleanup(job_status_fini))) struct job_status

static inline void job_record_finip(struct job_record *record)
{
	job_record_fini(record);
}
#define autorecord __attribute__((cleanup(job_record_finip))) struct job_record
