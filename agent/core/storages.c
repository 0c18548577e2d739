/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storage definitions by subscription, capacities by helper processes. Runs on the core's loop; a
 * storage that hangs holds one helper at most, and its callers get the last known figures. */
#include "agent/core/storages.h"

#include <json-c/json.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/core.h"

#define CFG_PATH       "/storage.cfg"
#define FRESH	       (5 * USEC_PER_SEC)
#define HELPER_TIMEOUT (10 * USEC_PER_SEC)
#define WAIT_MAX       (1500 * USEC_PER_MSEC) /* of a caller; a synchronous GET has two seconds */
#define AFTER_HANG     (60 * USEC_PER_SEC)    /* the next question after one that timed out */
#define REFRESH_EVERY  (60 * USEC_PER_SEC)
#define ANSWER_MAX     4096

typedef void (*status_fn)(const struct storage_status *status, void *ctx);

struct waiter {
	struct list link;
	status_fn done;
	void *ctx;
};

struct volume_store {
	struct storages *owner;
	char *id;
	struct buf definition; /* encoded: what status and helper are about */
	struct storage_status status;
	struct helper *helper;
	usec_t not_before;
	struct list waiters;
	sd_event_source *wait_timer;
};

struct storages {
	struct core *core;
	struct store_subscription *subscription;
	struct storage_cfg config;
	struct map *entries; /* id -> volume_store */
	sd_event_source *timer;
};

static void drop_source(sd_event_source **source)
{
	if (*source)
		sd_event_source_disable_unref(*source);
	*source = NULL;
}

static void answer_waiters(struct volume_store *v)
{
	struct list waiting;

	drop_source(&v->wait_timer);
	/* Callbacks may ask again: they join a new list. */
	list_init(&waiting);
	LIST_FOREACH (&v->waiters, w, struct waiter, link) {
		list_remove(&w->link);
		list_append(&waiting, &w->link);
	}
	const struct storage_status status = v->status;
	LIST_FOREACH (&waiting, w, struct waiter, link) {
		list_remove(&w->link);
		w->done(&status, w->ctx);
		free(w);
	}
}

static void entry_free(void *p)
{
	struct volume_store *v = p;

	if (v->helper)
		helper_cancel(v->helper);
	v->status.is_active = false;
	answer_waiters(v);
	buf_fini(&v->definition);
	free(v->id);
	free(v);
}

static bool number_of(struct json_object *object, const char *key, uint64_t *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    json_object_get_type(value) != json_type_int || json_object_get_int64(value) < 0)
		return false;
	*ret = json_object_get_uint64(value);
	return true;
}

static int parse_answer(struct buf *output, struct storage_status *ret, struct err *err)
{
	struct json_object *object = NULL;
	uint64_t active = 1;
	int r = json_parse(buf_str(output), output->size, ANSWER_MAX, &object, err);

	if (r < 0)
		return r;
	number_of(object, "active", &active);
	if (json_object_get_type(object) != json_type_object ||
	    !number_of(object, "total", &ret->total) || !number_of(object, "used", &ret->used) ||
	    !number_of(object, "avail", &ret->available))
		r = err_set(err, ERR_CORRUPT, "bad answer of the storage helper");
	ret->is_active = active != 0;
	json_object_put(object);
	return r;
}

static void on_answer(const struct err *err, struct buf *output, void *ctx)
{
	struct volume_store *v = ctx;
	struct storage_status status = {.observed = clock_monotonic()};
	struct err failure = *err;

	v->helper = NULL;
	v->not_before = status.observed + (err->code == ERR_TIMEOUT ? AFTER_HANG : FRESH);
	if (err->code == 0 && parse_answer(output, &status, &failure) == 0) {
		v->status = status;
	} else {
		if (v->status.is_active || v->status.observed == 0)
			log_warning("storage %s: %s", v->id, failure.message);
		v->status.is_active = false;
		v->status.observed = status.observed;
	}
	answer_waiters(v);
}

static int on_wait_end(sd_event_source *source, uint64_t now, void *ctx)
{
	(void)source;
	(void)now;
	answer_waiters(ctx);
	return 0;
}

static void ask(struct volume_store *v, const struct storage_def *def)
{
	struct core *core = v->owner->core;
	autofields args = FIELDS_INIT;
	struct err err = ERR_INIT;

	storage_def_encode(def, &args);
	if (helpers_run(core->helpers, "storage-status", &args, HELPER_TIMEOUT, on_answer, v,
			&v->helper, &err) == 0)
		return;
	if (v->status.is_active)
		log_warning("storage %s: %s", v->id, err.message);
	v->status.is_active = false;
	v->status.observed = clock_monotonic();
	v->not_before = v->status.observed + FRESH;
}

static bool is_usable(const struct storages *s, const struct storage_def *def)
{
	const char *disable = def ? storage_def_get(def, "disable") : NULL;
	bool is_disabled = false;

	if (disable && !str_to_bool(disable, &is_disabled))
		is_disabled = true;
	return def && !is_disabled && storage_def_is_on_node(def, s->core->node);
}

