/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of a node alone: one voter. A submitted transaction becomes a log entry, is synced by the
 * writer thread together with all that gathered meanwhile, is applied, and then answered.
 * Everything here runs on the owner's loop thread. */
#include "cluster/store.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "agent/base/fd.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "cluster/db/writer.h"

#define DEFAULT_TIMEOUT (30 * USEC_PER_SEC)
#define CLOSE_TIMEOUT	(5 * USEC_PER_SEC)
#define BATCH_MAX	1024
#define SETTLE_MANY	2048 /* rows after which settling no longer waits for a pause */
#define FAILED_MARKER	"store-failed"

/* A transaction on its way. */
struct proposal {
	struct list node;
	struct buf payload;
	char who[STORE_WHO_MAX];
	usec_t deadline;
	store_done_fn done; /* NULL once it was answered */
	void *ctx;
	/* set when it becomes an entry */
	struct entry entry;
	struct buf encoded;
};

struct store_subscription {
	struct list node;
	char *prefix;
	store_change_fn fn;
	void *ctx;
};

struct store {
	struct db *db;
	struct writer *writer;
	struct kv *kv;
	struct db_start start;
	char node[64];
	struct position last;
	uint8_t last_hash[SHA256_SIZE];
	uint8_t hash_before_batch[SHA256_SIZE];
	uint64_t applied;
	struct list waiting; /* proposals not yet handed to the writer */
	struct list batch;   /* proposals that the writer holds */
	struct db_row rows[BATCH_MAX];
	struct writer_job append, settling;
	bool is_busy;	      /* the writer holds a job */
	struct settle settle; /* applied, not yet settled */
	struct list subscriptions;
	char *read_only;
	int epoll_fd; /* what the owner polls: the writer's completions and the timer */
	int timer_fd;
	usec_t next_deadline; /* earliest of a proposal, what the timer is set to; 0: none */
};

/* ---- applying ---- */

static void notify(struct store *store, const struct kv_change *change, const char *who)
{
	struct store_change c = {
		.kind = change->now ? STORE_CHANGE_PUT : STORE_CHANGE_DELETE,
		.value = {.path = change->path,
			  .data = change->now ? change->now->data : NULL,
			  .size = change->now ? change->now->size : 0,
			  .version = change->now ? change->now->version : store->applied},
		.who = who};

	LIST_FOREACH(&store->subscriptions, s, struct store_subscription, node)
		if (str_starts(change->path, s->prefix))
			s->fn(&c, s->ctx);
}

struct applying {
	struct store *store;
	const struct entry *entry;
	bool is_replay;
};

static void applied_change(const struct kv_change *change, void *ctx)
{
	struct applying *a = ctx;
	struct settle_row *row = settle_add(&a->store->settle);

	row->path = xstrdup(change->path);
	if (change->now) {
		row->value = xmemdup(change->now->data, change->now->size + 1);
		row->size = change->now->size;
		row->version = change->now->version;
	}
	if (change->before) {
		row->old = xmemdup(change->before->data, change->before->size + 1);
		row->old_size = change->before->size;
		row->old_version = change->before->version;
	}
	row->index = a->entry->at.index;
	row->when = a->entry->when;
	memcpy(row->who, a->entry->who, sizeof(row->who));
	if (!a->is_replay)
		notify(a->store, change, a->entry->who);
}

static int apply(struct store *store, const struct entry *entry, bool is_replay,
		 struct store_result *ret, struct err *err)
{
	struct applying ctx = {.store = store, .entry = entry, .is_replay = is_replay};
	uint8_t hash[SHA256_SIZE];
	struct kv_request request;
	bool is_repeat = false;
	struct txn txn;
	int r = 0;

	*ret = (struct store_result){.outcome = STORE_DONE, .version = entry->at.index};
	store->applied = entry->at.index;
	store->settle.applied = entry->at.index;
	if (entry->kind == ENTRY_BARRIER)
		return 0;
	r = txn_decode(entry->payload, entry->payload_size, &txn, err);
	if (r < 0)
		return err_prefix(err, "log entry %llu", (unsigned long long) entry->at.index);
	digest_sha256(entry->payload, entry->payload_size, hash);
	kv_apply(store->kv, entry->at.index, &txn, hash, applied_change, &ctx, ret, &request, &is_repeat);
	if (!is_repeat)
		settle_add(&store->settle)->request = request;
	txn_fini(&txn);
	return 0;
}

/* ---- proposals ---- */

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

static void fail_all(struct list *proposals, enum store_outcome outcome, const struct err *why)
{
	struct store_result result = {.outcome = outcome, .err = *why};

	LIST_FOREACH(proposals, p, struct proposal, node) {
		proposal_answer(p, &result);
		proposal_free(p);
	}
}

