/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was observed of guests and node, in memory. Runs on the core's loop. */
#include "agent/core/facts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/facts_decode.h"

#define FACTS_GUESTS_MAX 65536
#define FACTS_LISTENERS	 8

struct known {
	struct guest_fact fact;
	bool is_seen; /* reported since the monitor said hello */
};

struct facts {
	struct known *guests; /* by vmid */
	size_t count, capacity;
	struct guest_fact absent[2]; /* what is said of unreported containers, machines */
	facts_next_fn next;	     /* NULL: all are containers */
	void *next_ctx;
	struct node_fact node;
	uint64_t generation;
	struct {
		facts_changed_fn fn;
		void *ctx;
	} listeners[FACTS_LISTENERS];
	size_t listener_count;
	struct {
		facts_node_fn fn;
		void *ctx;
	} node_listeners[FACTS_LISTENERS];
	size_t node_listener_count;
};

struct facts *facts_new(void)
{
	struct facts *facts = xcalloc(1, sizeof(*facts));

	facts->generation = 1;
	return facts;
}

void facts_free(struct facts *facts)
{
	if (!facts)
		return;
	free(facts->guests);
	free(facts);
}

/* The first with an id that is not smaller. */
static size_t position(const struct facts *facts, unsigned vmid)
{
	size_t low = 0, high = facts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (facts->guests[middle].fact.vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct known *find(const struct facts *facts, unsigned vmid)
{
	size_t at = position(facts, vmid);

	return at < facts->count && facts->guests[at].fact.vmid == vmid ? &facts->guests[at] : NULL;
}

static struct known *insert(struct facts *facts, unsigned vmid)
{
	/* looked up before the new place, which holds anything, is one that can be found */
	struct guest_fact absent = *facts_guest(facts, vmid);
	size_t at = position(facts, vmid);

	if (facts->count == facts->capacity) {
		facts->capacity = facts->capacity ? facts->capacity * 2 : 16;
		facts->guests = xrealloc(facts->guests, facts->capacity, sizeof(*facts->guests));
	}
	memmove(facts->guests + at + 1, facts->guests + at,
		(facts->count - at) * sizeof(*facts->guests));
	facts->count++;
	facts->guests[at] = (struct known){.fact = absent};
	facts->guests[at].fact.vmid = vmid;
	return &facts->guests[at];
}

static void tell(struct facts *facts, unsigned vmid, enum guest_state before, enum guest_state now,
		 bool is_news)
{
	if (before == now && !is_news)
		return;
	for (size_t i = 0; i < facts->listener_count; i++)
		facts->listeners[i].fn(vmid, before, now, facts->listeners[i].ctx);
}

int facts_take_guest(struct facts *facts, const struct fields *f, struct err *err)
{
	struct guest_fact fact;
	unsigned vmid;
	int r = facts_decode_vmid(f, &vmid, err);

	if (r < 0)
		return r;
	struct known *known = find(facts, vmid);
	fact = *facts_guest(facts, vmid);
	fact.vmid = vmid;
	if ((r = facts_decode_guest(f, &fact, err)) < 0)
		return r;
	if (!known && facts->count >= FACTS_GUESTS_MAX)
		return err_set(err, ERR_LIMIT, "too many guests");
	if (!known)
		known = insert(facts, vmid);
	enum guest_state before = known->fact.state;
	bool is_reason_new = !str_eq(known->fact.reason, fact.reason);
	fact.observed = clock_monotonic();
	fact.generation = ++facts->generation;
	known->fact = fact;
	known->is_seen = true;
	tell(facts, vmid, before, fact.state, is_reason_new);
	return 0;
}

int facts_take_node(struct facts *facts, const struct fields *f, struct err *err)
{
	struct node_fact node = {0};
	int r = facts_decode_node(f, &node, err);

	if (r < 0)
		return r;
	const struct node_fact before = facts->node;
	node.observed = clock_monotonic();
	facts->node = node;
	facts->generation++;
	for (size_t i = 0; i < facts->node_listener_count; i++)
		facts->node_listeners[i].fn(&before, facts->node_listeners[i].ctx);
	return 0;
}

/* A guest's observed values go with its process. */
static void set_state(struct facts *facts, size_t at, enum guest_state state)
{
	struct guest_fact *fact = &facts->guests[at].fact;
	enum guest_state before = fact->state;

	*fact = (struct guest_fact){.vmid = fact->vmid,
				    .is_machine = fact->is_machine,
				    .state = state,
				    .observed = fact->observed};
	fact->generation = ++facts->generation;
	tell(facts, fact->vmid, before, state, false);
}

/* Of guests that nothing is known of, the kind comes from outside. */
static bool is_machine(const struct facts *facts, unsigned vmid)
{
	unsigned found = 0;
	bool machine = false;

	return facts->next && vmid > 0 &&
	       facts->next(vmid - 1, &found, &machine, facts->next_ctx) && found == vmid && machine;
}

static void set_absent(struct facts *facts, bool machines, enum guest_state state)
{
	enum guest_state before = facts->absent[machines].state;
	unsigned vmid = 0;
	bool machine;

	facts->absent[machines] = (struct guest_fact){.is_machine = machines, .state = state};
	facts->generation++;
	while (facts->next && facts->next(vmid, &vmid, &machine, facts->next_ctx))
		if (machine == machines && !find(facts, vmid))
			tell(facts, vmid, before, state, false);
}

void facts_kind_listing(struct facts *facts, bool machines)
{
	for (size_t i = 0; i < facts->count; i++)
		if (facts->guests[i].fact.is_machine == machines)
			facts->guests[i].is_seen = false;
}

void facts_kind_unlisted(struct facts *facts, bool machines)
{
	facts_kind_listing(facts, machines);
	set_absent(facts, machines, GUEST_UNKNOWN);
	for (size_t i = 0; i < facts->count; i++)
		if (facts->guests[i].fact.is_machine == machines)
			set_state(facts, i, GUEST_UNKNOWN);
}

/* What a list did not name is as good as unreported: the table holds living guests only, and those whose
 * end someone told of. */
static void forget_unseen(struct facts *facts, bool machines)
{
	size_t kept = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct known *known = &facts->guests[i];

		if (known->is_seen || known->fact.is_machine != machines || known->fact.reason[0])
			facts->guests[kept++] = *known;
	}
	facts->count = kept;
}

void facts_kind_listed(struct facts *facts, bool machines)
{
	set_absent(facts, machines, GUEST_STOPPED);
	for (size_t i = 0; i < facts->count; i++) {
		const struct known *known = &facts->guests[i];

		if (!known->is_seen && known->fact.is_machine == machines &&
		    known->fact.state != GUEST_STOPPED)
			set_state(facts, i, GUEST_STOPPED);
	}
	forget_unseen(facts, machines);
}

void facts_hello(struct facts *facts)
{
	facts_kind_unlisted(facts, false);
	facts_kind_unlisted(facts, true);
}

void facts_forget(struct facts *facts, unsigned vmid)
{
	size_t at = position(facts, vmid);
	const struct known *known = find(facts, vmid);

	if (!known || known->fact.state == GUEST_RUNNING || known->fact.state == GUEST_PAUSED)
		return;
	facts->count--;
	memmove(facts->guests + at, facts->guests + at + 1,
		(facts->count - at) * sizeof(*facts->guests));
	facts->generation++;
}

void facts_set_guests(struct facts *facts, facts_next_fn next, void *ctx)
{
	facts->next = next;
	facts->next_ctx = ctx;
}

void facts_lost(struct facts *facts)
{
	facts->generation++;
}

const struct guest_fact *facts_guest(const struct facts *facts, unsigned vmid)
{
	const struct known *known = find(facts, vmid);

	return known ? &known->fact : &facts->absent[is_machine(facts, vmid)];
}

const struct node_fact *facts_node(const struct facts *facts)
{
	return &facts->node;
}

uint64_t facts_generation(const struct facts *facts)
{
	return facts->generation;
}

void facts_on_state(struct facts *facts, facts_changed_fn fn, void *ctx)
{
	if (facts->listener_count == FACTS_LISTENERS)
		abort(); /* listeners are part of the program, not of its input */
	facts->listeners[facts->listener_count].fn = fn;
	facts->listeners[facts->listener_count++].ctx = ctx;
}

void facts_on_node(struct facts *facts, facts_node_fn fn, void *ctx)
{
	if (facts->node_listener_count == FACTS_LISTENERS)
		abort();
	facts->node_listeners[facts->node_listener_count].fn = fn;
	facts->node_listeners[facts->node_listener_count++].ctx = ctx;
}
