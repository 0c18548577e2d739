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

static void start_later(struct world *w, struct node *n, usec_t delay)
{
	world_add(w, (struct happening){.at = w->now + delay, .kind = HAPPEN_START, .node = n->at});
}

static void kill_node(struct world *w, struct node *n, const struct fault *f)
{
	if (!n->replica)
		return;
	if (f->detail % 2) { /* somewhere in the middle of its next steps */
		n->crash_in = 1 + (unsigned)(f->detail >> 8) % 12;
		return;
	}
	node_crash(w, n, f->kind == FAULT_POWER);
	start_later(w, n, f->length);
}

static void partition(struct world *w, const struct fault *f)
{
	for (unsigned i = 0; i < w->node_count; i++)
		w->nodes[i].group =
			(unsigned)(f->detail >> (2 * i)) % (f->detail >> 40 & 1 ? 2 : 3);
	net_break(w);
	net_reform_soon(w, 50 * MS + (f->detail >> 48) % w->schedule->detection);
}

static void freeze(struct world *w, struct node *n)
{
	node_pause(w, n);
	n->group = SIM_NODES - 1;
	net_break(w);
	net_reform_soon(w, 150 * MS);
}

static bool is_all_well(const struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (!n->replica || n->is_paused || n->crash_in || n->group != w->nodes[0].group ||
		    replica_role(n->replica) == ROLE_OPENING ||
		    replica_role(n->replica) == ROLE_WAITING)
			return false;
	}
	return w->transport == TRANSPORT_FAITHFUL && w->node_count > 1;
}

unsigned fault_voters(struct world *w)
{
	struct node *leader = world_leader(w);

	return leader ? (unsigned)replica_voters(leader->replica)->count : 0;
}

bool fault_is_voter(struct world *w, const struct node *n)
{
	struct member self = {.node = n->id, .incarnation = n->disk.synced.meta.incarnation};
	struct node *leader = world_leader(w);

	return leader && voters_has(replica_voters(leader->replica), &self);
}

/* Voters whose disk is gone for good. */
unsigned fault_lost_voters(struct world *w)
{
	struct node *leader = world_leader(w);
	unsigned lost = 0;

	for (size_t i = 0; leader && i < replica_voters(leader->replica)->count; i++)
		lost += !world_has(w, &replica_voters(leader->replica)->items[i]);
	return lost;
}

/* One more voter may lose its disk: a majority keeps theirs, also of a list that is one shorter. */
static bool may_lose(struct world *w)
{
	unsigned voters = fault_voters(w);

	return voters >= 3 && fault_lost_voters(w) + 1 <= (voters - 2) / 2;
}

static bool is_remembered(const struct world *w, const struct node *n)
{
	const struct replica_meta *own = &n->disk.synced.meta;

	for (unsigned i = 0; i < w->node_count; i++) {
		const struct replica_meta *meta;

		if (&w->nodes[i] == n || !w->nodes[i].replica)
			continue;
		meta = replica_meta(w->nodes[i].replica);
		for (size_t k = 0; k < meta->seen_count; k++)
			if (uuid_equal(&meta->seen[k].incarnation, &own->incarnation) &&
			    meta->seen[k].measure.promised == own->promised &&
			    position_compare(meta->seen[k].measure.accepted, own->accepted) == 0)
				return true;
	}
	return false;
}

/* The disk as it was some time ago. Somebody must remember, and nothing else may go wrong meanwhile: what no
 * living member remembers cannot be seen. */
static void roll_back(struct world *w, struct node *n)
{
	struct image old = n->disk.old;

	if (!is_all_well(w) || !n->disk.has_old || !is_remembered(w, n) || !fault_is_voter(w, n) ||
	    !may_lose(w))
		return;
	w->guard_until = w->now + 6 * USEC_PER_SEC;
	n->may_leave = true;
	node_crash(w, n, true);
	oracle_bury(w, &n->disk.synced);
	image_copy(&n->disk.synced, &old, false);
	world_say(w, "n%u's disk goes back in time", n->id);
	start_later(w, n, 100 * MS);
}

/* Empty; it will join as somebody else. */
static void wipe(struct world *w, struct node *n)
{
	struct member old = {.node = n->id, .incarnation = n->disk.synced.meta.incarnation};
	bool was_voter = fault_is_voter(w, n);

	if (was_voter && !n->is_gone && !may_lose(w))
		return;
	node_crash(w, n, true);
	oracle_bury(w, &n->disk.synced);
	disk_fini(&n->disk);
	n->disk = (struct disk){0};
	n->is_gone = n->is_marked = false;
	n->may_leave = false;
	start_later(w, n, 50 * MS);
	if (was_voter)
		client_admin(w, REQUEST_REMOVE_VOTER, &old);
}

static void copy(struct world *w, struct node *n)
{
	struct node *other = &w->nodes[w->node_count - 1];

	if (!is_all_well(w) || n == other || fault_is_voter(w, other) || !fault_is_voter(w, n) ||
	    !may_lose(w))
		return;
	w->guard_until = w->now + 4 * USEC_PER_SEC;
	n->may_leave = other->may_leave = true;
	node_crash(w, other, true);
	disk_fini(&other->disk);
	other->disk = (struct disk){0};
	image_copy(&other->disk.synced, &n->disk.synced, true);
	start_later(w, other, 50 * MS);
}

