/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A majority is lost for good, and one survivor goes on alone in a new fork. */
#include <string.h>

#include "tests/sim/sim.h"

/* A majority is gone for good; the survivor with the highest position goes on alone. */
bool force_lose_majority(struct world *w, struct node *who, const struct fault *f)
{
	unsigned voters = fault_voters(w), left = 0;

	(void)who;
	if (voters < 3 || w->was_forced || fault_lost_voters(w) || w->guard_until > w->now)
		return false;
	w->has_lost_majority = true;
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[(i + f->detail) % w->node_count];

		if (fault_is_voter(w, n) && left++ >= (voters - 1) / 2) {
			n->is_gone = true;
			continue;
		}
	}
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		n->group = 0;
		if (!n->is_gone)
			continue;
		node_crash(w, n, true);
		oracle_bury(w, &n->disk.synced);
	}
	net_break(w);
	net_reform_soon(w, 200 * MS);
	return true;
}

/* The history of the new fork begins with what it shares with the old one. */
static void oracle_fork(struct world *w, struct node *n, const struct uuid *fork)
{
	struct oracle *o = &w->oracle;
	struct history *from = &o->histories[0], *to = &o->histories[1];
	const struct log *log = replica_log(n->replica);

	*to = (struct history){.fork = *fork};
	for (uint64_t i = 1; i <= from->count; i++) {
		const struct log_entry *e = log_at(log, i);
		struct entry entry;

		if (i > log->base.index &&
		    (!e || memcmp(e->hash, from->items[i].hash, SHA256_SIZE) != 0))
			break;
		to->items[i] = from->items[i];
		log_entry_ref(to->items[i].entry);
		to->count = i;
		if (!to->items[i].is_applied)
			continue;
		entry = log_entry_decode(to->items[i].entry);
		if (to->items[i].has_request)
			model_apply(&o->models[1], &entry);
	}
	o->fork_count = 2;
	o->answered = 0;
	for (size_t i = 0; i < w->op_count; i++)
		w->ops[i].asked_after = 0;
}

static struct node *best_survivor(struct world *w)
{
	struct node *best = NULL;

	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (n->replica && !n->is_paused && replica_role(n->replica) != ROLE_WAITING &&
		    replica_role(n->replica) != ROLE_OPENING &&
		    (!best || position_compare(log_last(replica_log(n->replica)),
					       log_last(replica_log(best->replica))) > 0))
			best = n;
	}
	return best;
}

/* Its log needs a newer program: that comes first. */
static void upgrade(struct world *w, struct node *n, size_t fault)
{
	n->level = SIM_LEVEL;
	node_crash(w, n, false);
	node_start(w, n);
	world_add(w, (struct happening){.at = w->now + 1000 * MS,
					.kind = HAPPEN_FAULT_END,
					.node = n->at,
					.number = fault});
}

void force_go_on(struct world *w, size_t fault)
{
	struct node *n = best_survivor(w);
	struct uuid fork;
	int ret = -1;
	struct event ev = {.type = EV_FORCE, .force = {.ret = &ret}};
	uint64_t answered = w->oracle.answered;
	unsigned votes = w->expected_votes;

	if (!w->has_lost_majority || w->was_forced || !n)
		return;
	rng_uuid(&w->rng, &fork);
	ev.force.fork = fork;
	oracle_fork(w, n, &fork);
	w->was_forced = true;
	w->expected_votes = 1;
	node_step(w, n, &ev);
	if (ret < 0) { /* not the highest after all */
		for (uint64_t i = 1; i <= w->oracle.histories[1].count; i++)
			log_entry_unref(w->oracle.histories[1].items[i].entry);
		memset(&w->oracle.histories[1], 0, sizeof(w->oracle.histories[1]));
		memset(&w->oracle.models[1], 0, sizeof(w->oracle.models[1]));
		w->oracle.fork_count = 1;
		w->oracle.answered = answered;
		w->was_forced = false;
		w->expected_votes = votes;
		if (ret == -ERR_UNSUPPORTED)
			upgrade(w, n, fault);
		return;
	}
	world_say(w, "n%u goes on alone", n->id);
	net_reform_soon(w, 10 * MS);
}
