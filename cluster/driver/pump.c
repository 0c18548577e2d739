/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer thread does next, and what came back from it. Transactions of the replica go first, all that
 * gathered as one; settling waits for a pause, since it keeps them waiting and costs less a row the more there are; a
 * full disk is left and come back from. */
#include "cluster/driver/driver.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/base/mem.h"

#define SETTLE_MANY   4096 /* rows after which settling no longer waits for a pause */
#define SETTLE_BYTES  (8u * 1024 * 1024)
#define SETTLE_PAUSE  (50 * USEC_PER_MSEC)
#define RECOVER_EVERY (5 * USEC_PER_SEC)

void store_owe(struct store *store, struct persist *persist)
{
	if (store->persist_count == store->persist_capacity) {
		store->persist_capacity =
			store->persist_capacity ? 2 * store->persist_capacity : 16;
		store->persists = xrealloc(store->persists, store->persist_capacity,
					   sizeof(store->persists[0]));
	}
	store->persists[store->persist_count++] = persist;
}

static void drop_owed(struct store *store)
{
	for (size_t i = 0; i < store->persist_count; i++)
		persist_free(store->persists[i]);
	store->persist_count = 0;
}

/* ---- what is next ---- */

static void start_job(struct store *store, struct writer_job job)
{
	store->job = job;
	store->is_busy = true;
	writer_start(store->writer, &store->job);
}

static bool owes_snapshot(const struct store *store)
{
	for (size_t i = 0; i < store->persist_count; i++)
		if (store->persists[i]->snapshot.size > 0)
			return true;
	return false;
}

static void start_persist(struct store *store)
{
	struct writer_job job = {.kind = WRITER_PERSIST,
				 .persists = store->persists,
				 .persist_count = store->persist_count};

	store->persists = NULL;
	store->persist_count = store->persist_capacity = 0;
	store->has_read = store->settle_waits = false;
	start_job(store, job);
}

static void start_settle(struct store *store)
{
	const struct state *state = replica_state(store->replica);
	const struct kv_request *oldest = kv_request_next(state->kv, 0);
	struct writer_job job = {.kind = WRITER_SETTLE, .settle = store->settle};

	job.settle.applied = state->at.index;
	job.settle.base = replica_log(store->replica)->base.index;
	job.settle.requests_from = oldest ? oldest->index : 0;
	buf_clear(&job.settle.head); /* of an attempt that failed */
	record_head_encode(state, &job.settle.head);
	store->settle = (struct settle){0};
	store->has_read = false;
	start_job(store, job);
}

static void start_recover(struct store *store)
{
	store->recover_at = clock_monotonic() + RECOVER_EVERY;
	start_job(store, (struct writer_job){.kind = WRITER_RECOVER});
}

static bool wants_recovery(const struct store *store)
{
	return store->is_down &&
	       (!list_is_empty(&store->waiting) || clock_monotonic() >= store->recover_at);
}

static bool can_settle(const struct store *store)
{
	bool has_rows = store->settle.count > 0 ||
			store->settled != replica_state(store->replica)->at.index;

	return has_rows && !store->settle_waits && !store->read_only;
}

/* The pause has lasted. */
static bool is_pause(const struct store *store)
{
	return store->persist_count == 0 &&
	       (store->is_closing || clock_monotonic() >= store->settle_at);
}

/* What was applied before a snapshot must not be settled after it. */
static bool is_settle_due(const struct store *store)
{
	return is_pause(store) || store->settle.count > SETTLE_MANY ||
	       store->settle.bytes > SETTLE_BYTES || owes_snapshot(store);
}

usec_t store_settle_deadline(const struct store *store)
{
	return can_settle(store) && !store->is_busy ? store->settle_at : 0;
}

void store_pump(struct store *store)
{
	bool has_writes = store->persist_count > 0;

	if (store->is_busy)
		return;
	if (wants_recovery(store)) {
		start_recover(store);
		return;
	}
	if (!(store->has_read && has_writes) && store_reading_start(store))
		return;
	if (can_settle(store) && is_settle_due(store))
		start_settle(store);
	else if (has_writes)
		start_persist(store);
}

/* ---- what came back ---- */

static void fail_disk(struct store *store, uint64_t ticket, bool is_full)
{
	struct event failed = {.type = EV_PERSIST_FAILED,
			       .failed = {.ticket = ticket, .is_full = is_full}};

	store->is_down = is_full;
	store_step(store, &failed);
}

static void persisted(struct store *store, struct writer_job *job)
{
	uint64_t ticket = job->persists[job->persist_count - 1]->ticket;
	struct event done = {.type = EV_PERSISTED, .persisted = ticket};

	store->settle_at = clock_monotonic() + SETTLE_PAUSE;
	if (job->result == 0) {
		store->has_started = true;
		store_step(store, &done);
		return;
	}
	log_error("write to the store: %s", job->err.message);
	fail_disk(store, ticket, job->result == -ERR_NO_SPACE);
}

/* The log has it all, and is only trimmed together with these rows: none may be left out when later ones are settled.
 * A full disk may heal; anything else ends the writing. */
static void settled(struct store *store, struct writer_job *job)
{
	if (job->result == 0) {
		store->settled = job->settle.applied;
		return;
	}
	log_error("settle the store: %s", job->err.message);
	settle_prepend(&store->settle, &job->settle);
	if (job->result == -ERR_NO_SPACE)
		store->settle_waits = true;
	else
		fail_disk(store, 0, false);
}

static void read_back(struct store *store, struct writer_job *job)
{
	(void)job;
	store_reading_ended(store);
}

/* The state of the stopped replica goes on: it holds only what is on the disk. */
static void restart(struct store *store, struct replica_disk *disk)
{
	disk->state = replica_end(TAKE(store->replica));
	drop_owed(store);
	free(TAKE(store->read_only));
	store->is_down = false;
	store_start(store, disk);
	store_group_join(store);
	log_notice("the store can be written again");
}

static void recovered(struct store *store, struct writer_job *job)
{
	if (job->result == 0) {
		restart(store, &job->disk);
		return;
	}
	if (job->result != -ERR_NO_SPACE) {
		store->is_down = false;
		free(TAKE(store->read_only)); /* it is worse than that */
		store_become_read_only(store, job->err.message);
	}
	store_fail_waiting(store, &job->err);
}

static void (*const takers[])(struct store *store, struct writer_job *job) = {
	[WRITER_PERSIST] = persisted,
	[WRITER_SETTLE] = settled,
	[WRITER_READ] = read_back,
	[WRITER_RECOVER] = recovered,
};

void store_written(struct store *store)
{
	struct writer_job *job = writer_take(store->writer);

	if (!job)
		return;
	takers[job->kind](store, job);
	writer_job_fini(job);
	store->is_busy =
		false; /* only now: the callbacks may ask, and what the job holds was borrowed */
}

/* ---- the end of a replica ---- */

void store_become_read_only(struct store *store, const char *why)
{
	if (store->read_only)
		return;
	store->read_only = xasprintf("the store is read-only: %s", why);
	log_error("%s", store->read_only);
}

void store_leave(struct store *store, const char *why)
{
	struct err err = ERR_INIT;

	/* a disk that has only fallen far behind is waited for */
	store->is_down = store->is_down || (!store->read_only && store->persist_count > 0);
	store_become_read_only(store, why);
	store_group_leave(store);
	drop_owed(store);
	store->recover_at = clock_monotonic() + RECOVER_EVERY;
	err_set(&err, store->is_down ? ERR_NO_SPACE : ERR_UNAVAILABLE, "%s", store->read_only);
	store_fail_waiting(store, &err);
}
