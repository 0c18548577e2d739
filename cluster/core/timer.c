/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L4: the progress timer. It runs only while something is outstanding: an idle cluster sends nothing. Pure. */
#include "cluster/core/replica_private.h"

/* The lowest index that a voter of the view has yet to acknowledge, minus one. */
static uint64_t acked_by_all(const struct replica *r)
{
	uint64_t lowest = log_last(&r->log).index;

	for (size_t i = 0; i < r->voters.count; i++) {
		const struct peer *p = peer_voter(r, &r->voters.items[i]);
		uint64_t index;

		if (!p || !p->is_in_view || p == &r->peers[0])
			continue;
		index = p->ack.epoch == r->leader_epoch ? p->ack.index : r->commit;
		if (index < lowest)
			lowest = index;
	}
	return lowest;
}

/* Who was not vetted yet acknowledges nothing. */
static bool is_outstanding(struct replica *r)
{
	bool has_tail = log_last(&r->log).index > r->commit;

	if (r->round_is_open || (!r->is_vetted && replica_has_company(r)))
		return true;
	switch (r->role) {
	case ROLE_CLAIMING:
		return true;
	case ROLE_LEADING:
		return has_tail || !list_is_empty(&r->gathered) ||
		       (r->resend_count < RESEND_MAX && acked_by_all(r) < log_last(&r->log).index);
	case ROLE_FOLLOWING:
		return has_tail || r->is_fetching || r->heard_of > log_last(&r->log).index ||
		       r->staging.at.index || !list_is_empty(&r->requests);
	case ROLE_SEEKING:
		return claim_is_possible(r);
	default:
		return false;
	}
}

void timer_sign(struct replica *r)
{
	r->expiries = 0;
	r->timer = 0;
	r->resend_count = r->alive_count = 0;
}

void timer_arm(struct replica *r)
{
	unsigned doubled = r->expiries < BACKOFF_MAX ? r->expiries : BACKOFF_MAX;

	if (!is_outstanding(r)) {
		r->timer = 0;
		r->expiries = 0;
	} else if (!r->timer) {
		/* a round does not wait longer for having failed before: others may start it anew meanwhile */
		r->timer =
			r->now + (r->options.timeout
				  << (r->round_is_open && !MUTANT(r, ROUND_DOUBLED) ? 0 : doubled));
	}
}

static void say_alive(struct replica *r)
{
	struct message m = {.type = MSG_ALIVE, .alive = {.epoch = r->leader_epoch}};

	if (r->alive_count++ < ALIVE_MAX)
		replica_send(r, &m);
}

/* A disk that is late is excused, up to a limit; a majority that does not acknowledge is asked in a round. */
static void expire_leading(struct replica *r)
{
	bool is_slow = r->durable_index < log_last(&r->log).index;

	if (is_slow)
		say_alive(r);
	if (acked_by_all(r) < log_last(&r->log).index) {
		r->resend_count++;
		append_send(r, 0, acked_by_all(r) + 1);
	}
	if (r->expiries >= 2 && log_last(&r->log).index > r->commit &&
	    (!is_slow || r->alive_count >= ALIVE_MAX))
		round_start(r);
}

static void expire_following(struct replica *r)
{
	if (r->expiries >= 2 || !r->is_vetted) {
		round_start(r);
		return;
	}
	r->is_fetching = false;
	fetch_send(r);
	requests_send(r);
}

static void expire_claiming(struct replica *r)
{
	if (r->expiries >= 2)
		claim_fail(r);
	else if (r->claim_is_sent)
		claim_send(r);
}

static void expire_round(struct replica *r)
{
	if (round_has_majority(r))
		return; /* round_end() sees that the time is over */
	if (r->role == ROLE_LEADING && r->expiries < 2 && claim_is_possible(r))
		round_start(r);
	else
		round_give_up(r); /* the next one comes when the timer has run again */
}

static void expire(struct replica *r)
{
	r->expiries++;
	if (r->role == ROLE_CLAIMING)
		expire_claiming(r);
	else if (r->round_is_open)
		expire_round(r);
	else if (r->role == ROLE_LEADING)
		expire_leading(r);
	else if (r->role == ROLE_FOLLOWING)
		expire_following(r);
	else
		round_start(r);
}

void on_tick(struct replica *r, const struct event *event)
{
	(void)event;
	if (r->role == ROLE_LEFT || !r->is_opened)
		return;
	if (r->claim_at && r->now >= r->claim_at)
		claim_start(r);
	if (!r->timer || r->now < r->timer)
		return;
	if (!MUTANT(r, NO_TIMER))
		expire(r);
	if (r->round_is_open)
		round_end(r);
	if (r->timer && r->now >= r->timer)
		r->timer = 0;
}

usec_t replica_deadline(const struct replica *r)
{
	usec_t at = r->timer;

	if (r->claim_at && (!at || r->claim_at < at))
		at = r->claim_at;
	if (r->request_deadline && (!at || r->request_deadline < at))
		at = r->request_deadline;
	return at;
}
