/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages on their way in: whose they are, whether they concern this cluster, who handles them. Pure. */
#include "cluster/core/replica_private.h"

static void (*const handlers[MSG_COUNT])(struct replica *r, struct peer *peer,
					 const struct message *m) = {
	[MSG_STATE] = state_message,	 [MSG_CLAIM] = claim_message,
	[MSG_PROMISE] = promise_message, [MSG_REFUSE] = refuse_message,
	[MSG_APPEND] = append_message,	 [MSG_ACK] = ack_message,
	[MSG_ALIVE] = alive_message,	 [MSG_PROPOSE] = propose_message,
	[MSG_FETCH] = fetch_message,	 [MSG_SNAPSHOT] = snapshot_message,
	[MSG_GONE] = gone_message,	 [MSG_INQUIRY] = inquiry_message,
	[MSG_LIST] = list_message,
};

/* Another database or process of that node: what the one before said of itself is void. Its acknowledgements and
 * promises stay true of the same database. */
static void peer_renew(struct peer *peer, const struct claimant *from)
{
	if (peer->is_known && uuid_equal(&peer->incarnation, &from->member.incarnation)) {
		if (from->start > peer->start)
			peer->start = from->start;
		return;
	}
	*peer = (struct peer){.node = peer->node,
			      .is_in_view = peer->is_in_view,
			      .incarnation = from->member.incarnation,
			      .start = from->start,
			      .is_known = true};
}

static bool is_ours(struct replica *r, const struct message *m, uint32_t from)
{
	if (m->from.member.node != from || from == r->options.node)
		return false;
	if (!uuid_equal(&m->cluster, &r->meta.cluster) || uuid_is_zero(&r->meta.cluster))
		return false;
	return uuid_equal(&m->fork, &r->meta.fork) || MUTANT(r, FORK_IGNORED);
}

void on_message(struct replica *r, const struct event *event)
{
	struct message m;
	struct peer *peer;

	if (message_decode(event->message.data, event->message.size, &m, NULL) < 0 ||
	    !is_ours(r, &m, event->message.from))
		return;
	if (uuid_equal(&m.from.member.incarnation, &r->meta.incarnation) &&
	    !MUTANT(r, COPY_IGNORED)) {
		replica_leave(r, true, "node %u has a copy of this database", m.from.member.node);
		return;
	}
	peer = peer_get(r, event->message.from);
	if (!peer)
		return;
	peer_renew(peer, &m.from);
	if (!r->is_opened) {
		round_note(r, peer, &m);
		return;
	}
	if (peer->is_suspect && m.type != MSG_STATE && m.type != MSG_GONE)
		return;
	handlers[m.type](r, peer, &m);
}
