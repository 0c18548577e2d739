/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S3: entries of the leader, sent and accepted. Pure. */
#include "cluster/core/replica_private.h"

/* Entries from index `from` on, as many as fit one message; none is fine: it tells what is committed. */
void append_send(struct replica *r, uint32_t to, uint64_t from)
{
	struct message m = {.type = MSG_APPEND};
	struct msg_append *a = &m.append;
	const struct log_entry *before = log_at(&r->log, from - 1);
	size_t bytes = 0;

	if (from <= r->log.base.index)
		return;
	a->to = to;
	a->epoch = r->leader_epoch;
	a->previous = before ? before->at : r->log.base;
	memcpy(a->previous_hash, before ? before->hash : r->log.base_hash, SHA256_SIZE);
	a->committed = r->commit;
	a->last = log_last(&r->log).index;
	for (uint64_t i = from; i <= a->last && a->entry_count < r->options.append_entries; i++) {
		const struct log_entry *e = log_at(&r->log, i);

		bytes += e->size;
		if (a->entry_count > 0 && bytes > r->options.append_bytes)
			break;
		a->entries[a->entry_count++] =
			(struct message_entry){.data = e->data, .size = e->size};
	}
	replica_send(r, &m);
}

/* One APPEND being accepted. */
struct accepting {
	struct replica *r;
	struct persist *persist;
	struct position previous;
	const uint8_t *previous_hash;
	uint8_t hash[SHA256_SIZE];
};

static void contradiction(struct replica *r, uint64_t index)
{
	replica_leave(r, true, "log entry %llu contradicts what is committed: corruption",
		      (unsigned long long)index);
}

/* 0, or negative: the message is dropped (the replica may have left). */
static int accept_entry(struct accepting *a, const struct message_entry *item)
{
	struct replica *r = a->r;
	struct err err = ERR_INIT;
	struct log_entry *held;
	struct entry e;
	int code = entry_decode(item->data, item->size, &e, &err);

	if (code == -ERR_UNSUPPORTED && !MUTANT(r, KIND_SKIPPED))
		replica_leave(r, false, "%s: a newer program is needed", err.message);
	if (code < 0)
		return code;
	held = log_at(&r->log, e.at.index);
	if (held && held->at.epoch == e.at.epoch && memcmp(held->hash, e.hash, SHA256_SIZE) == 0)
		goto next;
	if (!MUTANT(r, APPEND_UNCHECKED) &&
	    !entry_follows(item->data, item->size, &e, a->previous, a->previous_hash))
		return -ERR_CORRUPT;
	if ((held && held->at.epoch == e.at.epoch) || e.at.index <= r->commit) {
		contradiction(r, e.at.index);
		return -ERR_CORRUPT;
	}
	if (held)
		write_cut(r, a->persist, e.at.index);
	write_append(r, a->persist, log_entry_new(&e, item->data, item->size));
next:
	a->previous = e.at;
	memcpy(a->hash, e.hash, SHA256_SIZE);
	a->previous_hash = a->hash;
	return 0;
}

/* Entries at or below the base are committed and settled here: the first one behind it must follow it. */
static size_t skip_settled(const struct replica *r, const struct msg_append *m)
{
	size_t n = 0;

	while (n < m->entry_count && m->previous.index + n < r->log.base.index)
		n++;
	return n;
}

/* Finds where the entries of the message join the log. false: they do not. */
static bool join(struct accepting *a, const struct msg_append *m, size_t *ret_skip)
{
	struct replica *r = a->r;
	const uint8_t *hash;

	*ret_skip = skip_settled(r, m);
	if (*ret_skip > 0) {
		a->previous = r->log.base;
		memcpy(a->hash, r->log.base_hash, SHA256_SIZE);
		return m->previous.index + *ret_skip == r->log.base.index;
	}
	if (MUTANT(r, APPEND_UNCHECKED) && m->previous.index == log_last(&r->log).index) {
		a->previous = log_last(&r->log);
		memcpy(a->hash, log_last_hash(&r->log), SHA256_SIZE);
		return true;
	}
	hash = log_hash_of(&r->log, m->previous);
	if (!hash)
		return false;
	if (memcmp(hash, m->previous_hash, SHA256_SIZE) != 0) {
		contradiction(r, m->previous.index);
		return false;
	}
	a->previous = m->previous;
	memcpy(a->hash, hash, SHA256_SIZE);
	return true;
}

