/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run of one schedule: founding, load and faults, then all is mended and must come to life and to rest. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/sim.h"

void world_say(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->is_verbose)
		return;
	printf("# %9.3f  ", (double)w->now / 1e6);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* ---- the heap of what is to happen ---- */

static bool is_before(const struct happening *a, const struct happening *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void world_add(struct world *w, struct happening h)
{
	size_t i;

	if (w->heap_count == w->heap_capacity) {
		w->heap_capacity = w->heap_capacity ? 2 * w->heap_capacity : 256;
		w->heap = xrealloc(w->heap, w->heap_capacity, sizeof(w->heap[0]));
	}
	h.order = ++w->order;
	for (i = w->heap_count++; i > 0 && is_before(&h, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = h;
}

static struct happening take(struct world *w)
{
	struct happening first = w->heap[0], last = w->heap[--w->heap_count];
	size_t i = 0, n = w->heap_count;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < n && is_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (child >= n || !is_before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

void world_free_happening(struct happening *h)
{
	blob_unref(h->blob);
	free(h->view);
}

struct node *world_leader(struct world *w)
{
	struct node *best = NULL;

	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (n->replica && replica_leads(n->replica) &&
		    (!best || replica_leads(n->replica) > replica_leads(best->replica)))
			best = n;
	}
	return best;
}

bool world_has(const struct world *w, const struct member *member)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i].id == member->node && !w->nodes[i].is_gone &&
		    uuid_equal(&w->nodes[i].disk.synced.meta.incarnation, &member->incarnation))
			return true;
	return false;
}

static void happen(struct world *w, struct happening *h)
{
	struct node *n = &w->nodes[h->node];

	switch (h->kind) {
	case HAPPEN_DELIVER:
		if (h->ring && (n->ring != h->ring || w->rings[h->ring - 1].is_broken)) {
			world_free_happening(h);
			return;
		}
		if (h->ring)
			n->delivered = h->number;
		node_take(w, n, h);
		return;
	case HAPPEN_VIEW:
	case HAPPEN_SYNC:
	case HAPPEN_TICK:
		node_take(w, n, h);
		return;
	case HAPPEN_REFORM:
		net_reform(w);
		return;
	case HAPPEN_FAULT:
		fault_begin(w, h->number);
		return;
	case HAPPEN_FAULT_END:
		fault_end(w, h->number, n);
		return;
	case HAPPEN_WRITE:
		client_write(w, false);
		return;
	case HAPPEN_START:
		node_start(w, n);
		return;
	case HAPPEN_RETRY:
		client_retry(w, h->number);
		return;
	}
}

/* Lets everything happen up to `until`, or until one invariant broke or a condition holds. */
bool world_run_until(struct world *w, usec_t until, bool (*is_enough)(struct world *w))
{
	while (w->heap_count > 0 && w->heap[0].at <= until && !w->oracle.broken) {
		struct happening h = take(w);

		w->still = h.at > w->now ? 0 : w->still + 1;
		if (w->still > 100000)
			oracle_fail(w, INV_LIVENESS, "time stands still");
		w->now = h.at > w->now ? h.at : w->now;
		happen(w, &h);
		if (is_enough && is_enough(w))
			return true;
	}
	if (!w->oracle.broken && w->now < until)
		w->now = until;
	return false;
}

/* ---- beginning ---- */

/* Empty databases that belong to a cluster or found one, once they are open. */
void world_join_waiting(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		struct event ev = {.type = EV_JOIN, .join = {.cluster = w->cluster}};

		if (!n->replica || replica_role(n->replica) != ROLE_WAITING)
			continue;
		if (w->was_forced)
			ev.join.fork = w->oracle.histories[1].fork;
		if (i == 0 && w->oracle.histories[0].count == 0)
			ev = (struct event){.type = EV_FOUND, .cluster = w->cluster};
		else if (w->oracle.histories[0].count == 0)
			continue;
		node_step(w, n, &ev);
	}
}

static bool has_voters(struct world *w, unsigned count)
{
	struct node *leader = world_leader(w);

	return leader && replica_voters(leader->replica)->count >= count &&
	       replica_committed(leader->replica) == log_last(replica_log(leader->replica)).index;
}

