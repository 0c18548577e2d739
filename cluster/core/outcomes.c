/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring in the order of the indices, and a table of open addressing from id to place in the ring. Pure. */
#include "cluster/core/outcomes.h"

#include <string.h>

#include "agent/base/mem.h"

#define RING_MIN 64

struct outcomes {
	struct kv_request *ring;
	size_t first, count, capacity;
	uint32_t *slots;   /* 1 + place in the ring; 0: free */
	size_t slot_count; /* power of two, at least twice the capacity */
};

struct outcomes *outcomes_new(void)
{
	return xcalloc(1, sizeof(struct outcomes));
}

void outcomes_free(struct outcomes *o)
{
	if (!o)
		return;
	free(o->ring);
	free(o->slots);
	free(o);
}

static size_t place(const struct outcomes *o, size_t i)
{
	size_t at = o->first + i;

	return at < o->capacity ? at : at - o->capacity;
}

/* ---- the table ---- */

/* Ids are random, but nobody has to keep to it. */
static size_t slot_of(const struct outcomes *o, const struct store_request_id *id)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof(id->bytes); i++)
		h = (h ^ id->bytes[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h & (o->slot_count - 1);
}

/* The slot that holds the id, or the free one where it would be. */
static size_t slot_find(const struct outcomes *o, const struct store_request_id *id)
{
	size_t at = slot_of(o, id);

	while (o->slots[at] && memcmp(&o->ring[o->slots[at] - 1].id, id, sizeof(*id)) != 0)
		at = (at + 1) & (o->slot_count - 1);
	return at;
}

/* Frees a slot; those behind it that it kept from their own move up. */
static void slot_free(struct outcomes *o, size_t hole)
{
	size_t mask = o->slot_count - 1, at = hole;

	for (;;) {
		size_t home;

		at = (at + 1) & mask;
		if (!o->slots[at])
			break;
		home = slot_of(o, &o->ring[o->slots[at] - 1].id);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue; /* it belongs behind the hole */
		o->slots[hole] = o->slots[at];
		hole = at;
	}
	o->slots[hole] = 0;
}

/* ---- the ring ---- */

static void index_all(struct outcomes *o)
{
	while (o->slot_count < 2 * o->capacity)
		o->slot_count = o->slot_count ? 2 * o->slot_count : 2 * RING_MIN;
	free(o->slots);
	o->slots = xcalloc(o->slot_count, sizeof(o->slots[0]));
	for (size_t i = 0; i < o->count; i++)
		o->slots[slot_find(o, &o->ring[i].id)] = (uint32_t)i + 1;
}

static void grow(struct outcomes *o)
{
	size_t capacity = o->capacity ? o->capacity + o->capacity / 4 : RING_MIN;
	struct kv_request *ring = xcalloc(capacity, sizeof(ring[0]));

	for (size_t i = 0; i < o->count; i++)
		ring[i] = o->ring[place(o, i)];
	free(o->ring);
	o->ring = ring;
	o->first = 0;
	o->capacity = capacity;
	index_all(o);
}

bool outcomes_add(struct outcomes *o, const struct kv_request *request)
{
	uint64_t last = o->count ? o->ring[place(o, o->count - 1)].index : 0;
	size_t at, slot;

	if (request->index <= last || outcomes_find(o, &request->id))
		return false;
	if (o->count == o->capacity)
		grow(o);
	at = place(o, o->count);
	slot = slot_find(o, &request->id);
	o->ring[at] = *request;
	o->slots[slot] = (uint32_t)at + 1;
	o->count++;
	return true;
}

const struct kv_request *outcomes_find(const struct outcomes *o, const struct store_request_id *id)
{
	uint32_t found = o->count ? o->slots[slot_find(o, id)] : 0;

	return found ? &o->ring[found - 1] : NULL;
}

const struct kv_request *outcomes_after(const struct outcomes *o, uint64_t index)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (o->ring[place(o, middle)].index <= index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < o->count ? &o->ring[place(o, low)] : NULL;
}

void outcomes_drop_oldest(struct outcomes *o)
{
	slot_free(o, slot_find(o, &o->ring[o->first].id));
	o->first = place(o, 1);
	o->count--;
}
