/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of changes: a list by number and a map by what changed. See event_log.h. */
#include "agent/core/event_log.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define BOOT_DIGITS 8

struct event_log {
	struct list events; /* oldest first */
	struct map *by_key; /* -> struct event */
	size_t count, count_max;
	size_t bytes, bytes_max;
	uint64_t head, lost;
};

struct event_log *event_log_new(size_t count_max, size_t bytes_max)
{
	struct event_log *log = xcalloc(1, sizeof(*log));

	list_init(&log->events);
	log->by_key = map_new();
	log->count_max = count_max;
	log->bytes_max = bytes_max;
	return log;
}

/* The key lies in the entry and in the map's node. */
static size_t size_of(const struct event *event)
{
	return sizeof(*event) + 2 * (strlen(event->key) + 1);
}

static void drop(struct event_log *log, struct event *event)
{
	map_remove(log->by_key, event->key);
	list_remove(&event->link);
	log->bytes -= size_of(event);
	log->count--;
	free(event);
}

void event_log_free(struct event_log *log)
{
	if (!log)
		return;
	LIST_FOREACH (&log->events, event, struct event, link) {
		drop(log, event);
	}
	map_free(log->by_key, NULL);
	free(log);
}

static void key_make(enum event_type type, const char *name, struct buf *out)
{
	buf_add_char(out, (char)('0' + type));
	buf_add_str(out, name);
}

static struct event *event_new(struct event_log *log, enum event_type type, const char *key)
{
	size_t size = strlen(key) + 1;
	struct event *event = xmalloc(sizeof(*event) + size);

	memcpy(event->key, key, size);
	event->type = type;
	event->name = event->key + 1;
	list_init(&event->link);
	map_put(log->by_key, key, event);
	log->count++;
	log->bytes += size_of(event);
	return event;
}

/* The newest stays, whatever the bounds are. */
static void forget_oldest(struct event_log *log)
{
	while ((log->count > log->count_max || log->bytes > log->bytes_max) && log->count > 1) {
		struct event *oldest = CONTAINER_OF(log->events.next, struct event, link);

		log->lost = oldest->seq;
		drop(log, oldest);
	}
}

void event_log_put(struct event_log *log, enum event_type type, const char *name)
{
	autobuf key = BUF_INIT;

	key_make(type, name, &key);
	struct event *event = map_get(log->by_key, buf_str(&key));
	if (!event)
		event = event_new(log, type, buf_str(&key));
	event->seq = ++log->head;
	list_remove(&event->link);
	list_append(&log->events, &event->link);
	forget_oldest(log);
}

/* From the newest backwards: most who ask are nearly up to date. */
const struct event *event_log_after(const struct event_log *log, uint64_t seq)
{
	const struct list *at = &log->events;

	while (at->prev != &log->events && CONTAINER_OF(at->prev, struct event, link)->seq > seq)
		at = at->prev;
	return at == &log->events ? NULL : CONTAINER_OF(at, struct event, link);
}

const struct event *event_log_next(const struct event_log *log, const struct event *event)
{
	const struct list *next = event->link.next;

	return next == &log->events ? NULL : CONTAINER_OF(next, struct event, link);
}

uint64_t event_log_head(const struct event_log *log)
{
	return log->head;
}

uint64_t event_log_lost(const struct event_log *log)
{
	return log->lost;
}

bool event_id_parse(const char *text, struct event_id *ret)
{
	uint64_t boot, seq;

	if (strspn(text, "0123456789abcdef") != BOOT_DIGITS || text[BOOT_DIGITS] != '-' ||
	    !str_hex_to_u64(text, BOOT_DIGITS, &boot) || !str_to_u64(text + BOOT_DIGITS + 1, &seq))
		return false;
	*ret = (struct event_id){(uint32_t)boot, seq};
	return true;
}

void event_id_add(struct event_id id, struct buf *out)
{
	buf_addf(out, "%08" PRIx32 "-%" PRIu64, id.boot, id.seq);
}

const char *event_log_resume(const struct event_log *log, uint32_t boot, const char *last_id,
			     uint64_t *ret_seq)
{
	struct event_id id;

	if (!event_id_parse(last_id, &id))
		return "new";
	if (id.boot != boot)
		return "restarted";
	if (id.seq > log->head)
		return "new";
	if (id.seq < log->lost)
		return "too-old";
	*ret_seq = id.seq;
	return NULL;
}
