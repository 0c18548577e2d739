/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about the history: the writer thread reads the table, the answer is put together here with
 * the rows that are applied but not settled. None is settled or applied while the writer reads. Runs on
 * the owner's loop thread. */
#include "cluster/driver/driver.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define DEFAULT_TIMEOUT (30 * USEC_PER_SEC)

static bool is_private(const char *path)
{
	return str_starts(path, STORE_PRIVATE_PATH);
}

static void reading_free(struct reading *reading)
{
	list_remove(&reading->node);
	db_history_read_fini(&reading->read);
	free(reading->path);
	free(reading);
}

static void reading_answer(struct reading *reading, const struct store_history *history,
			   const struct err *err)
{
	store_history_fn fn = reading->fn;

	reading->fn = NULL;
	if (fn)
		fn(history, err, reading->ctx);
}

/* ---- the answer ---- */

/* An unsettled change of the path as a row, newest first; false at the end. *at starts at the count. */
static bool unsettled_before(const struct store *store, const char *path, size_t *at,
			     const struct settle_row **ret)
{
	while (*at > 0) {
		*ret = &store->settle.rows[--*at];
		if ((*ret)->path && str_eq((*ret)->path, path))
			return true;
	}
	return false;
}

static struct db_history_row row_of(const struct settle_row *from)
{
	struct db_history_row row = {.index = from->index,
				     .old_version = from->old_version,
				     .when = from->when,
				     .had_value = from->old != NULL,
				     .old_size = from->old_size};

	memcpy(row.who, from->who, sizeof(row.who));
	return row;
}

static uint64_t created_at(const struct store *store, const struct reading *reading)
{
	size_t at = store->settle.count;
	const struct settle_row *row;

	if (!reading->query.since_created)
		return 0;
	while (unsettled_before(store, reading->path, &at, &row))
		if (!row->old)
			return row->index;
	return reading->read.created;
}

/* The list as it grows, newest first. */
struct listing {
	const struct reading *reading;
	struct store_history_entry *entries;
	size_t count;
	bool has_more;
	uint64_t created;
	/* what the last change that was added, or left out as too new, found */
	bool is_there;
	size_t size;
};

static void listing_add(struct listing *l, const struct db_history_row *row)
{
	if (row->index < l->created)
		return;
	if (l->count == l->reading->query.limit) {
		l->has_more = true;
		return;
	}
	struct store_history_entry *e = &l->entries[l->count++];

	*e = (struct store_history_entry){.version = row->index,
					  .previous = row->had_value ? row->old_version : 0,
					  .when = row->when,
					  .kind = !l->is_there	    ? STORE_HISTORY_DELETED
						  : !row->had_value ? STORE_HISTORY_CREATED
								    : STORE_HISTORY_CHANGED,
					  .size = is_private(l->reading->path) ? 0 : l->size};
	memcpy(e->who, row->who, sizeof(e->who));
	l->is_there = row->had_value;
	l->size = row->old_size;
}

static void found_by(struct listing *l, const struct db_history_row *later)
{
	l->is_there = later->had_value;
	l->size = later->old_size;
}

static void list_unsettled(const struct store *store, struct listing *l)
{
	size_t at = store->settle.count;
	const struct settle_row *from;

	while (unsettled_before(store, l->reading->path, &at, &from)) {
		struct db_history_row row = row_of(from);

		if (row.index >= l->reading->read.before)
			found_by(l, &row);
		else
			listing_add(l, &row);
	}
}

static void answer_list(const struct store *store, struct reading *reading)
{
	struct db_history_read *read = &reading->read;
	const struct kv_item *now = kv_get(store_kv(store), reading->path);
	struct listing l = {.reading = reading,
			    .entries = xcalloc(reading->query.limit, sizeof(*l.entries)),
			    .created = created_at(store, reading),
			    .is_there = now != NULL,
			    .size = now ? now->size : 0};
	struct err none = ERR_INIT;

	list_unsettled(store, &l);
	if (read->next.index)
		found_by(&l, &read->next);
	for (size_t i = 0; i < read->count; i++)
		listing_add(&l, &read->rows[i]);
	struct store_history history = {
		.entries = l.entries, .count = l.count, .has_more = l.has_more};

	reading_answer(reading, &history, &none);
	free(l.entries);
}

static bool find_value(const struct store *store, struct reading *reading,
		       struct store_history *ret)
{
	const struct kv_item *now = kv_get(store_kv(store), reading->path);
	uint64_t version = reading->query.version;
	size_t at = store->settle.count;
	const struct settle_row *row;

	if (version < created_at(store, reading))
		return false;
	if (now && now->version == version)
		return *ret = (struct store_history){.data = now->data, .size = now->size}, true;
	while (unsettled_before(store, reading->path, &at, &row))
		if (row->old && row->old_version == version)
			return *ret = (struct store_history){.data = row->old,
							     .size = row->old_size},
			       true;
	*ret = (struct store_history){.data = buf_str(&reading->read.value),
				      .size = reading->read.value.size};
	return reading->read.has_value;
}

