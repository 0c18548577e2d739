/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proposals: from submission through the writer thread to their answer. A batch is what gathered while
 * the writer was busy; it becomes one transaction and one sync. */
#include "cluster/db/store_internal.h"

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define DEFAULT_TIMEOUT (30 * USEC_PER_SEC)
#define SETTLE_MANY	2048 /* rows after which settling no longer waits for a pause */

static void proposal_free(struct proposal *p)
{
	list_remove(&p->node);
	buf_fini(&p->payload);
	buf_fini(&p->encoded);
	free(p);
}

static void proposal_answer(struct proposal *p, const struct store_result *result)
{
	store_done_fn done = p->done;

	p->done = NULL;
	if (done)
		done(result, p->ctx);
}

void store_fail_all(struct list *proposals, enum store_outcome outcome, const struct err *why)
{
	struct store_result result = {.outcome = outcome, .err = *why};

	while (!list_is_empty(proposals)) {
		struct proposal *p = CONTAINER_OF(proposals->next, struct proposal, node);

		list_remove(&p->node); /* first: the callback may make a batch of those that wait */
		proposal_answer(p, &result);
		proposal_free(p);
	}
}

void store_answer_all(struct list *proposals, enum store_outcome outcome, const struct err *why)
{
	struct store_result result = {.outcome = outcome, .err = *why};

	LIST_FOREACH (proposals, p, struct proposal, node)
		proposal_answer(p, &result);
}

void store_forget_all(struct list *proposals)
{
	LIST_FOREACH (proposals, p, struct proposal, node)
		proposal_free(p);
}

static void make_entry(struct store *store, struct proposal *p)
{
	struct entry *e = &p->entry;

	*e = (struct entry){.at = {.epoch = store->start.epoch, .index = store->last.index + 1},
			    .previous = store->last,
			    .kind = ENTRY_TXN,
			    .first = store->applied,
			    .when = clock_wall(),
			    .payload = p->payload.data,
			    .payload_size = p->payload.size};
	memcpy(e->origin, store->node, sizeof(e->origin));
	memcpy(e->who, p->who, sizeof(e->who));
	entry_encode(e, store->last_hash, &p->encoded);
	store->last = e->at;
	memcpy(store->last_hash, e->hash, SHA256_SIZE);
}

/* Everything that gathered becomes one batch and one sync. */
static void start_append(struct store *store)
{
	size_t n = 0;

	memcpy(store->hash_before_batch, store->last_hash, SHA256_SIZE);
	LIST_FOREACH (&store->waiting, p, struct proposal, node) {
		if (n == STORE_BATCH_MAX)
			break;
		list_remove(&p->node);
		list_append(&store->batch, &p->node);
		make_entry(store, p);
		store->rows[n++] = (struct db_row){
			.at = p->entry.at, .data = p->encoded.data, .size = p->encoded.size};
	}
	store->append =
		(struct writer_job){.kind = WRITER_APPEND, .rows = store->rows, .row_count = n};
	store->is_busy = true;
	writer_start(store->writer, &store->append);
}

static void start_settle(struct store *store)
{
	store->settling = (struct writer_job){.kind = WRITER_SETTLE, .settle = store->settle};
	store->settle = (struct settle){.applied = store->applied};
	store->is_busy = true;
	writer_start(store->writer, &store->settling);
}

void store_pump(struct store *store)
{
	bool has_work = !list_is_empty(&store->waiting);
	bool may_settle = store->settle.count > 0 && !store->settle_waits;
	bool is_writes_turn = store->has_read && has_work && !store->read_only;

	if (store->is_busy || (!is_writes_turn && store_reading_start(store)) || store->read_only)
		return;
	store->has_read = false;
	if (may_settle && (!has_work || store->settle.count > SETTLE_MANY))
		start_settle(store);
	else if (has_work)
		start_append(store);
}

static bool is_zero_id(const struct store_request_id *id)
{
	static const struct store_request_id zero;

	return memcmp(id, &zero, sizeof(zero)) == 0;
}

int store_submit(struct store *store, const struct store_txn *txn, store_done_fn done, void *ctx,
		 struct err *err)
{
	struct store_txn copy = *txn;
	struct proposal *p;
	int r = txn_check(txn, err);

	if (r < 0)
		return r;
	if (store->read_only)
		return err_set(err, ERR_UNAVAILABLE, "%s", store->read_only);
	if (is_zero_id(&copy.id))
		random_bytes(copy.id.bytes, sizeof(copy.id.bytes));
	p = xcalloc(1, sizeof(*p));
	list_init(&p->node);
	txn_encode(&copy, &p->payload);
	str_copy(p->who, sizeof(p->who), txn->who ? txn->who : "");
	p->deadline = txn->deadline ? txn->deadline : clock_monotonic() + DEFAULT_TIMEOUT;
	p->done = done;
	p->ctx = ctx;
	list_append(&store->waiting, &p->node);
	if (store->next_deadline == 0 || p->deadline < store->next_deadline)
		store_timer_set(store, p->deadline);
	store_pump(store);
	return 0;
}

