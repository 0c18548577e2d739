/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a schedule: all is mended; then it must come to life, catch up and come to rest. */
#include <string.h>

#include "tests/sim/sim.h"

#define LIVE_WITHIN (60 * USEC_PER_SEC)
#define REST_WITHIN (90 * USEC_PER_SEC)

/* A disk with a promise that nobody will ever use. false: that one has none to raise */
static bool raise_promise(struct world *w, struct node *n)
{
	struct replica_meta *meta = &n->disk.synced.meta;

	if (n->is_gone || uuid_is_zero(&meta->cluster))
		return false;
	node_crash(w, n, true);
	w->far = n;
	meta->promised += 1000;
	meta->promised_to = (struct claimant){.member = {.node = 99}, .start = 1};
	world_say(w, "n%u promises epoch %llu", n->id, (unsigned long long)meta->promised);
	return true;
}

static void mend(struct world *w)
{
	w->is_ending = true;
	w->transport = TRANSPORT_FAITHFUL;
	memset(w->one_way, 0, sizeof(w->one_way));
	for (unsigned i = 0, at = (unsigned)rng_below(&w->rng, w->node_count); i < w->node_count;
	     i++)
		if (raise_promise(w, &w->nodes[(at + i) % w->node_count]))
			break;
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		n->group = 0;
		n->crash_in = 0;
		n->disk.slow_until = 0;
		n->disk.fails_next = n->disk.is_full = false;
		node_thaw(w, n, true);
		if (n->is_marked && !n->is_gone)
			node_crash(w, n, true);
		/* who belongs to the old fork is joined again as somebody new */
		if (w->was_forced && !n->is_gone && uuid_is_zero(&n->disk.synced.meta.fork)) {
			node_crash(w, n, true);
			disk_fini(&n->disk);
			n->disk = (struct disk){0};
		}
		if (!n->replica)
			node_start(w, n);
	}
	for (size_t i = 0; i < w->ring_count; i++)
		w->rings[i].is_broken = true;
	net_reform(w);
}

/* It runs and belongs to the cluster; a disk that went back to before it was joined does not, though its name is in the
 * list. */
static bool is_active(const struct world *w, const struct member *voter)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i].id == voter->node && w->nodes[i].replica &&
		    !w->nodes[i].is_paused && replica_role(w->nodes[i].replica) != ROLE_WAITING &&
		    uuid_equal(&replica_meta(w->nodes[i].replica)->incarnation,
			       &voter->incarnation))
			return true;
	return false;
}

/* Whatever list turns out to be the newest that counts, its majority is there. A change from three voters to two
 * that was cut off needs both of the two: no protocol can do without. */
static bool has_majorities(const struct world *w)
{
	bool has_any = false;

	for (unsigned i = 0; i < w->node_count; i++) {
		const struct replica *r = w->nodes[i].replica;
		const struct voters *voters = r ? replica_voters(r) : NULL;
		size_t n = 0;

		if (!r || voters->count == 0)
			continue;
		for (size_t k = 0; k < voters->count; k++)
			n += is_active(w, &voters->items[k]);
		if (n < voters_majority(voters))
			return false;
		has_any = true;
	}
	return has_any;
}

static bool is_hopeless(struct world *w)
{
	return (w->has_lost_majority && !w->was_forced) || !has_majorities(w);
}

/* As many as the others can do without hang, their corosync alive; mostly not the one with the far promise. */
static void hang_minority(struct world *w)
{
	for (unsigned k = 0; k < w->node_count; k++) {
		struct node *n = &w->nodes[(k + w->schedule->seed) % w->node_count];

		if (n == w->far && w->schedule->seed % 4)
			continue;
		node_pause(w, n);
		if (!has_majorities(w))
			node_thaw(w, n, false);
	}
}

static bool probe_done(struct world *w)
{
	for (size_t i = w->op_count; i > 0; i--)
		if (w->ops[i - 1].is_probe && w->ops[i - 1].state == OP_ENDED &&
		    w->ops[i - 1].outcome == STORE_DONE)
			return true;
	return false;
}

static void check_live(struct world *w)
{
	usec_t until = w->now + LIVE_WITHIN;

	while (!probe_done(w) && w->now < until && !w->oracle.broken) {
		if (w->op_count < SIM_OPS)
			client_write(w, true);
		world_run_until(w, w->now + 900 * MS, probe_done);
	}
	if (!probe_done(w))
		oracle_fail(w, INV_LIVENESS, "no write is accepted");
}

static void count_live(struct world *w)
{
	unsigned hung = 0;

	for (unsigned i = 0; i < w->node_count; i++)
		hung += w->nodes[i].is_paused;
	if (!w->coverage)
		return;
	w->coverage->lived++;
	w->coverage->hung += hung > 0;
	w->coverage->forked += w->was_forced;
}

static void check_rest(struct world *w)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < w->node_count; i++)
		node_thaw(w, &w->nodes[i], true);
	world_run_until(w, w->now + REST_WITHIN / 2, NULL);
	w->is_quiet = true;
	world_run_until(w, w->now + REST_WITHIN / 2, NULL);
	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i].replica && replica_state(w->nodes[i].replica)->at.index > highest)
			highest = replica_state(w->nodes[i].replica)->at.index;
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (n->replica && replica_role(n->replica) != ROLE_WAITING &&
		    replica_state(n->replica)->at.index < highest)
			oracle_fail(w, INV_LIVENESS, "n%u is at entry %llu of %llu for ever", n->id,
				    (unsigned long long)replica_state(n->replica)->at.index,
				    (unsigned long long)highest);
	}
}

void world_end(struct world *w)
{
	mend(w);
	world_run_until(w, w->now + 300 * MS, NULL);
	world_join_waiting(w);
	world_run_until(w, w->now + 2000 * MS, NULL);
	world_join_waiting(w); /* also who was slow to open */
	world_run_until(w, w->now + CLIENT_ADMIN_PATIENCE - 2000 * MS,
			NULL); /* no change of voters is under way */
	if (w->oracle.broken)
		return;
	if (!is_hopeless(w)) {
		hang_minority(w);
		check_live(w);
		count_live(w);
		if (!w->oracle.broken)
			check_rest(w);
	}
	if (!w->oracle.broken)
		oracle_end(w);
}
