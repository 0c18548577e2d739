/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong, carried out. */
#include <string.h>

#include "tests/sim/sim.h"

static struct node *target(struct world *w, const struct fault *f)
{
	struct node *leader = world_leader(w);

	if (f->node == SIM_NODES && leader)
		return leader;
	return &w->nodes[f->node % w->node_count];
}

void fault_start_later(struct world *w, struct node *n, usec_t delay)
{
	world_add(w, (struct happening){.at = w->now + delay, .kind = HAPPEN_START, .node = n->at});
}

static bool kill_node(struct world *w, struct node *n, const struct fault *f)
{
	if (!n->replica)
		return false;
	if (f->detail % 2) { /* somewhere in the middle of its next steps */
		n->crash_in = 1 + (unsigned)(f->detail >> 8) % 12;
		return true;
	}
	node_crash(w, n, f->kind == FAULT_POWER);
	fault_start_later(w, n, f->length);
	return true;
}

static bool hang(struct world *w, struct node *n, const struct fault *f)
{
	(void)f;
	node_pause(w, n);
	return n->is_paused;
}

static bool partition(struct world *w, struct node *n, const struct fault *f)
{
	(void)n;
	for (unsigned i = 0; i < w->node_count; i++)
		w->nodes[i].group =
			(unsigned)(f->detail >> (2 * i)) % (f->detail >> 40 & 1 ? 2 : 3);
	net_break(w);
	net_reform_soon(w, 50 * MS + (f->detail >> 48) % w->schedule->detection);
	return w->node_count > 1;
}

static bool freeze(struct world *w, struct node *n, const struct fault *f)
{
	(void)f;
	node_pause(w, n);
	n->group = SIM_NODES - 1;
	net_break(w);
	net_reform_soon(w, 150 * MS);
	return n->is_paused;
}

/* The node is heard no more by one other, or by all, but hears them. A ring needs both ways: a faithful transport
 * leaves the node out. */
static bool one_way(struct world *w, struct node *n, const struct fault *f)
{
	for (unsigned i = 0; i < w->node_count; i++)
		w->one_way[n->at][i] = f->detail >> 16 & 1 || i == f->detail % w->node_count;
	if (w->transport == TRANSPORT_FAITHFUL) {
		n->group = SIM_NODES - 1;
		net_break(w);
		net_reform_soon(w, 50 * MS + (f->detail >> 48) % w->schedule->detection);
	}
	return w->node_count > 1;
}

/* asked at `at`; NULL: anywhere */
static bool change_voters_at(struct world *w, struct node *at, struct node *n,
			     enum request_kind kind)
{
	struct member member = {.node = n->id, .incarnation = n->disk.synced.meta.incarnation};

	if (kind == REQUEST_REMOVE_VOTER &&
	    (fault_voters(w) < 2 || 2 * (fault_lost_voters(w) + 1) >= fault_voters(w)))
		return false;
	return at ? client_admin_at(w, at, kind, &member) : client_admin(w, kind, &member);
}

static bool change_voters(struct world *w, struct node *n, enum request_kind kind)
{
	return change_voters_at(w, NULL, n, kind);
}

static bool add_voter(struct world *w, struct node *n, const struct fault *f)
{
	(void)f;
	return change_voters(w, n, REQUEST_ADD_VOTER);
}

static bool remove_voter(struct world *w, struct node *n, const struct fault *f)
{
	(void)f;
	return change_voters(w, n, REQUEST_REMOVE_VOTER);
}

/* Unsynced writes stay visible to the next process, and are lost a moment later. */
static bool kill_power(struct world *w, struct node *n, const struct fault *f)
{
	(void)f;
	if (!n->replica)
		return false;
	node_crash(w, n, false);
	fault_start_later(w, n, 1 * MS);
	return true;
}

/* One change of voters here, another one elsewhere: the next leader has it at hand from the first moment. */
static void contend(struct world *w, struct node *n)
{
	struct node *here = &w->nodes[rng_below(&w->rng, w->node_count)];
	struct node *there = &w->nodes[rng_below(&w->rng, w->node_count)];

	change_voters_at(w, n, here,
			 fault_is_voter(w, here) ? REQUEST_REMOVE_VOTER : REQUEST_ADD_VOTER);
	change_voters(w, there,
		      fault_is_voter(w, there) ? REQUEST_REMOVE_VOTER : REQUEST_ADD_VOTER);
}

/* What it appends now stays with it alone, until it learns that it is alone. */
static bool isolate(struct world *w, struct node *n, const struct fault *f)
{
	for (unsigned i = 0; i < w->node_count; i++)
		w->nodes[i].group = 0;
	n->group = 1;
	net_break(w);
	net_reform_soon(w, 50 * MS + (f->detail >> 48) % w->schedule->detection);
	if (!n->replica || n->is_paused)
		return false;
	if (f->detail >> 8 & 1)
		contend(w, n);
	for (unsigned i = 0; i < 1 + f->detail % 4 && n->replica; i++)
		client_write_at(w, n, false);
	return true;
}

