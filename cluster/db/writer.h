/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer thread: one job at a time, handed over and taken back under one lock; completion is signalled through
 * an eventfd. Group commit follows from it: while a job runs, the owner gathers the next one. */
#pragma once

#include "cluster/db/db.h"

struct writer;

enum writer_job_kind {
	WRITER_PERSIST = 1, /* transactions of the replica */
	WRITER_SETTLE,
	WRITER_READ,	/* old values */
	WRITER_RECOVER, /* from a full disk: make room, load the log */
};

struct writer_job {
	enum writer_job_kind kind;
	struct persist **persists; /* PERSIST: owned, with what they hold */
	size_t persist_count;
	struct settle settle;	      /* SETTLE: owned by the owner of the job */
	struct db_history_read *read; /* READ: borrowed until the job is back */
	struct replica_disk disk;     /* RECOVER, filled in: without the state; owned */
	int result;		      /* filled in: 0 or a negative error */
	struct err err;
};

int writer_new(struct db *db, struct writer **ret, struct err *err);
void writer_free(struct writer *writer);    /* waits for the running job; the db stays open */
int writer_fd(const struct writer *writer); /* readable when a job is back */
void writer_start(struct writer *writer, struct writer_job *job); /* none may be running */
/* The job that came back, or NULL. */
struct writer_job *writer_take(struct writer *writer);
void writer_job_fini(struct writer_job *job);
