/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S9: the frozen states that a leader serves. They are shared by the members that are caught up, and few: each keeps
 * values alive that were replaced since. Pure. */
#include "cluster/core/replica_private.h"

/* What only the table itself still holds. */
void offers_expire(struct replica *r)
{
	for (size_t i = 0; i < OFFERS_MAX; i++) {
		struct offer *o = &r->offers[i];

		if (!o->frozen || o->frozen->refs > 1)
			continue;
		frozen_unref(o->frozen);
		*o = (struct offer){.frozen = NULL};
	}
}

static struct offer *newest(struct replica *r)
{
	struct offer *best = NULL;

	for (size_t i = 0; i < OFFERS_MAX; i++) {
		struct offer *o = &r->offers[i];

		if (o->frozen && (!best || o->frozen->at.index > best->frozen->at.index))
			best = o;
	}
	return best;
}

static struct offer *free_slot(struct replica *r)
{
	for (size_t i = 0; i < OFFERS_MAX; i++)
		if (!r->offers[i].frozen)
			return &r->offers[i];
	return NULL;
}

/* The newest one, if the log goes on from there; a new one, if there is room; else the newest one all the same: what
 * it leaves to be done is another, smaller difference. */
struct frozen *offer_choose(struct replica *r, uint64_t committed)
{
	struct offer *best, *slot;

	offers_expire(r);
	best = newest(r);
	slot = free_slot(r);
	if (best && best->frozen->at.index > committed &&
	    (best->frozen->at.index >= r->log.base.index || !slot))
		return frozen_ref(best->frozen);
	if (!slot || r->state->at.index <= committed)
		return NULL;
	*slot = (struct offer){.frozen = frozen_new(r->state)};
	return frozen_ref(slot->frozen);
}

struct frozen *offer_find(struct replica *r, uint64_t index)
{
	for (size_t i = 0; i < OFFERS_MAX; i++)
		if (r->offers[i].frozen && r->offers[i].frozen->at.index == index)
			return frozen_ref(r->offers[i].frozen);
	return NULL;
}

static bool was_sent(const struct replica *r, const struct offer *o, uint64_t offset)
{
	for (size_t i = 0; i < ARRAY_SIZE(o->sent); i++)
		if (o->sent[i].at && o->sent[i].offset == offset &&
		    r->now < o->sent[i].at + r->options.timeout / 2)
			return true;
	return false;
}

/* Chunks of the whole from there on: not if they were just sent. Who has lost them asks again, after its time-out. */
bool offer_is_due(struct replica *r, const struct frozen *frozen, uint64_t offset)
{
	for (size_t i = 0; i < OFFERS_MAX; i++) {
		struct offer *o = &r->offers[i];

		if (o->frozen != frozen)
			continue;
		if (was_sent(r, o, offset))
			return false;
		o->sent[o->next].offset = offset;
		o->sent[o->next].at = r->now;
		o->next = (o->next + 1) % ARRAY_SIZE(o->sent);
	}
	return true;
}
