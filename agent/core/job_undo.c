/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undoing what jobs left that died, or that could not put everything back themselves. An undo that dies is run again at
 * once, a few times. After that, or when it fails or cannot be started, it is tried again less and less often and without
 * end: what it needs (a storage, a quorum, memory) may be back by then. Runs on the core's loop. */
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs_internal.h"

#define DEATHS_MAX 3
#define TRIES_MAX  8		      /* what is counted */
#define FIRST_WAIT (1 * USEC_PER_SEC) /* and five times as long before each further try */
#define WAIT_GROWS 5
#define LAST_WAIT  (1800 * USEC_PER_SEC)

struct undo_retry {
	struct list link;
	struct jobs *jobs;
	sd_event_source *timer;
	char serial[JOB_SERIAL_SIZE];
	unsigned guest, try;
};

static void start_undo(struct jobs *jobs, const char *serial, unsigned try);

static void retry_free(struct undo_retry *retry)
{
	list_remove(&retry->link);
	sd_event_source_disable_unref(retry->timer);
	free(retry);
}

void jobs_forget_undos(struct jobs *jobs)
{
	LIST_FOREACH (&jobs->undo_retries, retry, struct undo_retry, link) {
		retry_free(retry);
	}
}

static int on_retry_time(sd_event_source *source, uint64_t now, void *ctx)
{
	struct undo_retry retry = *(struct undo_retry *)ctx;

	(void)source;
	(void)now;
	retry_free(ctx);
	start_undo(retry.jobs, retry.serial, retry.try);
	return 0;
}

static uint64_t wait_before(unsigned try)
{
	uint64_t wait = FIRST_WAIT;

	for (unsigned i = 2; i < try && wait < LAST_WAIT; i++)
		wait *= WAIT_GROWS;
	return wait < LAST_WAIT ? wait : LAST_WAIT;
}

/* try: which one it will be, 2 for the first that is put off. */
static void try_later(struct jobs *jobs, const char *serial, unsigned guest, unsigned try)
{
	struct undo_retry *retry;

	retry = xcalloc(1, sizeof(*retry));
	retry->jobs = jobs;
	retry->guest = guest;
	retry->try = try;
	str_copy(retry->serial, sizeof(retry->serial), serial);
	list_append(&jobs->undo_retries, &retry->link);
	if (sd_event_add_time_relative(jobs->event, &retry->timer, CLOCK_MONOTONIC,
				       wait_before(try), USEC_PER_SEC / 10, on_retry_time,
				       retry) < 0) {
		log_error("undo %s: no timer to try it again", serial);
		retry_free(retry);
	}
}

static bool is_put_off(const struct jobs *jobs, const char *serial)
{
	LIST_FOREACH (&jobs->undo_retries, retry, struct undo_retry, link) {
		if (str_eq(retry->serial, serial))
			return true;
	}
	return false;
}

bool jobs_guest_awaits_undo(const struct jobs *jobs, unsigned guest)
{
	LIST_FOREACH (&jobs->undo_retries, retry, struct undo_retry, link) {
		if (retry->guest == guest)
			return true;
	}
	return false;
}

static bool undo_is_running(const struct jobs *jobs, const char *serial)
{
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if (str_eq(fields_get(&job->record.args, "undo-of"), serial) ||
		    str_eq(job->record.serial, serial))
			return true;
	}
	return false;
}

static void start_undo(struct jobs *jobs, const char *serial, unsigned try)
{
	autorecord kept = {0};
	struct err err = ERR_INIT;
	char upid[UPID_MAX];
	int r;

	if (!*serial || undo_is_running(jobs, serial) || is_put_off(jobs, serial))
		return;
	if ((r = job_undo_read(serial, &kept, &err)) < 0 || !kept.undo) {
		if (r != -ERR_NOT_FOUND)
			log_error("undo %s: %s", serial, r < 0 ? err.message : "no command");
		return;
	}
	autofree char *count = xasprintf("%u", try);

	fields_set(&kept.args, "undo-of", serial);
	fields_set(&kept.args, JOB_ARG_UNDO_TRY, count);
	const struct job_spec spec = {.program = kept.program,
				      .command = kept.undo,
				      .id = kept.id,
				      .user = kept.user,
				      .guest = kept.guest,
				      .other = kept.other,
				      .args = &kept.args,
				      .fd = -1};
	if (jobs_start(jobs, &spec, upid, &err) == 0) {
		log_notice("task %s of guest %u left something: undone by %s", kept.command,
			   kept.guest, upid);
		return;
	}
	log_error("undo %s (%s): %s", serial, kept.undo, err.message);
	try_later(jobs, serial, kept.guest, try + 1);
}

void job_undo_start(struct jobs *jobs, const char *serial)
{
	start_undo(jobs, serial, 1);
}

static bool is_serial(const char *text)
{
	return text && strlen(text) == JOB_SERIAL_SIZE - 1 && !strchr(text, '/');
}

static unsigned try_of(const struct job_record *record)
{
	uint64_t try = 0;

	str_to_u64(fields_get(&record->args, JOB_ARG_UNDO_TRY) ?: "0", &try);
	return try > TRIES_MAX ? TRIES_MAX : (unsigned)try;
}

void job_undo_dead(struct jobs *jobs, const struct job_record *record)
{
	const char *undo_of = fields_get(&record->args, JOB_ARG_UNDO_OF);
	unsigned try = try_of(record);

	if (jobs->is_undo_deferred)
		return;
	if (record->undo)
		job_undo_start(jobs, record->serial);
	if (is_serial(undo_of) && try < DEATHS_MAX)
		start_undo(jobs, undo_of, try + 1);
	else if (is_serial(undo_of))
		try_later(jobs, undo_of, record->guest, try + 1);
}

void job_undo_settle(struct jobs *jobs, const struct job_record *record, const char *text)
{
	const char *undo_of = fields_get(&record->args, JOB_ARG_UNDO_OF);
	bool is_done = str_eq(text, "OK") || str_starts(text, "WARNINGS");

	if (record->undo && record->serial[0])
		job_undo_drop(record->serial);
	if (!is_serial(undo_of))
		return;
	if (is_done)
		job_undo_drop(undo_of);
	else if (!jobs->is_undo_deferred)
		try_later(jobs, undo_of, record->guest, try_of(record) + 1);
}