static void begin(struct world *w)
{
	unsigned voters = 1;

	for (unsigned i = 0; i < w->node_count; i++)
		node_start(w, &w->nodes[i]);
	for (int k = 0; k < 400 && !has_voters(w, w->schedule->voters) && !w->oracle.broken; k++) {
		world_run_until(w, w->now + 50 * MS, NULL);
		world_join_waiting(w);
		if (k % 10 == 2 && has_voters(w, voters) && voters < w->schedule->voters) {
			struct node *n = &w->nodes[voters];
			struct member member = {.node = n->id,
						.incarnation = n->disk.synced.meta.incarnation};

			client_admin(w, REQUEST_ADD_VOTER, &member);
		}
		while (voters < w->schedule->voters && has_voters(w, voters + 1))
			voters++;
	}
	if (!has_voters(w, w->schedule->voters))
		oracle_fail(w, INV_LIVENESS, "the cluster does not form");
}

/* ---- all of it ---- */

static void plan(struct world *w)
{
	struct schedule *s = w->schedule;

	for (size_t i = 0; i < s->fault_count; i++)
		world_add(w, (struct happening){.at = w->now + s->faults[i].at,
						.kind = HAPPEN_FAULT,
						.number = i});
	for (unsigned i = 0; i < s->writes; i++)
		world_add(w, (struct happening){.at = w->now + rng_below(&w->rng, s->length),
						.kind = HAPPEN_WRITE});
}

/* Who was wiped waits to be joined: an admin looks now and then. */
static void run_schedule(struct world *w)
{
	usec_t until = w->now + w->schedule->length;

	while (w->now < until && !w->oracle.broken) {
		usec_t next = w->now + w->schedule->admin;

		world_run_until(w, next < until ? next : until, NULL);
		world_join_waiting(w);
	}
}

/* Where everybody stands at the end of a replay. */
static void say_nodes(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];
		const struct replica_meta *meta = n->replica ? replica_meta(n->replica) : NULL;

		if (!meta) {
			world_say(w, "n%u does not run%s", n->id, n->is_gone ? " for ever" : "");
			continue;
		}
		world_say(
			w,
			"n%u %s: promised %llu, accepted (%llu, %llu), log (%llu, %llu) from %llu, "
			"committed %llu, applied %llu, %zu voters, disk owes %zu",
			n->id, replica_role_name(replica_role(n->replica)),
			(unsigned long long)meta->promised,
			(unsigned long long)meta->accepted.epoch,
			(unsigned long long)meta->accepted.index,
			(unsigned long long)log_last(replica_log(n->replica)).epoch,
			(unsigned long long)log_last(replica_log(n->replica)).index,
			(unsigned long long)replica_log(n->replica)->base.index,
			(unsigned long long)replica_committed(n->replica),
			(unsigned long long)replica_state(n->replica)->at.index,
			replica_voters(n->replica)->count, n->disk.op_count);
	}
}

static void world_free(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		replica_free(n->replica);
		effects_fini(&n->effects);
		disk_fini(&n->disk);
		for (size_t k = 0; k < n->inbox_count; k++)
			world_free_happening(&n->inbox[k]);
		free(n->inbox);
	}
	for (size_t i = 0; i < w->heap_count; i++)
		world_free_happening(&w->heap[i]);
	free(w->heap);
	for (size_t i = 0; i < w->op_count; i++)
		blob_unref(w->ops[i].payload);
	net_fini(w);
	oracle_fini(&w->oracle);
	free(w);
}

enum invariant world_run(struct schedule *schedule, int mutant, bool is_verbose,
			 struct coverage *coverage, char *what, size_t what_size)
{
	struct world *w = xcalloc(1, sizeof(*w));
	enum invariant broken;

	w->schedule = schedule;
	w->rng.state = schedule->seed ^ 0x5bd1e9955bd1e995u;
	w->mutant = mutant;
	w->is_verbose = is_verbose;
	w->coverage = coverage;
	w->node_count = schedule->voters + schedule->learners;
	w->expected_votes = w->node_count;
	w->oracle.fork_count = 1;
	w->transport = TRANSPORT_FAITHFUL;
	w->now = USEC_PER_SEC;
	rng_uuid(&w->rng, &w->cluster);
	for (unsigned i = 0; i < w->node_count; i++) {
		w->nodes[i].at = i;
		w->nodes[i].id = i + 1;
		w->nodes[i].level = rng_chance(&w->rng, 50) ? SIM_LEVEL : REPLICA_LEVEL;
	}
	begin(w);
	w->transport = schedule->transport;
	plan(w);
	run_schedule(w);
	if (!w->oracle.broken)
		world_end(w);
	broken = w->oracle.broken;
	say_nodes(w);
	snprintf(what, what_size, "%s", w->oracle.what);
	if (coverage)
		coverage->schedules++;
	world_free(w);
	return broken;
}