/* Raises promise and verification; true if that or the log is news for the disk. */
static bool accept_finish(struct accepting *a, const struct message *m)
{
	struct replica *r = a->r;
	uint64_t epoch = m->append.epoch, index = a->previous.index;
	bool is_news = a->persist->entry_count > 0 || a->persist->cut_from > 0;

	if (MUTANT(r, CUT_BY_SHORTER) && index < log_last(&r->log).index &&
	    index >= r->log.base.index) {
		write_cut(r, a->persist, index + 1);
		is_news = true;
	}
	if (epoch > r->meta.promised && !MUTANT(r, ACCEPT_WITHOUT_PROMISE)) {
		r->meta.promised = epoch;
		r->meta.promised_to = m->from;
		r->meta.promised_at = (struct position){0};
		is_news = true;
	}
	if (index < r->commit)
		index = r->commit; /* the leader of an epoch not below the floor has that too */
	if (r->meta.accepted.epoch == epoch && r->meta.accepted.index >= index)
		return is_news;
	r->meta.accepted = (struct position){.epoch = epoch, .index = index};
	return true;
}

static void accept(struct replica *r, const struct message *m)
{
	struct accepting a = {.r = r, .persist = write_new(r)};
	bool is_news;
	size_t i;
	int code = 0;

	a.previous_hash = a.hash;
	if (!join(&a, &m->append, &i)) {
		persist_free(a.persist);
		if (r->role != ROLE_LEFT)
			fetch_send(r);
		return;
	}
	for (; i < m->append.entry_count && code == 0; i++)
		code = accept_entry(&a, &m->append.entries[i]);
	voters_refresh(r);
	if (r->role == ROLE_LEFT ||
	    (code < 0 && a.persist->entry_count == 0 && !a.persist->cut_from)) {
		persist_free(a.persist);
		return;
	}
	is_news = accept_finish(&a, m);
	if (is_news)
		write_queue(r, a.persist);
	else
		persist_free(a.persist);
	voters_refresh(r);
	if (MUTANT(r, COMMIT_UNVERIFIED)) {
		uint64_t last = log_last(&r->log).index;

		replica_commit_raise(r, m->append.committed < last ? m->append.committed : last,
				     m->append.epoch);
	}
	if (r->role == ROLE_LEFT)
		return;
	replica_commit_raise(
		r, m->append.committed < a.previous.index ? m->append.committed : a.previous.index,
		m->append.epoch);
	if (!is_news && (m->append.to == 0 || m->append.to == r->options.node))
		ack_say(r, true);
	if (m->append.to != r->options.node)
		return;
	r->is_fetching = false;
	if (!MUTANT(r, DIFFERENCE_OTHER_BASE))
		listing_drop(r);
	if (a.previous.index < m->append.last)
		fetch_send(r);
}

void append_message(struct replica *r, struct peer *peer, const struct message *m)
{
	uint64_t epoch = m->append.epoch;
	struct measure measure = {.start = m->from.start, .promised = epoch};

	seen_raise(r, &peer->incarnation, &measure);
	if (epoch < replica_floor(r) && !MUTANT(r, LOWER_APPEND)) {
		refuse(r, peer, epoch);
		return;
	}
	if (write_is_full(r))
		return;
	if (MUTANT(r, SAME_EPOCH_STRANGER) && epoch == r->meta.promised &&
	    !member_equal(&r->meta.promised_to.member, &m->from.member))
		return;
	/* also when this epoch was promised to somebody else: a majority promised it to this one */
	replica_follow(r, peer, epoch);
	accept(r, m);
}

void alive_message(struct replica *r, struct peer *peer, const struct message *m)
{
	if (m->alive.epoch < replica_floor(r))
		refuse(r, peer, m->alive.epoch);
	else
		replica_follow(r, peer, m->alive.epoch);
}
