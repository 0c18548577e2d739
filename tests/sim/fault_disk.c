/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that are lost, copied, or go back in time. Only what somebody can notice is promised, and only a majority that
 * keeps its disks: these faults look first whether they may be. */
#include "tests/sim/sim.h"

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
bool fault_roll_back(struct world *w, struct node *n, const struct fault *f)
{
	struct image old = n->disk.old;

	(void)f;
	if (!is_all_well(w) || !n->disk.has_old || !is_remembered(w, n) || !fault_is_voter(w, n) ||
	    !may_lose(w))
		return false;
	w->guard_until = w->now + 6 * USEC_PER_SEC;
	n->may_leave = true;
	node_crash(w, n, true);
	oracle_bury(w, &n->disk.synced);
	image_copy(&n->disk.synced, &old, false);
	world_say(w, "n%u's disk goes back in time", n->id);
	fault_start_later(w, n, 100 * MS);
	return true;
}

/* Empty; it will join as somebody else. */
bool fault_wipe(struct world *w, struct node *n, const struct fault *f)
{
	struct member old = {.node = n->id, .incarnation = n->disk.synced.meta.incarnation};
	bool was_voter = fault_is_voter(w, n);

	(void)f;
	if (was_voter && !n->is_gone && !may_lose(w))
		return false;
	node_crash(w, n, true);
	oracle_bury(w, &n->disk.synced);
	disk_fini(&n->disk);
	n->disk = (struct disk){0};
	n->is_gone = n->is_marked = false;
	n->may_leave = false;
	fault_start_later(w, n, 50 * MS);
	if (was_voter)
		client_admin(w, REQUEST_REMOVE_VOTER, &old);
	return true;
}

bool fault_copy(struct world *w, struct node *n, const struct fault *f)
{
	struct node *other = &w->nodes[w->node_count - 1];

	(void)f;
	if (!is_all_well(w) || n == other || fault_is_voter(w, other) || !fault_is_voter(w, n) ||
	    !may_lose(w))
		return false;
	w->guard_until = w->now + 4 * USEC_PER_SEC;
	n->may_leave = other->may_leave = true;
	node_crash(w, other, true);
	disk_fini(&other->disk);
	other->disk = (struct disk){0};
	image_copy(&other->disk.synced, &n->disk.synced, true);
	fault_start_later(w, other, 50 * MS);
	return true;
}

bool fault_slow_disk(struct world *w, struct node *n, const struct fault *f)
{
	n->disk.slow_until = w->now + f->length;
	return n->replica;
}

/* Until the fault ends: a process that starts meanwhile does not get far. */
bool fault_full_disk(struct world *w, struct node *n, const struct fault *f)
{
	(void)w;
	(void)f;
	n->disk.is_full = true;
	return n->replica;
}

bool fault_failed_sync(struct world *w, struct node *n, const struct fault *f)
{
	(void)w;
	(void)f;
	n->disk.fails_next = true;
	return n->replica;
}
