/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S4: acknowledgements, and what they commit. Every member counts for itself. Pure. */
#include "cluster/core/replica_private.h"

/* ACK(e, i): my log is verified against the leader of e and on my disk up to i. Never below a higher promise, not
 * even one that is only queued. again: although it was said. */
void ack_say(struct replica *r, bool again)
{
	struct position at = r->durable.accepted;
	struct message m = {.type = MSG_ACK};

	if (MUTANT(r, ACK_BEFORE_SYNC))
		at = r->meta.accepted;
	if (at.epoch == 0 || !r->is_vetted)
		return;
	if (at.epoch != r->meta.promised && !MUTANT(r, ACK_AFTER_PROMISE) &&
	    !MUTANT(r, ACCEPT_WITHOUT_PROMISE))
		return;
	if (!again && position_compare(at, r->said) <= 0)
		return;
	r->said = at;
	r->peers[0].ack = at;
	m.ack = (struct msg_ack){.epoch = at.epoch, .index = at.index};
	replica_send(r, &m);
}

void ack_message(struct replica *r, struct peer *peer, const struct message *m)
{
	struct position at = {.epoch = m->ack.epoch, .index = m->ack.index};
	struct measure measure = {.start = m->from.start, .promised = at.epoch, .accepted = at};

	seen_raise(r, &peer->incarnation, &measure);
	if (position_compare(at, peer->ack) > 0)
		peer->ack = at;
	if (r->role == ROLE_FOLLOWING && at.epoch == r->leader_epoch && at.index > r->heard_of &&
	    !MUTANT(r, HEARD_IGNORED))
		r->heard_of = at.index; /* an APPEND may have been missed */
}

static uint64_t acked(const struct replica *r, const struct member *voter, uint64_t epoch)
{
	const struct peer *p = peer_voter(r, voter);

	if (MUTANT(r, ACK_BY_NODE))
		for (size_t i = 0; i < r->peer_count; i++)
			if (r->peers[i].node == voter->node)
				p = &r->peers[i];
	return p && p->ack.epoch == epoch ? p->ack.index : 0;
}

/* The highest index that a majority of the list has acknowledged in this epoch. */
static uint64_t acked_by_majority(const struct replica *r, const struct voters *voters,
				  uint64_t epoch)
{
	uint64_t indices[VOTERS_MAX + REPLICA_MEMBERS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < voters->count; i++)
		indices[n++] = acked(r, &voters->items[i], epoch);
	if (MUTANT(r, REMOVED_COUNTS) && r->role == ROLE_LEADING &&
	    !voters_node(voters, r->options.node) && r->peers[0].ack.epoch == epoch)
		indices[n++] = r->peers[0].ack.index;
	if (MUTANT(r, LEARNER_COUNTED))
		for (size_t i = 0; i < r->peer_count; i++)
			if (!voters_node(voters, r->peers[i].node) &&
			    r->peers[i].ack.epoch == epoch)
				indices[n++] = r->peers[i].ack.index;
	for (size_t i = 1; i < n; i++) /* falling */
		for (size_t k = i; k > 0 && indices[k] > indices[k - 1]; k--) {
			uint64_t swap = indices[k];

			indices[k] = indices[k - 1];
			indices[k - 1] = swap;
		}
	return voters->count ? indices[voters_majority(voters) - 1] : 0;
}

/* With the list that is newest in the verified part of the own log: lists that follow each other have majorities
 * that meet, and no list follows before the one ahead of it is committed. */
void commit_advance(struct replica *r)
{
	struct position verified = r->meta.accepted;
	const struct log_entry *e;
	struct voters voters;
	uint64_t index;

	if (verified.epoch == 0 || verified.index <= r->commit)
		return;
	voters_at(r, verified.index, &voters);
	index = acked_by_majority(r, &voters, verified.epoch);
	if (MUTANT(r, ANSWER_BEFORE_COMMIT) && r->role == ROLE_LEADING)
		index = r->durable.accepted.index;
	if (index > verified.index)
		index = verified.index;
	e = log_at(&r->log, index);
	if (!e || index <= r->commit)
		return;
	/* an entry of an older epoch is never committed by counting */
	if (e->at.epoch != verified.epoch && !MUTANT(r, COMMIT_OLD_EPOCH))
		return;
	replica_commit_raise(r, index, verified.epoch);
}
