/* SPDX-License-Identifier: GPL-2.0-or-later */
/* L1 and L5: rounds of STATE. Rounds are counted per view, the first one begins with the view, anybody may start
 * the next. A round is over when every voter in the view has answered, or a majority has and the timer ran out
 * (timer.c). Only STATE is bound to view and round; all else is judged by epoch. Pure. */
#include "cluster/core/replica_private.h"

static uint64_t mix(uint64_t h, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		h = (h ^ (v >> (8 * i) & 0xff)) * 0x100000001b3u;
	return h;
}

static uint64_t view_digest(const struct event_view *v)
{
	uint64_t h = mix(mix(0xcbf29ce484222325u, v->ring), v->ring_node);

	for (size_t i = 0; i < v->count; i++)
		h = mix(mix(h, v->members[i].node), v->members[i].pid);
	return h ? h : 1;
}

void round_say(struct replica *r)
{
	struct message m = {.type = MSG_STATE};
	struct msg_state *s = &m.state;
	const struct log_entry *e = log_at(&r->log, r->commit);

	s->view = r->view;
	s->round = r->round;
	s->promised = r->meta.promised;
	s->measure = measure_own(r);
	s->position = log_last(&r->log);
	s->committed = e ? e->at : r->log.base;
	memcpy(s->committed_hash, e ? e->hash : r->log.base_hash, SHA256_SIZE);
	s->committed_epoch = r->commit_epoch;
	s->leads = r->role == ROLE_LEADING ? r->leader_epoch : 0;
	s->level = r->options.level;
	s->seen_count = r->meta.seen_count;
	memcpy(s->seen, r->meta.seen, s->seen_count * sizeof(s->seen[0]));
	r->peers[0].answered = r->round;
	r->peers[0].leads = s->leads;
	r->peers[0].level = s->level;
	replica_send(r, &m);
}

void round_start(struct replica *r)
{
	if (r->role == ROLE_OPENING || r->role == ROLE_WAITING || r->role == ROLE_LEFT)
		return;
	r->round++;
	r->round_is_open = true;
	if (r->role != ROLE_CLAIMING) /* which must come to its own end */
		r->timer = 0;
	round_say(r);
}

bool round_has_majority(const struct replica *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->voters.count; i++) {
		const struct peer *p = peer_voter(r, &r->voters.items[i]);

		n += p && p->answered == r->round && p->is_in_view;
	}
	return r->voters.count > 0 && n >= voters_majority(&r->voters);
}

/* Until this process has been vetted, everybody's memory counts: a disk that went back in time may hold a list
 * of voters of that time, down to this node alone. */
static bool all_have_vetted(const struct replica *r)
{
	for (size_t i = 0; i < r->peer_count && !r->is_vetted && !MUTANT(r, ALONE_UNASKED); i++)
		if (r->peers[i].is_in_view && r->peers[i].answered != r->round)
			return false;
	return r->is_vetted || r->view || !r->options.has_group ||
	       MUTANT(r, ROLLED_BACK_ACCEPTED) || MUTANT(r, ALONE_UNASKED);
}

/* Every voter of the view; a node of the view with another database is none. */
static bool all_answered(struct replica *r)
{
	if (!all_have_vetted(r))
		return false;
	for (size_t i = 0; i < r->voters.count; i++) {
		const struct peer *p = peer_find(r, r->voters.items[i].node);

		if (p && p->is_in_view && p->answered != r->round &&
		    (!p->is_known || peer_is(p, &r->voters.items[i])))
			return false;
	}
	return true;
}

static void repeat_newest(struct replica *r)
{
	ack_say(r, true);
	if (r->role == ROLE_LEADING && log_last(&r->log).index > r->commit)
		append_send(r, 0, r->commit + 1);
}

/* The leader among those who answered, if any. */
static const struct peer *round_leader(const struct replica *r)
{
	const struct peer *best = NULL;

	for (size_t i = 1; i < r->peer_count; i++) {
		const struct peer *p = &r->peers[i];

		if (p->answered == r->round && p->is_in_view && p->leads > (best ? best->leads : 0))
			best = p;
	}
	return best;
}

static void round_decide(struct replica *r)
{
	const struct peer *best = round_leader(r);

	if (r->role == ROLE_LEADING) {
		if (!round_has_majority(r) || !claim_is_possible(r))
			lead_stop(r);
		else
			r->is_current = true;
		return;
	}
	if (best && best->leads >= replica_floor(r)) {
		replica_follow(r, best, best->leads);
		if (r->meta.accepted.epoch != best->leads ||
		    position_compare(best->position, log_last(&r->log)) != 0)
			fetch_send(r);
		return;
	}
	if (best)
		refuse(r, best, best->leads);
	if (r->role == ROLE_CLAIMING)
		return;
	r->role = ROLE_SEEKING;
	r->leader = 0;
	r->is_current = false;
	claim_plan(r);
}

/* Called after each event, and when the timer ran out. */
void round_end(struct replica *r)
{
	bool is_late = r->timer && r->now >= r->timer;

	if (!r->round_is_open || (!all_answered(r) && !(is_late && round_has_majority(r))))
		return;
	r->round_is_open = false;
	r->is_vetted = true;
	round_decide(r);
}