void storages_refresh(struct storages *s, const char *id, status_fn done, void *ctx)
{
	const struct storage_def *def = storage_cfg_find(&s->config, id);
	struct volume_store *v = map_get(s->entries, id);

	if (v && !v->helper && is_usable(s, def) && clock_monotonic() >= v->not_before)
		ask(v, def);
	if (!done)
		return;
	if (!v || !v->helper) {
		done(storages_status(s, id), ctx);
		return;
	}
	struct waiter *w = xcalloc(1, sizeof(*w));
	*w = (struct waiter){.done = done, .ctx = ctx};
	list_append(&v->waiters, &w->link);
	if (!v->wait_timer)
		sd_event_add_time_relative(s->core->event, &v->wait_timer, CLOCK_MONOTONIC,
					   WAIT_MAX, 10 * USEC_PER_MSEC, on_wait_end, v);
}

const struct storage_cfg *storages_config(const struct storages *s)
{
	return &s->config;
}

const struct storage_status *storages_status(const struct storages *s, const char *id)
{
	static const struct storage_status unknown;
	const struct volume_store *v = map_get(s->entries, id);

	return v ? &v->status : &unknown;
}

static void refresh_all(struct storages *s)
{
	for (size_t i = 0; i < s->config.count; i++)
		storages_refresh(s, s->config.items[i].id, NULL, NULL);
}

static void drop_removed(struct storages *s)
{
	const char *id = NULL;
	autofree char *at = NULL;

	for (void *v = map_first(s->entries, NULL, &id); v; v = map_next(s->entries, at, &id)) {
		xreplace(&at, id);
		if (!storage_cfg_find(&s->config, at))
			entry_free(map_remove(s->entries, at));
	}
}

static struct volume_store *entry_of(struct storages *s, const char *id)
{
	struct volume_store *v = map_get(s->entries, id);

	if (v)
		return v;
	v = xcalloc(1, sizeof(*v));
	v->owner = s;
	v->id = xstrdup(id);
	list_init(&v->waiters);
	map_put(s->entries, id, v);
	return v;
}

static bool take_definition(struct volume_store *v, const struct storage_def *def)
{
	autofields args = FIELDS_INIT;
	autobuf text = BUF_INIT;

	storage_def_encode(def, &args);
	fields_encode(&args, &text);
	if (text.size == v->definition.size &&
	    memcmp(text.data, v->definition.data, text.size) == 0)
		return false;
	buf_clear(&v->definition);
	buf_add(&v->definition, text.data, text.size);
	return true;
}

/* What was said of a definition, or is being asked, says nothing of another one. Who waits for it gets the answer about
 * the new one. */
static void renew(struct storages *s, const struct storage_def *def)
{
	struct volume_store *v = entry_of(s, def->id);

	if (!take_definition(v, def))
		return;
	if (v->helper)
		helper_cancel(v->helper);
	v->helper = NULL;
	v->status = (struct storage_status){0};
	v->not_before = 0;
	if (!is_usable(s, def))
		answer_waiters(v);
}

static void renew_all(struct storages *s)
{
	for (size_t i = 0; i < s->config.count; i++)
		renew(s, &s->config.items[i]);
}

/* A text that does not parse leaves the definitions as they were. */
static void load(struct storages *s, const char *text, size_t size)
{
	struct storage_cfg config = {0};
	struct err err = ERR_INIT;

	if (storage_cfg_parse(text, size, &config, &err) < 0) {
		log_error("%s: %s", CFG_PATH, err.message);
		return;
	}
	storage_cfg_fini(&s->config);
	s->config = config;
	drop_removed(s);
	renew_all(s);
	refresh_all(s);
}

static void on_change(const struct store_change *change, void *ctx)
{
	if (!str_eq(change->value.path, CFG_PATH))
		return;
	if (change->kind == STORE_CHANGE_PUT)
		load(ctx, change->value.data, change->value.size);
	else
		load(ctx, "", 0);
}

static int on_timer(sd_event_source *source, uint64_t now, void *ctx)
{
	struct storages *s = ctx;

	(void)now;
	refresh_all(s);
	sd_event_source_set_time_relative(source, REFRESH_EVERY);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

struct storages *storages_new(struct core *core)
{
	struct storages *s = xcalloc(1, sizeof(*s));
	struct store_value value;

	s->core = core;
	s->entries = map_new();
	s->subscription = store_subscribe(core->store, CFG_PATH, on_change, s);
	if (store_get(core->store, CFG_PATH, &value))
		load(s, value.data, value.size);
	if (sd_event_add_time_relative(core->event, &s->timer, CLOCK_MONOTONIC, REFRESH_EVERY,
				       10 * USEC_PER_SEC, on_timer, s) < 0)
		log_error("storages: no timer");
	return s;
}

void storages_free(struct storages *s)
{
	if (!s)
		return;
	drop_source(&s->timer);
	store_unsubscribe(s->subscription);
	map_free(s->entries, entry_free);
	storage_cfg_fini(&s->config);
	free(s);
}
