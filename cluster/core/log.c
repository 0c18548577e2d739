/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log in memory. Pure. */
#include "cluster/core/log.h"

#include <string.h>

#include "agent/base/mem.h"

struct log_entry *log_entry_new(const struct entry *entry, const void *data, size_t size)
{
	struct log_entry *e = xmalloc(sizeof(*e) + size);

	e->refs = 1;
	e->at = entry->at;
	e->previous = entry->previous;
	e->kind = entry->kind;
	memcpy(e->hash, entry->hash, SHA256_SIZE);
	e->voters_index = 0;
	e->size = size;
	memcpy(e->data, data, size);
	return e;
}

struct log_entry *log_entry_ref(struct log_entry *e)
{
	e->refs++;
	return e;
}

void log_entry_unref(struct log_entry *e)
{
	if (e && --e->refs == 0)
		free(e);
}

struct entry log_entry_decode(const struct log_entry *e)
{
	struct entry entry = {0};

	entry_decode(e->data, e->size, &entry, NULL);
	return entry;
}

static void drop_all(struct log *log)
{
	for (size_t i = 0; i < log->count; i++)
		log_entry_unref(log->items[i]);
	log->count = 0;
	log->bytes = 0;
}

void log_fini(struct log *log)
{
	drop_all(log);
	free(log->items);
	*log = (struct log){0};
}

struct position log_last(const struct log *log)
{
	return log->count ? log->items[log->count - 1]->at : log->base;
}

const uint8_t *log_last_hash(const struct log *log)
{
	return log->count ? log->items[log->count - 1]->hash : log->base_hash;
}

struct log_entry *log_at(const struct log *log, uint64_t index)
{
	if (index <= log->base.index || index > log->base.index + log->count)
		return NULL;
	return log->items[index - log->base.index - 1];
}

const uint8_t *log_hash_of(const struct log *log, struct position at)
{
	const struct log_entry *e = log_at(log, at.index);

	if (position_compare(at, log->base) == 0)
		return log->base_hash;
	return e && e->at.epoch == at.epoch ? e->hash : NULL;
}

uint64_t log_voters_index(const struct log *log, uint64_t index)
{
	const struct log_entry *e = log_at(log, index);

	return e ? e->voters_index : 0;
}

void log_append(struct log *log, struct log_entry *e)
{
	if (log->count == log->capacity) {
		log->capacity = log->capacity ? log->capacity * 2 : 64;
		log->items = xrealloc(log->items, log->capacity, sizeof(log->items[0]));
	}
	e->voters_index = e->kind == ENTRY_VOTERS || e->kind == ENTRY_FORK
				  ? e->at.index
				  : log_voters_index(log, e->at.index - 1);
	log->items[log->count++] = e;
	log->bytes += e->size;
}

void log_cut(struct log *log, uint64_t from)
{
	while (log->count > 0 && log->items[log->count - 1]->at.index >= from) {
		struct log_entry *e = log->items[--log->count];

		log->bytes -= e->size;
		log_entry_unref(e);
	}
}

void log_trim(struct log *log, uint64_t upto)
{
	size_t n = 0;

	while (n < log->count && log->items[n]->at.index <= upto) {
		struct log_entry *e = log->items[n++];

		log->base = e->at;
		memcpy(log->base_hash, e->hash, SHA256_SIZE);
		log->bytes -= e->size;
		log_entry_unref(e);
	}
	log->count -= n;
	if (n > 0 && log->count > 0)
		memmove(log->items, log->items + n, log->count * sizeof(log->items[0]));
}

void log_reset(struct log *log, struct position base, const uint8_t hash[SHA256_SIZE])
{
	drop_all(log);
	log->base = base;
	memcpy(log->base_hash, hash, SHA256_SIZE);
}