static void make_entry(struct store *store, struct proposal *p)
{
	struct entry *e = &p->entry;

	*e = (struct entry){.at = {.epoch = store->start.epoch, .index = store->last.index + 1},
			    .previous = store->last,
			    .kind = ENTRY_TXN,
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
	LIST_FOREACH(&store->waiting, p, struct proposal, node) {
		if (n == BATCH_MAX)
			break;
		list_remove(&p->node);
		list_append(&store->batch, &p->node);
		make_entry(store, p);
		store->rows[n++] = (struct db_row){
			.at = p->entry.at, .data = p->encoded.data, .size = p->encoded.size};
	}
	store->append = (struct writer_job){.kind = WRITER_APPEND, .rows = store->rows, .row_count = n};
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

static void pump(struct store *store)
{
	bool has_work = !list_is_empty(&store->waiting) && !store->read_only;

	if (store->is_busy)
		return;
	if (store->settle.count > 0 && (!has_work || store->settle.count > SETTLE_MANY))
		start_settle(store);
	else if (has_work)
		start_append(store);
}

/* ---- deadlines ---- */

static void timer_set(struct store *store, usec_t at)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t) (at / USEC_PER_SEC),
					       .tv_nsec = (long) (at % USEC_PER_SEC) * 1000}};

	store->next_deadline = at;
	timerfd_settime(store->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static usec_t earliest(const struct list *proposals, usec_t so_far)
{
	LIST_FOREACH(proposals, p, struct proposal, node)
		if (p->done && (so_far == 0 || p->deadline < so_far))
			so_far = p->deadline;
	return so_far;
}

/* Not handed to the writer: certainly not done. Handed over: its outcome comes too late to tell. */
static void expire(struct store *store, usec_t now)
{
	struct store_result late = {.outcome = STORE_NOT_SENT};

	err_set(&late.err, ERR_TIMEOUT, "the store did not get to this change in time; it was not made");
	LIST_FOREACH(&store->waiting, p, struct proposal, node) {
		if (p->deadline > now)
			continue;
		proposal_answer(p, &late);
		proposal_free(p);
	}
	late.outcome = STORE_UNKNOWN;
	err_set(&late.err, ERR_UNKNOWN, "the disk did not confirm in time; the outcome is unknown");
	LIST_FOREACH(&store->batch, p, struct proposal, node)
		if (p->deadline <= now)
			proposal_answer(p, &late);
}

static void deadlines_check(struct store *store)
{
	uint64_t fired;

	if (read(store->timer_fd, &fired, sizeof(fired)) != sizeof(fired))
		return;
	expire(store, clock_monotonic());
	timer_set(store, earliest(&store->batch, earliest(&store->waiting, 0)));
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
	autofree char *path = path_join(path_run(), "%s", FAILED_MARKER);
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
	fail_all(&store->batch, is_certain ? STORE_NOT_SENT : STORE_UNKNOWN, why);
	if (store->read_only)
		fail_all(&store->waiting, STORE_NOT_SENT, why);
}

static void batch_persisted(struct store *store)
{
	LIST_FOREACH(&store->batch, p, struct proposal, node) {
		struct store_result result;
		struct err err = ERR_INIT;

		if (apply(store, &p->entry, false, &result, &err) < 0) {
			/* we encoded it ourselves a moment ago */
			become_read_only(store, err.message);
			result = (struct store_result){.outcome = STORE_UNKNOWN, .err = err};
		}
		proposal_answer(p, &result);
		proposal_free(p);
	}
}

static void settled(struct store *store, struct writer_job *job)
{
	if (job->result < 0) {
		/* the log still has it all; a full disk may heal, so try again with the next rows */
		log_error("settle the store: %s", job->err.message);
		if (job->err.code != ERR_NO_SPACE)
			become_read_only(store, job->err.message);
	}
	settle_fini(&job->settle);
}

void store_dispatch(struct store *store)
{
	struct writer_job *job = writer_take(store->writer);

	if (job) {
		if (job->kind == WRITER_SETTLE)
			settled(store, job);
		else if (job->result < 0)
			batch_failed(store, &job->err);
		else
			batch_persisted(store);
		/* only now: callbacks submit, and a batch must not start while this one is walked */
		store->is_busy = false;
	}
	deadlines_check(store);
	pump(store);
}

/* ---- opening and closing ---- */

static int replayed(const struct entry *entry, void *ctx, struct err *err)
{
	struct store_result ignored;

	return apply(ctx, entry, true, &ignored, err);
}

static int refuse_after_failed_sync(struct err *err)
{
	autofree char *path = path_join(path_run(), "%s", FAILED_MARKER);

	if (access(path, F_OK) == 0)
		return err_set(err, ERR_IO,
			       "a write to the store failed earlier; check the disk and reboot this "
			       "machine (or remove %s, at the risk of losing acknowledged changes)",
			       path);
	return 0;
}

static int poll_setup(struct store *store, struct err *err)
{
	struct epoll_event on = {.events = EPOLLIN};

	store->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	store->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (store->epoll_fd < 0 || store->timer_fd < 0 ||
	    epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, writer_fd(store->writer), &on) < 0 ||
	    epoll_ctl(store->epoll_fd, EPOLL_CTL_ADD, store->timer_fd, &on) < 0)
		return err_errno(err, errno, "watch the writer thread");
	return 0;
}

