/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Epochs: claiming (L2), leading (S2), stopping (L3). Promises are made in promise.c. Pure. */
#include "cluster/core/replica_private.h"

/* Enough voters are in the view, and it is quorate where that is asked for. */
bool claim_is_possible(const struct replica *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->voters.count; i++)
		for (size_t k = 0; k < r->peer_count; k++)
			n += r->peers[k].node == r->voters.items[i].node && r->peers[k].is_in_view;
	return n > 0 && n >= voters_majority(&r->voters) && (r->is_quorate || r->voters.count == 1);
}

/* A voter of the newest list; while that list is not committed also a voter of the one before: a leader that
 * removed itself and was cut off may hold the only log that can be committed. */
bool claim_is_eligible(struct replica *r)
{
	struct member self = replica_self(r).member;
	uint64_t newest = log_voters_index(&r->log, log_last(&r->log).index);
	struct voters before;

	if (voters_has(&r->voters, &self))
		return true;
	if (newest <= r->commit || MUTANT(r, ELIGIBLE_BY_NEWEST))
		return false;
	voters_at(r, newest - 1, &before);
	return voters_has(&before, &self);
}

static bool is_voter(const struct replica *r, const struct peer *p)
{
	for (size_t i = 0; i < r->voters.count; i++)
		if (peer_is(p, &r->voters.items[i]))
			return true;
	return false;
}

/* How many of those that answered would rather claim. Who is ahead and no voter here may be one in its own log, which has
 * another list: two who each take themselves for the best depose each other for ever. Most are learners: all together
 * they cost one step. */
static unsigned claim_rank(const struct replica *r)
{
	unsigned rank = 0, strangers = 0;

	for (size_t i = 1; i < r->peer_count; i++) {
		const struct peer *p = &r->peers[i];
		int c = position_compare(p->position, log_last(&r->log));

		if (p->answered != r->round)
			continue;
		if (is_voter(r, p))
			rank += c > 0 || (c == 0 && p->node < r->options.node);
		else if (c > 0 && !MUTANT(r, RANK_BY_OWN_LIST))
			strangers = 1;
	}
	return rank + strangers;
}

void claim_plan(struct replica *r)
{
	unsigned rank = claim_rank(r);
	bool is_held = r->now < r->held_until;

	if (!round_has_majority(r) || !claim_is_possible(r) || !claim_is_eligible(r))
		return;
	if (rank == 0 && !is_held)
		claim_start(r);
	else if (!r->claim_at || MUTANT(r, CLAIM_PUT_OFF)) /* rounds come faster than this */
		r->claim_at = rank > 0 ? r->now + r->options.timeout + rank * r->options.rank_step
				       : r->held_until;
}

static void claim_begin(struct replica *r, uint64_t epoch)
{
	r->meta.promised = epoch;
	r->meta.promised_to = replica_self(r);
	r->meta.promised_at = log_last(&r->log);
	r->role = ROLE_CLAIMING;
	r->leader = 0;
	r->claim_is_sent = false;
	r->claim_at = 0;
	r->owed_promise = 0;
	for (size_t i = 0; i < r->peer_count; i++)
		r->peers[i].has_refused = false;
	timer_sign(r);
	if (!MUTANT(r, PROMISE_IN_MEMORY))
		write_queue(r, write_new(r));
}

void claim_start(struct replica *r)
{
	uint64_t highest = replica_floor(r);

	r->claim_at = 0;
	if (r->role != ROLE_SEEKING || !claim_is_possible(r) || !claim_is_eligible(r) ||
	    !r->is_vetted || write_is_full(r))
		return;
	for (size_t i = 1; i < r->peer_count; i++)
		if (r->peers[i].promised > highest)
			highest = r->peers[i].promised;
	if (MUTANT(r, CLAIM_RESUMED) && highest == r->meta.promised &&
	    r->meta.promised_to.member.node == r->options.node && r->round <= 2)
		highest--;
	claim_begin(r, highest + 1);
}

/* One voter needs nobody's answer, and no corosync; where there is a group, its first round comes first. */
void claim_alone(struct replica *r)
{
	struct member self = replica_self(r).member;

	if (r->role == ROLE_SEEKING && r->voters.count == 1 && voters_has(&r->voters, &self))
		claim_start(r);
}

static usec_t back_off(struct replica *r)
{
	unsigned place = 0;

	while (place < r->voters.count && r->voters.items[place].node != r->options.node)
		place++;
	if (r->failures < BACKOFF_MAX)
		r->failures++;
	return r->now + (r->options.timeout / 4 << r->failures) + place * r->options.rank_step;
}

void claim_fail(struct replica *r)
{
	r->role = ROLE_SEEKING;
	r->expiries = 0;
	r->timer = back_off(r);
}

/* A leader deposed before it has committed anything has failed like a claim. Its own barrier has made its log the
 * highest: were it to claim at once, two could depose each other for ever, each with the higher position in turn. */
void lead_deposed(struct replica *r)
{
	bool has_failed = r->commit < r->barrier && !MUTANT(r, DEPOSED_AT_ONCE);

	lead_stop(r);
	if (has_failed)
		r->held_until = back_off(r);
}

