/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S1: an epoch is promised to one process, whose log reaches as far as the own one; all else is refused. Pure. */
#include "cluster/core/replica_private.h"

void promise_say(struct replica *r)
{
	struct message m = {.type = MSG_PROMISE,
			    .promise = {.epoch = r->owed_promise,
					.to = r->meta.promised_to,
					.position = r->meta.promised_at}};

	r->owed_promise = 0;
	replica_send(r, &m);
}

void refuse(struct replica *r, const struct peer *to, uint64_t epoch)
{
	struct message m = {.type = MSG_REFUSE,
			    .refuse = {.to = to->node,
				       .epoch = epoch,
				       .promised = replica_floor(r),
				       .promised_to = r->meta.promised_to,
				       .position = log_last(&r->log)}};

	replica_send(r, &m);
}

static void promise_make(struct replica *r, const struct message *m)
{
	lead_stop(r);
	r->role = ROLE_SEEKING;
	r->leader = 0;
	r->claim_at = 0;
	r->is_current = false;
	r->meta.promised = m->claim.epoch;
	r->meta.promised_to = m->from;
	r->meta.promised_at = m->claim.position;
	r->owed_promise = m->claim.epoch;
	timer_sign(r);
	if (!MUTANT(r, PROMISE_IN_MEMORY))
		write_queue(r, write_new(r));
}

static bool is_promised_claim(const struct replica *r, const struct message *m)
{
	bool is_same =
		MUTANT(r, PROMISE_REPEATED)
			? member_equal(&r->meta.promised_to.member, &m->from.member)
			: claimant_equal(&r->meta.promised_to, &m->from) &&
				  position_compare(r->meta.promised_at, m->claim.position) == 0;

	return m->claim.epoch == r->meta.promised && is_same;
}

static bool is_lower(const struct replica *r, struct position claimed)
{
	struct position own = log_last(&r->log);
	const struct log_entry *synced = log_at(&r->log, r->durable_index);

	if (MUTANT(r, ACK_AFTER_PROMISE) && synced)
		own = synced->at;
	if (MUTANT(r, PROMISE_LOWER))
		return false;
	if (MUTANT(r, POSITION_BY_INDEX))
		return claimed.index < own.index;
	return position_compare(claimed, own) < 0;
}

void claim_message(struct replica *r, struct peer *peer, const struct message *m)
{
	if (m->claim.epoch > peer->promised)
		peer->promised = m->claim.epoch;
	if (is_promised_claim(r, m)) {
		r->owed_promise = m->claim.epoch;
		return;
	}
	if (!r->is_vetted || write_is_full(r))
		return; /* it asks again */
	if (m->claim.epoch <= replica_floor(r) || is_lower(r, m->claim.position)) {
		refuse(r, peer, m->claim.epoch);
		return;
	}
	promise_make(r, m);
}
