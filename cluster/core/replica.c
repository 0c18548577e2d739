/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step of a replica: dispatch of events, and what follows from any of them. Pure.
 *
 *              disk read, start number on disk
 *   OPENING ------------------------------------> WAITING (empty) --FOUND, JOIN--+
 *      |                                                                         |
 *      +------------------------------> SEEKING <--------------------------------+
 *                                        |  ^  ^
 *         best position, round is over   |  |  |  leader gone, hung, thaw, REFUSE
 *                  +---------------------+  |  +---------------------------+
 *                  v         refused        |                              |
 *               CLAIMING -------------------+--------------------------> FOLLOWING
 *                  | majority promised      |   APPEND, ALIVE or STATE     ^
 *                  v                        |   of a leader                |
 *               LEADING --------------------+------------------------------+
 *                    higher promise, no majority, no quorum, thaw
 *
 *   any of them --failed disk, contradiction, gone back in time--> LEFT */
#include "cluster/core/replica_private.h"

#include <stdio.h>

const struct replica_options replica_options_default = {
	.node = 1,
	.has_group = false,
	.name = "node",
	.timeout = USEC_PER_SEC,
	.rank_step = 300 * USEC_PER_MSEC,
	.log_kept = 1000,
	.log_bytes = 8 * 1024 * 1024,
	.log_served = 50000,
	.append_entries = MESSAGE_ENTRIES_MAX,
	.append_bytes = MESSAGE_BYTES_MAX / 2,
	.admit_window = MESSAGE_ENTRIES_MAX,
	.chunk_bytes =
		128 * 1024, /* a window takes 5 ms of a gigabit link: entries wait behind it */
	.chunk_window = 4,
	.requests_kept = KV_REQUESTS_KEPT,
	.level = REPLICA_LEVEL,
};

struct replica *replica_new(const struct replica_options *options)
{
	struct replica *r = xcalloc(1, sizeof(*r));

	r->options = *options;
	snprintf(r->name, sizeof(r->name), "%s", options->name);
	r->options.name = r->name;
	r->state = state_new(options->requests_kept);
	r->peers[0].node = options->node;
	r->peers[0].is_in_view = true;
	r->peer_count = 1;
	list_init(&r->requests);
	list_init(&r->gathered);
	list_init(&r->changes);
	list_init(&r->served);
	by_id_init(&r->requests_by_id);
	by_id_init(&r->gathered_by_id);
	return r;
}

void replica_free(struct replica *r)
{
	if (!r)
		return;
	LIST_FOREACH (&r->requests, q, struct request, node)
		free(q);
	gather_drop(r);
	staging_drop(r);
	listing_drop(r);
	serve_drop(r);
	state_free(r->state);
	state_free(r->installing);
	log_fini(&r->log);
	free(r);
}

struct state *replica_end(struct replica *r)
{
	struct state *state = TAKE(r->state);

	replica_free(r);
	return state;
}

struct claimant replica_self(const struct replica *r)
{
	return (struct claimant){
		.member = {.node = r->options.node, .incarnation = r->meta.incarnation},
		.start = r->meta.start};
}

uint64_t replica_floor(const struct replica *r)
{
	if (MUTANT(r, COMMITTED_WITHOUT_EPOCH))
		return r->meta.promised;
	return r->meta.promised > r->commit_epoch ? r->meta.promised : r->commit_epoch;
}

bool replica_has_company(const struct replica *r)
{
	for (size_t i = 1; i < r->peer_count; i++)
		if (r->peers[i].is_in_view)
			return true;
	return false;
}

void replica_send(struct replica *r, struct message *m)
{
	if (!r->is_opened || !replica_has_company(r))
		return;
	m->cluster = r->meta.cluster;
	m->fork = r->meta.fork;
	m->from = replica_self(r);
	message_encode(m, &effects_add(r->out, EFFECT_SEND)->send);
}

void replica_leave(struct replica *r, bool is_read_only, const char *fmt, ...)
{
	va_list ap;
	char *reason;

	if (r->role == ROLE_LEFT)
		return;
	va_start(ap, fmt);
	reason = xvasprintf(fmt, ap);
	va_end(ap);
	lead_stop(r);
	r->role = ROLE_LEFT;
	r->timer = r->claim_at = 0;
	if (is_read_only) /* first: a process that dies before that must not come back */
		effects_add(r->out, EFFECT_READ_ONLY)->reason = xstrdup(reason);
	requests_leave(r, reason);
	effects_add(r->out, EFFECT_LEAVE)->reason = reason;
}

void replica_follow(struct replica *r, const struct peer *peer, uint64_t epoch)
{
	bool is_new = r->leader != peer->node || r->leader_epoch != epoch;

	if (r->role == ROLE_LEADING)
		lead_stop(r);
	r->role = ROLE_FOLLOWING;
	r->leader = peer->node;
	r->leader_epoch = epoch;
	r->claim_at = 0;
	r->is_current = true;
	timer_sign(r);
	if (!is_new)
		return;
	r->is_fetching = false;
	r->heard_of = 0;
	r->wants_whole = false;
	if (!MUTANT(r, DIFFERENCE_OTHER_BASE))
		listing_drop(r);
	if (!MUTANT(r, LATE_SNAPSHOT))
		staging_drop(r);
	requests_send(r);
}

