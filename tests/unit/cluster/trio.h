/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two to five real replicas, each with its disk, joined by a wire on which nothing moves by itself: the test delivers,
 * loses, syncs, kills and lets time pass, one by one. Nodes are 1 to count. */
#pragma once

#include "tests/unit/cluster/puppet.h"

#define TRIO_MAX   5
#define TRIO_NOTES 4096
#define TRIO_ALL   0x3eu /* set of nodes: bit n is node n */

/* A message, and who has yet to get it. */
struct trio_note {
	uint32_t from;
	unsigned owed; /* set */
	struct buf data;
};

struct trio {
	size_t count;
	struct puppet nodes[TRIO_MAX + 1]; /* [0] is nobody */
	struct trio_note notes[TRIO_NOTES];
	size_t note_count;
	uint64_t ring;
	usec_t now;
};

static inline struct puppet *trio_node(struct trio *t, uint32_t node)
{
	assert_in_range(node, 1, t->count);
	return &t->nodes[node];
}

static inline unsigned trio_running(const struct trio *t)
{
	unsigned set = 0;

	for (uint32_t i = 1; i <= t->count; i++)
		set |= t->nodes[i].r ? 1u << i : 0;
	return set;
}

/* What the node has just said goes onto the wire. */
static inline void trio_listen(struct trio *t, uint32_t node)
{
	struct puppet *p = trio_node(t, node);

	for (size_t i = 0; i < p->out.count; i++) {
		struct effect *e = &p->out.items[i];

		if (e->type != EFFECT_SEND)
			continue;
		assert_true(t->note_count < TRIO_NOTES); /* or they talk without end */
		t->notes[t->note_count++] = (struct trio_note){
			.from = node, .owed = trio_running(t) & ~(1u << node), .data = e->send};
		e->send = BUF_INIT;
	}
}

static inline void trio_step(struct trio *t, uint32_t node, struct event ev)
{
	trio_node(t, node)->now = t->now;
	puppet_step(trio_node(t, node), ev);
	trio_listen(t, node);
}

/* All that the node wanted written is on its disk; false: there was nothing. */
static inline bool trio_sync(struct trio *t, uint32_t node)
{
	struct puppet *p = trio_node(t, node);

	puppet_write(p);
	if (!p->r || p->disk.op_count == 0)
		return false;
	p->now = t->now;
	puppet_synced(p);
	trio_listen(t, node);
	return true;
}

static inline void trio_deliver(struct trio *t, struct trio_note *note, uint32_t to)
{
	note->owed &= ~(1u << to);
	if (t->nodes[to].r)
		trio_step(
			t, to,
			(struct event){.type = EV_MESSAGE,
				       .message = {note->from, note->data.data, note->data.size}});
}

/* The oldest message of that type that `to` has yet to get of `from`; false: there is none. */
static inline bool trio_try(struct trio *t, uint32_t from, uint32_t to, enum message_type type)
{
	for (size_t i = 0; i < t->note_count; i++) {
		struct trio_note *note = &t->notes[i];

		if (note->from != from || !(note->owed & 1u << to) ||
		    (uint8_t)note->data.data[1] != type)
			continue;
		trio_deliver(t, note, to);
		return true;
	}
	return false;
}

static inline void trio_pass(struct trio *t, uint32_t from, uint32_t to, enum message_type type)
{
	if (!trio_try(t, from, to, type))
		fail_msg("n%u has no %s for n%u", from, message_name(type), to);
}

/* Whatever is on the way to or from that node is lost. */
static inline void trio_lose(struct trio *t, uint32_t node)
{
	for (size_t i = 0; i < t->note_count; i++)
		t->notes[i].owed &= t->notes[i].from == node ? 0 : ~(1u << node);
}

/* Messages and syncs of that set of nodes, until there are none any more. No time passes. */
static inline void trio_run(struct trio *t, unsigned set)
{
	bool has_moved = true;

	while (has_moved) {
		has_moved = false;
		for (size_t i = 0; i < t->note_count; i++)
			for (uint32_t to = 1; to <= t->count; to++) {
				if (!(set & 1u << to) || !(set & 1u << t->notes[i].from) ||
				    !(t->notes[i].owed & 1u << to))
					continue;
				trio_deliver(t, &t->notes[i], to);
				has_moved = true;
			}
		for (uint32_t i = 1; i <= t->count; i++)
			has_moved = ((set & 1u << i) && trio_sync(t, i)) || has_moved;
	}
}

/* These see a new configuration of themselves. */
static inline void trio_view(struct trio *t, unsigned set)
{
	struct view_member members[TRIO_MAX];
	size_t n = 0;

	set &= trio_running(t);
	for (uint32_t i = 1; i <= t->count; i++)
		if (set & 1u << i)
			members[n++] = (struct view_member){.node = i, .pid = 1};
	t->ring++;
	for (uint32_t i = 1; i <= t->count; i++) {
		if (!(set & 1u << i))
			continue;
		trio_step(t, i, (struct event){.type = EV_QUORUM, .is_quorate = 2 * n > t->count});
		trio_step(
			t, i,
			(struct event){.type = EV_VIEW,
				       .view = {.ring = t->ring, .members = members, .count = n}});
	}
}

/* The machine loses power: what it had not synced is gone, and what is on the way to it. */
static inline void trio_power_cut(struct trio *t, uint32_t node)
{
	struct puppet *p = trio_node(t, node);

	puppet_write(p);
	effects_clear(&p->out);
	replica_free(TAKE(p->r));
	disk_kill(&p->disk, p->disk.op_count);
	disk_power_cut(&p->disk, 0);
	for (size_t i = 0; i < t->note_count; i++)
		t->notes[i].owed &= ~(1u << node);
}

static inline void trio_power_on(struct trio *t, uint32_t node)
{
	trio_node(t, node)->now = t->now;
	puppet_open(trio_node(t, node));
	trio_listen(t, node);
	trio_sync(t, node);
}

/* Time passes until that node's timer is due. */
static inline void trio_tick(struct trio *t, uint32_t node)
{
	usec_t at = replica_deadline(trio_node(t, node)->r);

	assert_true(at > 0);
	t->now = at > t->now ? at : t->now;
	trio_step(t, node, (struct event){.type = EV_TICK});
}

/* All open in one view, with nodes 1 to `voters` in the first entry; nothing is delivered. Entries travel one by one. */
static inline struct trio *trio_new(size_t count, uint32_t voters)
{
	struct trio *t = xcalloc(1, sizeof(*t));
	struct replica_options options = replica_options_default;
	struct chain c = {0};

	t->count = count;
	t->now = USEC_PER_SEC;
	t->ring = 1;
	options.append_entries = 1;
	chain_voters(&c, 1, voters);
	for (uint32_t i = 1; i <= count; i++) {
		puppet_prepare(&t->nodes[i], &c, i, 1, &options);
		puppet_open(&t->nodes[i]);
		puppet_synced(&t->nodes[i]);
	}
	log_fini(&c.log);
	trio_view(t, TRIO_ALL);
	return t;
}

static inline void trio_free(struct trio *t)
{
	for (uint32_t i = 1; i <= t->count; i++)
		puppet_end(&t->nodes[i], NULL);
	for (size_t i = 0; i < t->note_count; i++)
		buf_fini(&t->notes[i].data);
	free(t);
}
