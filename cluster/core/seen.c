/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S11: a database that went back in time. Each member remembers the highest measure that it saw of each
 * incarnation, and tells it in STATE. The incarnation itself compares: it alone knows for sure, because messages
 * may be late, while what was once seen of it is true for ever. Until it has answered, others do not count it.
 * Pure. */
#include "cluster/core/replica_private.h"

/* What this replica may tell of itself: it is on disk. */
struct measure measure_own(const struct replica *r)
{
	struct measure own = r->durable;
	const struct log_entry *e = log_at(&r->log, r->durable_index);

	if (MUTANT(r, MEASURE_BY_POSITION) && e)
		own.accepted = e->at;
	return own;
}

static bool is_below(const struct replica *r, const struct measure *a, const struct measure *b)
{
	bool is_old = a->start < b->start;

	(void)r;
	return (is_old && !MUTANT(r, START_UNSEEN)) || a->promised < b->promised ||
	       position_compare(a->accepted, b->accepted) < 0;
}

const struct measure *seen_of(const struct replica *r, const struct uuid *incarnation)
{
	for (size_t i = 0; i < r->meta.seen_count; i++)
		if (uuid_equal(&r->meta.seen[i].incarnation, incarnation))
			return &r->meta.seen[i].measure;
	return NULL;
}

static struct measure *seen_get(struct replica *r, const struct uuid *incarnation)
{
	struct replica_meta *meta = &r->meta;
	size_t i = 0;

	while (i < meta->seen_count && !uuid_equal(&meta->seen[i].incarnation, incarnation))
		i++;
	if (i == meta->seen_count) {
		if (meta->seen_count == MESSAGE_SEEN_MAX) { /* the oldest stranger goes */
			memmove(&meta->seen[0], &meta->seen[1],
				(MESSAGE_SEEN_MAX - 1) * sizeof(meta->seen[0]));
			i = MESSAGE_SEEN_MAX - 1;
		} else {
			meta->seen_count++;
		}
		meta->seen[i] = (struct seen){.incarnation = *incarnation};
	}
	return &meta->seen[i].measure;
}

void seen_raise(struct replica *r, const struct uuid *incarnation, const struct measure *measure)
{
	struct measure *seen = seen_get(r, incarnation);

	if (measure->start > seen->start)
		seen->start = measure->start;
	if (measure->promised > seen->promised)
		seen->promised = measure->promised;
	if (position_compare(measure->accepted, seen->accepted) > 0)
		seen->accepted = measure->accepted;
}

static void gone_back(struct replica *r)
{
	replica_leave(r, true,
		      "this database has gone back in time: the others have seen more of it; it "
		      "must join again as a new one");
}

/* Broken on purpose (tests/sim): nothing is compared. */
static bool is_trusting(const struct replica *r)
{
	(void)r;
	return MUTANT(r, ROLLED_BACK_ACCEPTED) || MUTANT(r, ACCEPT_WITHOUT_PROMISE);
}

static bool is_gone_back(struct replica *r, const struct seen *seen)
{
	struct measure own = measure_own(r);

	return uuid_equal(&seen->incarnation, &r->meta.incarnation) &&
	       is_below(r, &own, &seen->measure) && !is_trusting(r);
}

/* false: the sender is below what was seen of it; it is asked to look at itself. */
bool seen_check(struct replica *r, struct peer *peer, const struct msg_state *m)
{
	const struct measure *known = seen_of(r, &peer->incarnation);

	for (size_t i = 0; i < m->seen_count; i++) {
		if (is_gone_back(r, &m->seen[i])) {
			gone_back(r);
			return false;
		}
		if (!uuid_equal(&m->seen[i].incarnation, &r->meta.incarnation))
			seen_raise(r, &m->seen[i].incarnation, &m->seen[i].measure);
	}
	peer->is_suspect = known && is_below(r, &m->measure, known) && !is_trusting(r);
	if (peer->is_suspect) {
		struct message gone = {
			.type = MSG_GONE,
			.gone = {.to = peer->node,
				 .seen = {.incarnation = peer->incarnation, .measure = *known}}};

		replica_send(r, &gone);
		return false;
	}
	seen_raise(r, &peer->incarnation, &m->measure);
	return true;
}

void gone_message(struct replica *r, struct peer *peer, const struct message *m)
{
	(void)peer;
	if (m->gone.to != r->options.node)
		return;
	if (is_gone_back(r, &m->gone.seen))
		gone_back(r);
	else if (uuid_equal(&m->gone.seen.incarnation, &r->meta.incarnation))
		round_say(r); /* an old STATE of ours was late */
}