static int open_steps(struct store *store, const struct store_options *options, struct err *err)
{
	int r;

	if ((r = refuse_after_failed_sync(err)) < 0 ||
	    (r = db_open(options->directory, &store->db, &store->start, err)) < 0 ||
	    (r = db_load(store->db, store->kv, err)) < 0)
		return r;
	store->last = store->start.last;
	memcpy(store->last_hash, store->start.last_hash, SHA256_SIZE);
	store->applied = store->settle.applied = store->start.applied;
	r = db_replay(store->db, store->start.applied, replayed, store, err);
	if (r < 0 || (r = writer_new(store->db, &store->writer, err)) < 0)
		return r;
	return poll_setup(store, err);
}

static void store_free(struct store *store)
{
	writer_free(store->writer);
	db_close(store->db);
	kv_free(store->kv);
	settle_fini(&store->settle);
	LIST_FOREACH(&store->subscriptions, s, struct store_subscription, node)
		store_unsubscribe(s);
	closep(&store->epoll_fd);
	closep(&store->timer_fd);
	free(store->read_only);
	free(store);
}

int store_open(const struct store_options *options, struct store **ret, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	int r;

	list_init(&store->waiting);
	list_init(&store->batch);
	list_init(&store->subscriptions);
	store->epoll_fd = store->timer_fd = -1;
	store->kv = kv_new();
	str_copy(store->node, sizeof(store->node), options->node);
	r = open_steps(store, options, err);
	if (r < 0) {
		store_free(store);
		return err_prefix(err, "store");
	}
	pump(store);
	*ret = store;
	return 0;
}

static void drain(struct store *store)
{
	usec_t deadline = clock_monotonic() + CLOSE_TIMEOUT;

	pump(store);
	while (store->is_busy && clock_left_ms(deadline) > 0) {
		struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

		poll(&p, 1, clock_left_ms(deadline));
		store_dispatch(store);
	}
}

void store_close(struct store *store)
{
	struct err err = ERR_INIT;

	if (!store)
		return;
	drain(store);
	err_set(&err, ERR_UNKNOWN, "the node is stopping");
	fail_all(&store->batch, STORE_UNKNOWN, &err);
	fail_all(&store->waiting, STORE_NOT_SENT, &err);
	store_free(store);
}

/* ---- the public face ---- */

int store_fd(const struct store *store)
{
	return store->epoll_fd;
}

const struct store_identity *store_identity(const struct store *store)
{
	return &store->start.identity;
}

const char *store_read_only_reason(const struct store *store)
{
	return store->read_only;
}

uint64_t store_applied(const struct store *store)
{
	return store->applied;
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
		timer_set(store, p->deadline);
	pump(store);
	return 0;
}

bool store_get(const struct store *store, const char *path, struct store_value *ret)
{
	const struct kv_item *item = kv_get(store->kv, path);

	if (!item)
		return false;
	*ret = (struct store_value){
		.path = path, .data = item->data, .size = item->size, .version = item->version};
	return true;
}

bool store_next(const struct store *store, const char *prefix, const char *after,
		struct store_value *ret)
{
	const char *path;
	const struct kv_item *item = kv_next(store->kv, prefix, after, &path);

	if (!item)
		return false;
	*ret = (struct store_value){
		.path = path, .data = item->data, .size = item->size, .version = item->version};
	return true;
}

struct store_subscription *store_subscribe(struct store *store, const char *prefix,
					   store_change_fn fn, void *ctx)
{
	struct store_subscription *s = xcalloc(1, sizeof(*s));

	s->prefix = xstrdup(prefix);
	s->fn = fn;
	s->ctx = ctx;
	list_append(&store->subscriptions, &s->node);
	return s;
}

void store_unsubscribe(struct store_subscription *s)
{
	if (!s)
		return;
	list_remove(&s->node);
	free(s->prefix);
	free(s);
}