void replica_commit_raise(struct replica *r, uint64_t index, uint64_t epoch)
{
	if (epoch > r->commit_epoch)
		r->commit_epoch = epoch;
	if (index <= r->commit)
		return;
	r->commit = index;
	r->failures = 0;
	if (r->staging.at.index <= index) /* no longer needed */
		staging_drop(r);
	timer_sign(r);
}

static void on_started(struct replica *r, const struct event *event)
{
	struct replica_disk *disk = event->started;

	r->meta = disk->meta;
	r->meta.start++;
	r->peers[0].incarnation = r->meta.incarnation;
	r->peers[0].start = r->meta.start;
	if (disk->state) {
		state_free(r->state);
		r->state = TAKE(disk->state);
		kv_keep_requests(r->state->kv, r->options.requests_kept);
		kv_hash_start(r->state->kv);
	}
	log_reset(&r->log, disk->base, disk->base_hash);
	for (size_t i = 0; i < disk->entry_count; i++)
		log_append(&r->log, disk->entries[i]);
	disk->entry_count = 0;
	r->commit = r->state->at.index;
	r->commit_epoch = r->state->at.epoch;
	voters_refresh(r);
	write_queue(r, write_new(r));
	if (MUTANT(r, EPOCH_RESUMED) && r->meta.promised &&
	    r->meta.promised_to.member.node == r->options.node)
		r->owed_promise = UINT64_MAX; /* see claim_say_due() */
	if (MUTANT(r, SPEAK_BEFORE_OPENING)) {
		struct event done = {.type = EV_PERSISTED, .persisted = r->ticket};

		on_persisted(r, &done);
	}
}

static void (*const handlers[EV_COUNT])(struct replica *r, const struct event *event) = {
	[EV_STARTED] = on_started,     [EV_VIEW] = on_view,
	[EV_QUORUM] = on_quorum,       [EV_MESSAGE] = on_message,
	[EV_PERSISTED] = on_persisted, [EV_PERSIST_FAILED] = on_persist_failed,
	[EV_PROPOSE] = on_propose,     [EV_TICK] = on_tick,
	[EV_THAW] = on_thaw,	       [EV_FOUND] = on_found,
	[EV_JOIN] = on_join,	       [EV_FORCE] = on_force,
};

/* What any event may have made possible. */
static void follow_up(struct replica *r)
{
	ack_say(r, false);
	commit_advance(r);
	apply_committed(r);
	round_end(r);
	claim_alone(r);
	claim_say_due(r);
	change_try(r);
	requests_check(r); /* first: what came too late is certainly not appended */
	gather_flush(r);
	serve_expire(r);
	timer_arm(r);
}

void replica_step(struct replica *r, const struct event *event, struct effects *out)
{
	r->out = out;
	r->now = event->now;
	if (r->role != ROLE_LEFT || event->type == EV_PROPOSE)
		handlers[event->type](r, event);
	if (r->role == ROLE_OPENING || r->role == ROLE_WAITING)
		requests_check(r);
	else if (r->role != ROLE_LEFT)
		follow_up(r);
	r->out = NULL;
}

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_OPENING] = "opening",	[ROLE_WAITING] = "waiting",   [ROLE_SEEKING] = "seeking",
	[ROLE_FOLLOWING] = "following", [ROLE_CLAIMING] = "claiming", [ROLE_LEADING] = "leading",
	[ROLE_LEFT] = "left",
};

const char *replica_role_name(enum replica_role role)
{
	return role_names[role];
}

enum replica_role replica_role(const struct replica *r)
{
	return r->role;
}

uint64_t replica_leads(const struct replica *r)
{
	return r->role == ROLE_LEADING && r->is_current ? r->leader_epoch : 0;
}

uint64_t replica_committed(const struct replica *r)
{
	return r->commit;
}

uint64_t replica_committed_epoch(const struct replica *r)
{
	return r->commit_epoch;
}

const struct state *replica_state(const struct replica *r)
{
	return r->state;
}

const struct log *replica_log(const struct replica *r)
{
	return &r->log;
}

const struct replica_meta *replica_meta(const struct replica *r)
{
	return &r->meta;
}

const struct voters *replica_voters(const struct replica *r)
{
	return &r->voters;
}

bool replica_member(const struct replica *r, size_t i, struct replica_member *ret)
{
	const struct peer *p = i < r->peer_count ? &r->peers[i] : NULL;

	if (!p)
		return false;
	*ret = (struct replica_member){
		.claimant = {.member = {.node = p->node, .incarnation = p->incarnation},
			     .start = p->start},
		.is_known = p->is_known,
		.is_in_view = p->is_in_view,
		.is_suspect = p->is_suspect,
		.position = i == 0 ? log_last(&r->log) : p->position,
		.acknowledged = p->ack,
		.level = i == 0 ? r->options.level : p->level};
	return true;
}

const struct replica_caught_up *replica_caught_up(const struct replica *r)
{
	return &r->caught_up;
}

bool replica_is_current(const struct replica *r)
{
	return r->is_current;
}