/* asked at `at`; NULL: anywhere */
static void change_voters_at(struct world *w, struct node *at, struct node *n,
			     enum request_kind kind)
{
	struct member member = {.node = n->id, .incarnation = n->disk.synced.meta.incarnation};

	if (kind == REQUEST_REMOVE_VOTER &&
	    (fault_voters(w) < 2 || 2 * (fault_lost_voters(w) + 1) >= fault_voters(w)))
		return;
	if (at)
		client_admin_at(w, at, kind, &member);
	else
		client_admin(w, kind, &member);
}

static void change_voters(struct world *w, struct node *n, enum request_kind kind)
{
	change_voters_at(w, NULL, n, kind);
}

/* Unsynced writes stay visible to the next process, and are lost a moment later. */
static void kill_power(struct world *w, struct node *n)
{
	if (!n->replica)
		return;
	node_crash(w, n, false);
	start_later(w, n, 1 * MS);
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
static void isolate(struct world *w, struct node *n, const struct fault *f)
{
	for (unsigned i = 0; i < w->node_count; i++)
		w->nodes[i].group = 0;
	n->group = 1;
	net_break(w);
	net_reform_soon(w, 50 * MS + (f->detail >> 48) % w->schedule->detection);
	if (!n->replica || n->is_paused)
		return;
	if (f->detail >> 8 & 1)
		contend(w, n);
	for (unsigned i = 0; i < 1 + f->detail % 4 && n->replica; i++)
		client_write_at(w, n, false);
}

static void blackout(struct world *w, const struct fault *f)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		if (!w->nodes[i].replica)
			continue;
		node_crash(w, &w->nodes[i], true);
		start_later(w, &w->nodes[i], rng_below(&w->rng, f->length + 1));
	}
}

static void burst(struct world *w, const struct fault *f)
{
	for (unsigned i = 0; i < 3 + f->detail % 8; i++)
		world_add(w, (struct happening){
				     .at = w->now +
					   rng_below(&w->rng, 1 + (f->detail >> 8) % (120 * MS)),
				     .kind = HAPPEN_WRITE});
}

/* Joins and leaves, one upon the other; a majority of each list keeps its disks. */
static void churn(struct world *w, const struct fault *f)
{
	for (unsigned i = 0; i < 2 + f->detail % 4; i++) {
		struct node *n = &w->nodes[rng_below(&w->rng, w->node_count)];

		change_voters(w, n,
			      fault_is_voter(w, n) ? REQUEST_REMOVE_VOTER : REQUEST_ADD_VOTER);
	}
}

static usec_t length_of(const struct fault *f)
{
	if (f->kind == FAULT_FORCE)
		return 3 * USEC_PER_SEC;
	return f->kind == FAULT_KILL_POWER ? 5 * MS + f->length % (15 * MS) : f->length;
}

void fault_begin(struct world *w, size_t i)
{
	struct fault *f = &w->schedule->faults[i];
	struct node *n = target(w, f);

	if (f->is_off || w->is_ending || w->guard_until > w->now)
		return;
	world_say(w, "fault %zu: %s, n%u", i, fault_name(f->kind), n->id);
	switch (f->kind) {
	case FAULT_KILL:
	case FAULT_POWER:
		kill_node(w, n, f);
		break;
	case FAULT_PAUSE:
		node_pause(w, n);
		break;
	case FAULT_FREEZE:
		freeze(w, n);
		break;
	case FAULT_PARTITION:
		partition(w, f);
		break;
	case FAULT_ONE_WAY:
		w->one_way[n->at][f->detail % w->node_count] = true;
		break;
	case FAULT_SLOW_DISK:
		n->disk.slow_until = w->now + f->length;
		break;
	case FAULT_FULL_DISK:
		n->disk.is_full = true;
		break;
	case FAULT_FAILED_SYNC:
		n->disk.fails_next = true;
		break;
	case FAULT_ROLLBACK:
		roll_back(w, n);
		break;
	case FAULT_WIPE:
		wipe(w, n);
		break;
	case FAULT_COPY:
		copy(w, n);
		break;
	case FAULT_ADD:
		change_voters(w, n, REQUEST_ADD_VOTER);
		break;
	case FAULT_REMOVE:
		change_voters(w, n, REQUEST_REMOVE_VOTER);
		break;
	case FAULT_KILL_POWER:
		kill_power(w, n);
		break;
	case FAULT_BLACKOUT:
		blackout(w, f);
		break;
	case FAULT_ISOLATE:
		isolate(w, n, f);
		break;
	case FAULT_BURST:
		burst(w, f);
		break;
	case FAULT_CHURN:
		churn(w, f);
		break;
	case FAULT_FORCE:
		force_lose_majority(w, f);
		break;
	default:
		return;
	}
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
	} else if (f->kind == FAULT_KILL_POWER) {
		if (!n->replica)
			return;
		node_crash(w, n, true);
		start_later(w, n, 20 * MS);
	} else if (f->kind == FAULT_FORCE) {
		force_go_on(w, i);
	} else if (f->kind == FAULT_FAILED_SYNC || f->kind == FAULT_FULL_DISK) {
		for (unsigned k = 0; k < w->node_count; k++)
			if (w->nodes[k].is_marked && !w->nodes[k].is_gone) {
				node_crash(w, &w->nodes[k], true);
				start_later(w, &w->nodes[k], 100 * MS);
			}
	}
}