void round_give_up(struct replica *r)
{
	r->round_is_open = false;
	if (r->role == ROLE_LEADING)
		lead_stop(r);
}

void on_view(struct replica *r, const struct event *event)
{
	uint64_t view = view_digest(&event->view);
	bool is_leader_here = false;
	size_t before = 0, stayed = 0;

	if (view == r->view)
		return;
	r->view = view;
	for (size_t i = 1; i < r->peer_count; i++) {
		r->peers[i].was_in_view = r->peers[i].is_in_view;
		before += r->peers[i].is_in_view;
		r->peers[i].is_in_view = false;
	}
	for (size_t i = 0; i < event->view.count; i++) {
		struct peer *p = peer_get(r, event->view.members[i].node);

		if (!p)
			continue;
		p->is_in_view = true;
		stayed += p->was_in_view;
		is_leader_here = is_leader_here || p->node == r->leader;
	}
	r->round = 0; /* or the one that others are in */
	for (size_t i = 0; i < r->peer_count; i++) {
		struct peer *p = &r->peers[i];

		p->answered = p->is_in_view && p->said_view == view ? p->said_round : 0;
		if (p->answered > r->round + 1)
			r->round = p->answered - 1;
	}
	if (!r->is_opened || r->role == ROLE_WAITING)
		return;
	if (stayed < before) /* others left: perhaps it was this node that stood still */
		r->is_current = false;
	if (r->role == ROLE_FOLLOWING && !is_leader_here) {
		r->role = ROLE_SEEKING;
		r->leader = 0;
		r->is_current = false;
	}
	if (r->role == ROLE_LEADING && !claim_is_possible(r))
		lead_stop(r);
	r->expiries = 0;
	r->claim_at = 0; /* somebody better may have come */
	round_start(r);
	if (r->role == ROLE_CLAIMING && r->claim_is_sent)
		claim_send(r);
	repeat_newest(r);
	requests_send(r);
}

void on_quorum(struct replica *r, const struct event *event)
{
	bool was = r->is_quorate;

	r->is_quorate = event->is_quorate;
	if (was == r->is_quorate)
		return;
	if (r->role == ROLE_LEADING && !claim_is_possible(r))
		lead_stop(r);
	round_start(r);
}

void on_thaw(struct replica *r, const struct event *event)
{
	(void)event;
	if (!r->is_opened || r->role == ROLE_WAITING || MUTANT(r, THAW_IGNORED))
		return;
	lead_stop(r);
	r->role = ROLE_SEEKING;
	r->leader = 0;
	r->claim_at = 0;
	r->is_current = false;
	round_start(r);
}

static void learn_committed(struct replica *r, const struct msg_state *s)
{
	const uint8_t *hash = log_hash_of(&r->log, s->committed);

	if (!hash || s->committed.index == 0)
		return;
	if (memcmp(hash, s->committed_hash, SHA256_SIZE) != 0)
		replica_leave(r, true, "log entry %llu differs from the committed one",
			      (unsigned long long)s->committed.index);
	else
		replica_commit_raise(r, s->committed.index, s->committed_epoch);
}

/* Nothing is said or believed before the opening sync; but the first round must be one that others answer. */
void round_note(struct replica *r, struct peer *peer, const struct message *m)
{
	if (m->type != MSG_STATE)
		return;
	peer->said_view = m->state.view;
	peer->said_round = m->state.round;
	if (m->state.view == r->view && m->state.round > r->round)
		r->round = m->state.round;
}

/* A round that is over was said before its sender could hear it: while it belonged to no cluster, or was not there. */
static bool has_missed(const struct replica *r, const struct peer *peer, const struct msg_state *s)
{
	return !r->round_is_open &&
	       (s->round < r->round || (s->round == r->round && peer->answered != s->round));
}

void state_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_state *s = &m->state;

	if (!seen_check(r, peer, s))
		return;
	if (s->promised > peer->promised)
		peer->promised = s->promised;
	peer->position = s->position;
	peer->level = s->level;
	peer->said_view = s->view;
	peer->said_round = s->round;
	learn_committed(r, s);
	if (r->role == ROLE_LEFT)
		return;
	if (r->role == ROLE_LEADING && s->promised > r->leader_epoch) {
		lead_deposed(r);
		round_start(r);
	}
	if (s->view != r->view)
		return;
	if (has_missed(r, peer, s))
		round_say(r);
	if (s->round < r->round)
		return;
	if (r->role == ROLE_FOLLOWING && s->leads == r->leader_epoch &&
	    s->position.index > r->heard_of && !MUTANT(r, HEARD_IGNORED))
		r->heard_of = s->position.index;
	if (r->role == ROLE_FOLLOWING && peer->node == r->leader && s->leads != r->leader_epoch) {
		r->role = ROLE_SEEKING; /* it has stopped */
		r->leader = 0;
		r->is_current = false;
	}
	peer->answered = s->round;
	peer->leads = s->leads;
	if (s->round > r->round) {
		r->round = s->round - 1;
		round_start(r);
	} else if (!r->round_is_open && r->role == ROLE_SEEKING && s->leads >= replica_floor(r) &&
		   s->leads > 0) {
		round_decide(r);
	}
}
