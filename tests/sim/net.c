/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two transports. Faithful: a ring delivers the same messages in the same order to its members; when the
 * membership changes, those who stay together deliver the same rest, which may have gaps, then see the new view.
 * Adversarial: messages are lost, repeated, late and out of order, and views say nothing about that. */
#include <string.h>

#include "cluster/core/difference.h"
#include "tests/sim/sim.h"

#define STORM	      60000 /* messages of a schedule: several times what any needs */
#define FALSE_PERCENT 5

bool net_is_connected(const struct node *a, const struct node *b)
{
	return a->group == b->group;
}

static usec_t latency(struct world *w)
{
	return w->schedule->is_even ? 1000 : rng_between(&w->rng, 100, 3000);
}

static struct ring *ring_find(struct world *w, uint64_t id)
{
	return id && id <= w->ring_count ? &w->rings[id - 1] : NULL;
}

static void plan_delivery(struct world *w, struct node *n, uint64_t ring, uint64_t number,
			  const struct ring_message *m, usec_t at)
{
	if (at <= n->last_delivery)
		at = n->last_delivery + 1;
	n->last_delivery = at;
	world_add(w, (struct happening){.at = at,
					.kind = HAPPEN_DELIVER,
					.node = n->at,
					.from = m->from,
					.pid = n->pid,
					.ring = ring,
					.number = number,
					.blob = blob_ref(m->blob)});
}

static void send_faithful(struct world *w, struct node *n, struct blob *blob)
{
	struct ring *ring = ring_find(w, n->ring);
	struct ring_message *m;

	if (!ring)
		return;
	if (ring->count == ring->capacity) {
		ring->capacity = ring->capacity ? 2 * ring->capacity : 64;
		ring->messages =
			xrealloc(ring->messages, ring->capacity, sizeof(ring->messages[0]));
	}
	m = &ring->messages[ring->count++];
	*m = (struct ring_message){.blob = blob_ref(blob), .from = n->at};
	if (ring->is_broken)
		return;
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *to = &w->nodes[i];

		if (to->replica && to->ring == n->ring && to != n)
			plan_delivery(w, to, n->ring, ring->count, m, w->now + latency(w));
	}
}

static void send_adversarial(struct world *w, struct node *n, struct blob *blob)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *to = &w->nodes[i];
		unsigned copies = rng_chance(&w->rng, 4) ? 2 : 1;

		if (to == n || !to->replica || !net_is_connected(n, to) ||
		    w->one_way[n->at][to->at] || rng_chance(&w->rng, w->schedule->drop))
			continue;
		for (unsigned k = 0; k < copies; k++) {
			usec_t delay = latency(w);

			if (rng_chance(&w->rng, w->schedule->late))
				delay = rng_between(&w->rng, 3, 80) * MS;
			if (rng_chance(&w->rng, w->schedule->very_late))
				delay = rng_between(&w->rng, 100, 4000) * MS;
			world_add(w, (struct happening){.at = w->now + delay,
							.kind = HAPPEN_DELIVER,
							.node = i,
							.from = n->at,
							.pid = to->pid,
							.blob = blob_ref(blob)});
		}
	}
}

void net_send(struct world *w, struct node *n, struct blob *blob)
{
	if (++w->sent > STORM)
		oracle_fail(w, INV_IDLE, "the members talk without end");
	if (w->transport == TRANSPORT_FAITHFUL)
		send_faithful(w, n, blob);
	else
		send_adversarial(w, n, blob);
}

void net_reform_soon(struct world *w, usec_t delay)
{
	world_add(w, (struct happening){.at = w->now + delay, .kind = HAPPEN_REFORM});
}

void net_break(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned k = 0; k < w->node_count; k++) {
			struct node *a = &w->nodes[i], *b = &w->nodes[k];
			struct ring *ring = ring_find(w, a->ring);

			if (ring && a->ring == b->ring && !net_is_connected(a, b))
				ring->is_broken = true;
		}
}

/* Members of the group that are together: the component of one node. */
static unsigned members_of(const struct world *w, unsigned group)
{
	unsigned set = 0;

	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i].replica && w->nodes[i].group == group)
			set |= 1u << i;
	return set;
}

static bool is_unchanged(const struct world *w, unsigned set)
{
	uint64_t ring = 0;

	for (unsigned i = 0; i < w->node_count; i++) {
		if (!(set & 1u << i))
			continue;
		if (!w->nodes[i].ring || (ring && w->nodes[i].ring != ring))
			return false;
		ring = w->nodes[i].ring;
	}
	for (unsigned i = 0; i < w->node_count; i++) /* nobody else was in it */
		if (!(set & 1u << i) && w->nodes[i].ring == ring)
			return false;
	return ring != 0 && !w->rings[ring - 1].is_broken;
}