static bool promise_counts(const struct replica *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->voters.count; i++) {
		const struct peer *p = peer_voter(r, &r->voters.items[i]);

		n += p && p->promised_me == r->meta.promised;
	}
	if (MUTANT(r, LEARNER_COUNTED))
		for (size_t i = 0; i < r->peer_count; i++)
			n += r->peers[i].promised_me == r->meta.promised &&
			     !voters_node(&r->voters, r->peers[i].node);
	return n >= voters_majority(&r->voters);
}

static void lead(struct replica *r)
{
	r->role = ROLE_LEADING;
	r->leader = r->options.node;
	r->leader_epoch = r->meta.promised;
	r->barrier = log_last(&r->log).index + 1;
	r->level = 0;
	r->alive_count = r->resend_count = 0;
	r->is_current = true;
	timer_sign(r);
	if (!MUTANT(r, NO_BARRIER))
		lead_append_one(r, ENTRY_BARRIER, NULL, 0);
	if (log_voters_index(&r->log, log_last(&r->log).index) == 0 && r->state->voters_index == 0)
		lead_append_voters(r, &(struct uuid){0}, &r->voters);
	requests_send(r);
}

void claim_send(struct replica *r)
{
	struct message m = {.type = MSG_CLAIM,
			    .claim = {.epoch = r->meta.promised, .position = r->meta.promised_at}};

	r->claim_is_sent = true;
	replica_send(r, &m);
}

/* What waited for the disk: the own CLAIM, and PROMISE unless a higher one was made meanwhile. */
void claim_say_due(struct replica *r)
{
	bool is_durable = r->durable.promised >= r->meta.promised;

	if (MUTANT(r, EPOCH_RESUMED) && r->owed_promise == UINT64_MAX && is_durable) {
		r->owed_promise = 0;
		r->round_is_open = false;
		lead(r);
		return;
	}
	if (MUTANT(r, PROMISE_IN_MEMORY) || MUTANT(r, PROMISE_BEFORE_SYNC))
		is_durable = true;
	if (!is_durable)
		return;
	if (r->role == ROLE_CLAIMING && !r->claim_is_sent) {
		claim_send(r);
		r->peers[0].promised_me = r->meta.promised;
		if (promise_counts(r))
			lead(r);
	}
	if (r->owed_promise == r->meta.promised && r->owed_promise != 0)
		promise_say(r);
	r->owed_promise = 0;
}

/* Stops leading or claiming. The epoch is never taken up again: a claim is always above the promise. */
void lead_stop(struct replica *r)
{
	if (r->role != ROLE_LEADING && r->role != ROLE_CLAIMING)
		return;
	if (r->role == ROLE_LEADING) {
		gather_drop(r);
		serve_drop(r);
	}
	r->role = ROLE_SEEKING;
	r->leader = 0;
	r->is_current = false;
	timer_sign(r);
}

void promise_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_promise *p = &m->promise;
	struct claimant self = replica_self(r);
	struct measure measure = {.start = m->from.start, .promised = p->epoch};

	if (p->epoch > peer->promised)
		peer->promised = p->epoch;
	seen_raise(r, &peer->incarnation, &measure);
	if (r->role != ROLE_CLAIMING || !r->claim_is_sent || p->epoch != r->meta.promised ||
	    position_compare(p->position, r->meta.promised_at) != 0)
		return;
	if (!claimant_equal(&p->to, &self) &&
	    !(MUTANT(r, PROMISE_OF_BEFORE) && member_equal(&p->to.member, &self.member)))
		return;
	peer->promised_me = p->epoch;
	if (promise_counts(r))
		lead(r);
}

static bool is_claim_lost(const struct replica *r)
{
	size_t n = r->voters.count;

	for (size_t i = 0; i < r->voters.count; i++) {
		const struct peer *p = peer_voter(r, &r->voters.items[i]);

		n -= p && p->has_refused;
	}
	return n < voters_majority(&r->voters);
}

void refuse_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_refuse *f = &m->refuse;

	if (f->promised > peer->promised)
		peer->promised = f->promised;
	if (f->to != r->options.node)
		return;
	if (r->role == ROLE_LEADING && f->promised > r->leader_epoch) {
		lead_deposed(r);
		if (MUTANT(r, CLAIM_ABOVE_AT_ONCE))
			claim_start(r);
		else
			round_start(r);
	} else if (r->role == ROLE_CLAIMING && f->epoch == r->meta.promised) {
		peer->has_refused = true;
		if (MUTANT(r, CLAIM_ABOVE_AT_ONCE)) {
			r->role = ROLE_SEEKING;
			claim_start(r);
		} else if (is_claim_lost(r)) {
			claim_fail(r);
		}
	} else if (r->role == ROLE_FOLLOWING && f->epoch == r->leader_epoch &&
		   f->promised > r->leader_epoch && peer->node == r->leader) {
		r->role = ROLE_SEEKING;
		r->leader = 0;
		round_start(r);
	}
}
