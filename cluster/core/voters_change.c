/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S8: the list of voters, one member at a time; and the level of the rules. Pure. */
#include "cluster/core/replica_private.h"

#define CHANGES_MAX 8

/* The state that the log continues from. */
static const struct state *settled(const struct replica *r)
{
	return r->installing ? r->installing : r->state;
}

void voters_at(const struct replica *r, uint64_t index, struct voters *ret)
{
	const struct state *state = settled(r);
	uint64_t newest = log_voters_index(&r->log, index);
	const struct log_entry *e = newest > state->voters_index ? log_at(&r->log, newest) : NULL;
	struct entry entry;
	struct uuid id;

	*ret = state->voters;
	if (!e)
		return;
	entry = log_entry_decode(e);
	voters_payload_decode(entry.payload, entry.payload_size, &id, ret);
}

void voters_refresh(struct replica *r)
{
	voters_at(r, log_last(&r->log).index, &r->voters);
}

void lead_append_voters(struct replica *r, const struct uuid *id, const struct voters *voters)
{
	autobuf payload = BUF_INIT;

	voters_payload_encode(id, voters, &payload);
	lead_append_one(r, ENTRY_VOTERS, payload.data, payload.size);
}

void change_add(struct replica *r, struct gathered *g)
{
	if (r->change_count >= CHANGES_MAX) {
		free(g);
		return;
	}
	list_append(&r->changes, &g->node);
	r->change_count++;
}

enum verdict { VERDICT_WAIT, VERDICT_DROP, VERDICT_DONE };

/* Nothing is to be changed: a barrier with its id tells the origin. */
static enum verdict already(struct replica *r, const struct gathered *g)
{
	lead_append_one(r, ENTRY_BARRIER, g->id.bytes, sizeof(g->id.bytes));
	return VERDICT_DONE;
}

/* Its program knows the rules that are in force, or soon will be: those of earlier epochs have been applied. */
static bool knows_rules(const struct replica *r, const struct peer *p)
{
	return (r->state->at.index >= r->barrier && p->level >= r->state->level &&
		p->level >= r->level) ||
	       MUTANT(r, ADMIT_ANY_LEVEL);
}

/* A learner that has nearly everything; a voter that has not would stop commits until it does. */
static bool is_admissible(const struct replica *r, const struct member *member)
{
	const struct peer *p = peer_voter(r, member);

	return p && p->is_in_view && knows_rules(r, p) && p->ack.epoch == r->leader_epoch &&
	       p->ack.index + r->options.admit_window >= log_last(&r->log).index;
}

static enum verdict change_voters(struct replica *r, const struct gathered *g)
{
	struct cursor c = cursor_on(g->payload, g->payload_size);
	struct voters voters = r->voters;
	struct member member = {0};

	member_decode(&c, &member);
	if (c.failed || cursor_left(&c) != 0)
		return VERDICT_DROP;
	if (voters_has(&voters, &member) == (g->kind == REQUEST_ADD_VOTER))
		return already(r, g);
	if (g->kind == REQUEST_ADD_VOTER) {
		if (!voters_add(&voters, &member))
			return VERDICT_DROP;
		if (!is_admissible(r, &member))
			return VERDICT_WAIT;
	} else if (!voters_remove(&voters, &member) || voters.count == 0) {
		return VERDICT_DROP;
	}
	lead_append_voters(r, &g->id, &voters);
	return VERDICT_DONE;
}

static enum verdict change_level(struct replica *r, const struct gathered *g)
{
	struct cursor c = cursor_on(g->payload, g->payload_size);
	uint32_t level = cursor_u32(&c);
	autobuf payload = BUF_INIT;

	if (c.failed || cursor_left(&c) != 0)
		return VERDICT_DROP;
	if (level <= r->state->level)
		return already(r, g);
	for (size_t i = 0; i < r->voters.count; i++) {
		const struct peer *p = peer_voter(r, &r->voters.items[i]);

		if (!MUTANT(r, LEVEL_UNCHECKED) && (!p || !p->is_in_view || p->level < level))
			return VERDICT_WAIT;
	}
	uuid_encode(&g->id, &payload);
	buf_add_u32(&payload, level);
	r->level = level;
	lead_append_one(r, ENTRY_LEVEL, payload.data, payload.size);
	return VERDICT_DONE;
}

/* The next change may be made: the leader's own epoch and the last list are committed. */
static bool may_change(const struct replica *r)
{
	if (!replica_leads(r) || write_is_full(r))
		return false;
	if (r->commit < r->barrier && !MUTANT(r, CHANGE_BEFORE_BARRIER))
		return false;
	return log_voters_index(&r->log, log_last(&r->log).index) <= r->commit ||
	       MUTANT(r, TWO_CHANGES);
}

void change_try(struct replica *r)
{
	LIST_FOREACH (&r->changes, g, struct gathered, node) {
		enum verdict verdict;

		if (!may_change(r))
			return;
		verdict = g->kind == REQUEST_LEVEL ? change_level(r, g) : change_voters(r, g);
		if (verdict == VERDICT_WAIT)
			continue;
		LIST_FOREACH (&r->requests, q, struct request, node)
			if (verdict == VERDICT_DONE && uuid_equal(&q->id, &g->id))
				q->is_sent = true;
		list_remove(&g->node);
		r->change_count--;
		free(g);
	}
}

/* A leader that removed itself has led up to here without counting itself. */
void voters_applied(struct replica *r)
{
	struct member self = replica_self(r).member;

	if (r->role != ROLE_LEADING || voters_has(&r->voters, &self))
		return;
	lead_stop(r);
	round_start(r);
}