/* What those of the old ring who stay together deliver before the new view: the same for all, with gaps. */
static void deliver_rest(struct world *w, unsigned set, uint64_t id)
{
	struct ring *ring = ring_find(w, id);
	size_t low = ring->count, high = 0;

	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (!(set & 1u << i) || n->ring != id)
			continue;
		low = n->delivered < low ? n->delivered : low;
		high = n->delivered > high ? n->delivered : high;
	}
	for (size_t k = low; k < ring->count; k++) {
		struct ring_message *m = &ring->messages[k];
		bool has_sender = (set & 1u << m->from) && w->nodes[m->from].ring == id;

		if (k >= high && !has_sender && rng_chance(&w->rng, 40))
			continue;
		for (unsigned i = 0; i < w->node_count; i++) {
			struct node *n = &w->nodes[i];

			if ((set & 1u << i) && n->ring == id && n->delivered <= k && m->from != i)
				plan_delivery(w, n, 0, 0, m, w->now + 1);
		}
	}
}

static void view_plan(struct world *w, unsigned set, struct node *n, uint64_t ring, bool is_quorate)
{
	struct event_view *v = xcalloc(1, sizeof(*v) + SIM_NODES * sizeof(struct view_member));
	struct view_member *members = (struct view_member *)(v + 1);
	usec_t at = w->now + latency(w);

	v->ring = ring;
	v->members = members;
	for (unsigned i = 0; i < w->node_count; i++)
		if (set & 1u << i)
			members[v->count++] = (struct view_member){
				.node = w->nodes[i].id, .pid = (uint32_t)w->nodes[i].pid};
	v->ring_node = members[0].node;
	if (at <= n->last_delivery)
		at = n->last_delivery + 1;
	n->last_delivery = at;
	world_add(w, (struct happening){.at = at,
					.kind = HAPPEN_VIEW,
					.node = n->at,
					.pid = n->pid,
					.view = v,
					.is_quorate = is_quorate});
}

static void reform(struct world *w, unsigned set, unsigned group)
{
	unsigned machines = 0;
	uint64_t id;

	if (w->ring_count == ARRAY_SIZE(w->rings))
		return;
	if (w->transport == TRANSPORT_FAITHFUL)
		for (uint64_t old = 1; old <= w->ring_count; old++)
			deliver_rest(w, set, old);
	id = ++w->ring_count;
	w->rings[id - 1] = (struct ring){.id = id};
	for (unsigned i = 0; i < w->node_count; i++)
		machines += w->nodes[i].is_up && w->nodes[i].group == group;
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (!(set & 1u << i))
			continue;
		n->ring = id;
		n->delivered = 0;
		view_plan(w, set, n, id, 2 * machines > w->expected_votes);
	}
}

void net_reform(struct world *w)
{
	for (unsigned group = 0; group < SIM_NODES; group++) {
		unsigned set = members_of(w, group);

		if (set && !is_unchanged(w, set))
			reform(w, set, group);
	}
}

void net_fini(struct world *w)
{
	for (size_t i = 0; i < w->ring_count; i++) {
		for (size_t k = 0; k < w->rings[i].count; k++)
			blob_unref(w->rings[i].messages[k].blob);
		free(w->rings[i].messages);
	}
}

/* Lists that are right prove little of what sees to it that they need not be. */
struct blob *net_falsify(struct world *w, const struct node *n, struct blob *blob)
{
	const struct node *other = &w->nodes[rng_below(&w->rng, w->node_count)];
	autobuf list = BUF_INIT, data = BUF_INIT;
	struct message m;

	if (w->mutant == MUTANT_DIFFERENCE_OTHER_BASE) /* must be caught by what it does itself */
		return blob_ref(blob);
	if ((uint8_t)blob->data[1] != MSG_LIST || !rng_chance(&w->rng, FALSE_PERCENT) ||
	    !other->replica || other == n || message_decode(blob->data, blob->size, &m, NULL) < 0 ||
	    m.list.size != m.list.total)
		return blob_ref(blob);
	list_encode(replica_state(other->replica)->kv, &list);
	if (list.size == 0)
		return blob_ref(blob);
	m.list.data = list.data;
	m.list.size = m.list.total = list.size;
	message_encode(&m, &data);
	world_say(w, "n%u lists what n%u has", n->id, other->id);
	if (w->coverage)
		w->coverage->false_lists++;
	return blob_new(data.data, data.size);
}
