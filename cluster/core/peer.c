/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the other members. Slots are bounded; a node that is not in the view gives way. Pure. */
#include "cluster/core/replica_private.h"

struct peer *peer_find(struct replica *r, uint32_t node)
{
	for (size_t i = 0; i < r->peer_count; i++)
		if (r->peers[i].node == node)
			return &r->peers[i];
	return NULL;
}

struct peer *peer_get(struct replica *r, uint32_t node)
{
	struct peer *p = peer_find(r, node);

	for (size_t i = 1; !p && r->peer_count == REPLICA_MEMBERS_MAX && i < r->peer_count; i++)
		if (!r->peers[i].is_in_view)
			p = &r->peers[i];
	if (!p && r->peer_count < REPLICA_MEMBERS_MAX)
		p = &r->peers[r->peer_count++];
	if (p && p->node != node)
		*p = (struct peer){.node = node};
	return p;
}

bool peer_is(const struct peer *peer, const struct member *member)
{
	return peer->node == member->node && peer->is_known &&
	       uuid_equal(&peer->incarnation, &member->incarnation);
}

const struct peer *peer_voter(const struct replica *r, const struct member *voter)
{
	for (size_t i = 0; i < r->peer_count; i++)
		if (peer_is(&r->peers[i], voter))
			return &r->peers[i];
	return NULL;
}