static void answer_value(const struct store *store, struct reading *reading)
{
	struct store_history history = {0};
	struct err err = ERR_INIT;

	if (find_value(store, reading, &history))
		reading_answer(reading, &history, &err);
	else if (err_set(&err, ERR_NOT_FOUND,
			 "'%s' has no value of version %llu, or it is no longer kept",
			 reading->path, (unsigned long long)reading->query.version))
		reading_answer(reading, NULL, &err);
}

void store_reading_ended(struct store *store)
{
	struct reading *reading = TAKE(store->reading);

	if (store->job.result < 0)
		reading_answer(reading, NULL, &store->job.err);
	else if (reading->wants_value)
		answer_value(store, reading);
	else
		answer_list(store, reading);
	reading_free(reading);
}

/* ---- the way there ---- */

bool store_reading_start(struct store *store)
{
	if (list_is_empty(&store->readings))
		return false;
	struct reading *reading = CONTAINER_OF(store->readings.next, struct reading, node);

	list_remove(&reading->node);
	store->reading_count--;
	store->reading = reading;
	store->job = (struct writer_job){.kind = WRITER_READ, .read = &reading->read};
	store->is_busy = store->has_read = true;
	writer_start(store->writer, &store->job);
	return true;
}

static void reading_fail_waiting(struct store *store, struct reading *reading,
				 const struct err *why)
{
	list_remove(&reading->node);
	store->reading_count--;
	reading_answer(reading, NULL, why);
	reading_free(reading);
}

/* Only the first that is found at a time: a callback may ask again. */
static struct reading *find_expired(const struct store *store, usec_t now)
{
	LIST_FOREACH (&store->readings, reading, struct reading, node)
		if (reading->deadline <= now)
			return reading;
	return NULL;
}

void store_readings_expire(struct store *store, usec_t now)
{
	struct err late = ERR_INIT;
	struct reading *reading;

	err_set(&late, ERR_TIMEOUT, "the store did not read its history in time");
	while ((reading = find_expired(store, now)))
		reading_fail_waiting(store, reading, &late);
	if (store->reading && store->reading->deadline <= now)
		reading_answer(store->reading, NULL, &late);
}

usec_t store_readings_earliest(const struct store *store, usec_t so_far)
{
	LIST_FOREACH (&store->readings, reading, struct reading, node)
		if (so_far == 0 || reading->deadline < so_far)
			so_far = reading->deadline;
	if (store->reading && store->reading->fn &&
	    (so_far == 0 || store->reading->deadline < so_far))
		so_far = store->reading->deadline;
	return so_far;
}

void store_readings_fail(struct store *store, const struct err *why)
{
	store->is_closed = true; /* callbacks ask in vain */
	while (!list_is_empty(&store->readings))
		reading_fail_waiting(store,
				     CONTAINER_OF(store->readings.next, struct reading, node), why);
	if (store->reading)
		reading_answer(store->reading, NULL, why);
}

void store_reading_forget(struct store *store)
{
	if (store->reading)
		reading_free(TAKE(store->reading));
}

static int query_check(const struct store *store, const struct store_history_query *query,
		       bool wants_value, struct err *err)
{
	if (!query->path || !store_path_is_valid(query->path))
		return err_field(err, "path", "is not a path of the store");
	if (wants_value && is_private(query->path))
		return err_set(err, ERR_DENIED,
			       "values below " STORE_PRIVATE_PATH " are never given out");
	if (wants_value && query->version == 0)
		return err_field(err, "version", "must be at least 1");
	if (!wants_value && (query->limit == 0 || query->limit > STORE_HISTORY_MAX))
		return err_field(err, "limit", "must be from 1 to %d", STORE_HISTORY_MAX);
	if (store->is_closed)
		return err_set(err, ERR_UNAVAILABLE, "the node is stopping");
	if (store->reading_count >= STORE_READS_MAX)
		return err_set(err, ERR_BUSY, "too many reads of the history wait; try again");
	return 0;
}

static int ask(struct store *store, const struct store_history_query *query, bool wants_value,
	       store_history_fn fn, struct err *err, void *ctx)
{
	int r = query_check(store, query, wants_value, err);

	if (r < 0)
		return r;
	struct reading *reading = xcalloc(1, sizeof(*reading));

	reading->path = xstrdup(query->path);
	reading->query = *query;
	reading->query.path = reading->path;
	reading->wants_value = wants_value;
	reading->deadline = query->deadline ? query->deadline : clock_monotonic() + DEFAULT_TIMEOUT;
	reading->fn = fn;
	reading->ctx = ctx;
	reading->read = (struct db_history_read){
		.path = reading->path,
		.before = query->before ? query->before : UINT64_MAX,
		.limit =
			wants_value ? 0 : query->limit + 1, /* one more tells that there are more */
		.version = query->version,
		.wants_creation = query->since_created};
	list_append(&store->readings, &reading->node);
	store->reading_count++;
	store_wake(store);
	return 0;
}

int store_history_list(struct store *store, const struct store_history_query *query,
		       store_history_fn fn, void *ctx, struct err *err)
{
	return ask(store, query, false, fn, err, ctx);
}

int store_history_value(struct store *store, const struct store_history_query *query,
			store_history_fn fn, void *ctx, struct err *err)
{
	return ask(store, query, true, fn, err, ctx);
}