/* ---- deadlines ---- */

void store_timer_set(struct store *store, usec_t at)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(at / USEC_PER_SEC),
					       .tv_nsec = (long)(at % USEC_PER_SEC) * 1000}};

	store->next_deadline = at;
	timerfd_settime(store->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static usec_t earliest(const struct list *proposals, usec_t so_far)
{
	LIST_FOREACH (proposals, p, struct proposal, node)
		if (p->done && (so_far == 0 || p->deadline < so_far))
			so_far = p->deadline;
	return so_far;
}

/* Not handed to the writer: certainly not done. Handed over: its outcome comes too late to tell. */
static void expire(struct store *store, usec_t now)
{
	struct store_result late = {.outcome = STORE_UNKNOWN};
	struct list expired;
	struct err err = ERR_INIT;

	list_init(&expired);
	LIST_FOREACH (&store->waiting, p, struct proposal, node) {
		if (p->deadline > now)
			continue;
		list_remove(&p->node);
		list_append(&expired, &p->node);
	}
	err_set(&err, ERR_TIMEOUT, "the store did not get to this change in time; it was not made");
	store_fail_all(&expired, STORE_NOT_SENT, &err);
	err_set(&late.err, ERR_UNKNOWN, "the disk did not confirm in time; the outcome is unknown");
	LIST_FOREACH (&store->batch, p, struct proposal, node)
		if (p->deadline <= now)
			proposal_answer(p, &late);
}

static void deadlines_check(struct store *store)
{
	uint64_t fired;

	if (read(store->timer_fd, &fired, sizeof(fired)) != sizeof(fired))
		return;
	expire(store, clock_monotonic());
	store_readings_expire(store, clock_monotonic());
	store_timer_set(store,
			store_readings_earliest(
				store, earliest(&store->batch, earliest(&store->waiting, 0))));
}

/* ---- completions ---- */

static void become_read_only(struct store *store, const char *why)
{
	if (store->read_only)
		return;
	store->read_only = xasprintf("the store is read-only: %s", why);
	log_error("%s", store->read_only);
}

/* After a failed sync the kernel may have dropped the pages: nothing that this machine says about
 * the file can be trusted until it was rebooted. The marker lies on a tmpfs. */
static void remember_failed_sync(const char *why)
{
	autofree char *path = path_join(path_run(), "%s", STORE_FAILED_MARKER);
	struct err err = ERR_INIT;

	if (file_write_atomic(path, why, strlen(why), 0600, &err) < 0)
		log_error("remember the failed write: %s", err.message);
}

static void batch_failed(struct store *store, const struct err *why)
{
	struct proposal *first = CONTAINER_OF(store->batch.next, struct proposal, node);
	bool is_certain = why->code == ERR_NO_SPACE;

	if (is_certain) {
		/* rolled back: the log ends where it ended before */
		store->last = first->entry.previous;
		memcpy(store->last_hash, store->hash_before_batch, SHA256_SIZE);
	} else {
		become_read_only(store, why->message);
		remember_failed_sync(why->message);
	}
	store_fail_all(&store->batch, is_certain ? STORE_NOT_SENT : STORE_UNKNOWN, why);
	if (store->read_only)
		store_fail_all(&store->waiting, STORE_NOT_SENT, why);
}

static void batch_persisted(struct store *store)
{
	store->settle_waits = false;
	LIST_FOREACH (&store->batch, p, struct proposal, node) {
		struct store_result result;
		struct err err = ERR_INIT;

		if (store_apply(store, &p->entry, false, &result, &err) < 0) {
			/* we encoded it ourselves a moment ago */
			become_read_only(store, err.message);
			result = (struct store_result){.outcome = STORE_UNKNOWN, .err = err};
		}
		proposal_answer(p, &result);
		proposal_free(p);
	}
}

/* The log has it all, and is only trimmed together with these rows: none may be left out when later
 * ones are settled. A full disk may heal; anything else ends the writing. */
static void settle_failed(struct store *store, struct writer_job *job)
{
	log_error("settle the store: %s", job->err.message);
	if (job->err.code == ERR_NO_SPACE) {
		settle_prepend(&store->settle, &job->settle);
		store->settle_waits = true;
		return;
	}
	become_read_only(store, job->err.message);
	remember_failed_sync(job->err.message);
	store_fail_all(&store->waiting, STORE_NOT_SENT, &job->err);
}

static void settled(struct store *store, struct writer_job *job)
{
	if (job->result < 0)
		settle_failed(store, job);
	settle_fini(&job->settle);
}

void store_dispatch(struct store *store)
{
	struct writer_job *job = writer_take(store->writer);

	if (job) {
		if (job->kind == WRITER_READ)
			store_reading_ended(store);
		else if (job->kind == WRITER_SETTLE)
			settled(store, job);
		else if (job->result < 0)
			batch_failed(store, &job->err);
		else
			batch_persisted(store);
		/* only now: callbacks submit, and a batch must not start while this one is walked */
		store->is_busy = false;
	}
	deadlines_check(store);
	store_pump(store);
}