static bool blackout(struct world *w, struct node *n, const struct fault *f)
{
	(void)n;
	for (unsigned i = 0; i < w->node_count; i++) {
		if (!w->nodes[i].replica)
			continue;
		node_crash(w, &w->nodes[i], true);
		fault_start_later(w, &w->nodes[i], rng_below(&w->rng, f->length + 1));
	}
	return true;
}

static bool burst(struct world *w, struct node *n, const struct fault *f)
{
	(void)n;
	for (unsigned i = 0; i < 3 + f->detail % 8; i++)
		world_add(w, (struct happening){
				     .at = w->now +
					   rng_below(&w->rng, 1 + (f->detail >> 8) % (120 * MS)),
				     .kind = HAPPEN_WRITE});
	return true;
}

/* Joins and leaves, one upon the other; a majority of each list keeps its disks. */
static bool churn(struct world *w, struct node *n, const struct fault *f)
{
	bool any = false;

	for (unsigned i = 0; i < 2 + f->detail % 4; i++) {
		n = &w->nodes[rng_below(&w->rng, w->node_count)];
		any = change_voters(w, n,
				    fault_is_voter(w, n) ? REQUEST_REMOVE_VOTER
							 : REQUEST_ADD_VOTER) ||
		      any;
	}
	return any;
}

static usec_t length_of(const struct fault *f)
{
	if (f->kind == FAULT_FORCE)
		return 3 * USEC_PER_SEC;
	return f->kind == FAULT_KILL_POWER ? 5 * MS + f->length % (15 * MS) : f->length;
}

/* true: it came to something */
static bool (*const begin[FAULT_COUNT])(struct world *w, struct node *n, const struct fault *f) = {
	[FAULT_KILL] = kill_node,
	[FAULT_POWER] = kill_node,
	[FAULT_KILL_POWER] = kill_power,
	[FAULT_PAUSE] = hang,
	[FAULT_FREEZE] = freeze,
	[FAULT_PARTITION] = partition,
	[FAULT_ONE_WAY] = one_way,
	[FAULT_SLOW_DISK] = fault_slow_disk,
	[FAULT_FULL_DISK] = fault_full_disk,
	[FAULT_FAILED_SYNC] = fault_failed_sync,
	[FAULT_ROLLBACK] = fault_roll_back,
	[FAULT_WIPE] = fault_wipe,
	[FAULT_COPY] = fault_copy,
	[FAULT_ADD] = add_voter,
	[FAULT_REMOVE] = remove_voter,
	[FAULT_BLACKOUT] = blackout,
	[FAULT_ISOLATE] = isolate,
	[FAULT_BURST] = burst,
	[FAULT_CHURN] = churn,
	[FAULT_FORCE] = force_lose_majority,
};

void fault_begin(struct world *w, size_t i)
{
	struct fault *f = &w->schedule->faults[i];
	struct node *n = target(w, f);
	bool is_done;

	if (f->is_off || w->is_ending || w->guard_until > w->now)
		return;
	world_say(w, "fault %zu: %s, n%u", i, fault_name(f->kind), n->id);
	is_done = begin[f->kind](w, n, f);
	if (w->coverage)
		w->coverage->faults[f->kind] += is_done;
	world_add(w, (struct happening){.at = w->now + length_of(f),
					.kind = HAPPEN_FAULT_END,
					.node = n->at,
					.number = i});
}

static void unite(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++)
		w->nodes[i].group = 0;
	net_break(w);
	net_reform_soon(w, 50 * MS);
}

void fault_end(struct world *w, size_t i, struct node *n)
{
	struct fault *f = &w->schedule->faults[i];

	if (w->is_ending)
		return;
	if (f->kind == FAULT_PARTITION || f->kind == FAULT_ISOLATE) {
		unite(w);
	} else if (f->kind == FAULT_PAUSE || f->kind == FAULT_FREEZE) {
		for (unsigned k = 0; k < w->node_count; k++)
			if (w->nodes[k].is_paused && w->nodes[k].paused_at + f->length <= w->now)
				node_thaw(w, &w->nodes[k], f->length > 1500 * MS || f->detail % 2);
		if (f->kind == FAULT_FREEZE)
			unite(w);
	} else if (f->kind == FAULT_ONE_WAY) {
		memset(w->one_way, 0, sizeof(w->one_way));
		unite(w);
	} else if (f->kind == FAULT_KILL_POWER) {
		if (!n->replica)
			return;
		node_crash(w, n, true);
		fault_start_later(w, n, 20 * MS);
	} else if (f->kind == FAULT_FORCE) {
		force_go_on(w, i);
	} else if (f->kind == FAULT_FULL_DISK) {
		n->disk.is_full = false;
	} else if (f->kind == FAULT_FAILED_SYNC) {
		for (unsigned k = 0; k < w->node_count; k++)
			if (w->nodes[k].is_marked && !w->nodes[k].is_gone) {
				node_crash(w, &w->nodes[k], true);
				fault_start_later(w, &w->nodes[k], 100 * MS);
			}
	}
}
