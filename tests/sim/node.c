/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulated process: the driver around the core. It carries effects out in order, and may die between any two
 * of them. */
#include <string.h>

#include "tests/sim/sim.h"

#define SETTLE_PERCENT 12

void node_options(const struct world *w, const struct node *n, struct replica_options *ret)
{
	static const char *const names[SIM_NODES] = {"n1", "n2", "n3", "n4", "n5", "n6", "n7"};

	*ret = (struct replica_options){.node = n->id,
					.name = names[n->at],
					.has_group = true,
					.timeout = 500 * MS,
					.rank_step = 60 * MS,
					.log_kept = w->schedule->log_kept,
					.log_served = w->schedule->log_served,
					.append_entries = w->schedule->append_entries,
					.append_bytes = 2048,
					.admit_window = 4,
					.chunk_bytes = w->schedule->chunk_bytes,
					.chunk_window = 2,
					.requests_kept = SIM_REQUESTS,
					.level = n->level,
					.mutant = w->mutant};
}

static usec_t sync_time(struct world *w, const struct node *n)
{
	if (w->now < n->disk.slow_until)
		return rng_between(&w->rng, 200 * MS, 1500 * MS);
	return w->schedule->is_even ? 5 * MS : rng_between(&w->rng, 1 * MS, 12 * MS);
}

void node_sync_plan(struct world *w, struct node *n)
{
	struct disk *d = &n->disk;

	if (d->busy || d->op_count == d->ghosts)
		return;
	d->busy = d->op_count;
	world_add(w, (struct happening){.at = w->now + sync_time(w, n),
					.kind = HAPPEN_SYNC,
					.node = n->at,
					.pid = n->pid});
}

static void settle(struct world *w, struct node *n)
{
	const struct state *s = replica_state(n->replica);
	autobuf data = BUF_INIT;
	uint64_t kept = rng_below(&w->rng, 8);

	if (s->at.index == 0 || !rng_chance(&w->rng, SETTLE_PERCENT))
		return;
	state_encode(s, &data);
	disk_add(&n->disk, (struct disk_op){.kind = OP_SETTLE,
					    .state = blob_new(data.data, data.size),
					    .trim = s->at.index > kept ? s->at.index - kept : 0});
	w->persisted++;
}

/* The rules were raised. No voter may be too old for them; who is none is upgraded now. */
static void too_old(struct world *w, struct node *n)
{
	const struct replica_meta *meta = replica_meta(n->replica);
	struct member self = {.node = n->id, .incarnation = meta->incarnation};

	(void)w;
	n->may_leave = n->may_leave || !voters_has(replica_voters(n->replica), &self);
	n->level = SIM_LEVEL;
}

static void run_effect(struct world *w, struct node *n, struct effect *e)
{
	struct blob *blob, *sent;

	switch (e->type) {
	case EFFECT_SEND:
		blob = blob_new(e->send.data, e->send.size);
		sent = net_falsify(w, n, blob);
		oracle_sent(w, n, sent);
		net_send(w, n, sent);
		blob_unref(sent);
		blob_unref(blob);
		break;
	case EFFECT_PERSIST:
		w->persisted++;
		oracle_persist(w, n, e->persist);
		disk_add(&n->disk,
			 (struct disk_op){.kind = OP_PERSIST, .persist = TAKE(e->persist)});
		break;
	case EFFECT_ANSWER:
		client_answered(w, n, e->answer);
		break;
	case EFFECT_APPLIED:
		settle(w, n);
		break;
	case EFFECT_READ_ONLY:
		n->is_marked = true;
		n->is_gone = strstr(e->reason, "back in time") || strstr(e->reason, "a copy of");
		break;
	case EFFECT_LEAVE:
		if (strstr(e->reason, "this program knows"))
			too_old(w, n);
		oracle_left(w, n, e->reason);
		node_crash(w, n, false);
		if (!n->is_marked)
			world_add(w, (struct happening){.at = w->now + 2000 * MS,
							.kind = HAPPEN_START,
							.node = n->at});
		break;
	}
}

/* Effects of applying are told to the oracle at once: they describe the state that reads see now. */
static void tell_applied(struct world *w, struct node *n)
{
	for (size_t i = 0; i < n->effects.count; i++)
		if (n->effects.items[i].type == EFFECT_APPLIED)
			oracle_applied(w, n, n->effects.items[i].applied);
	oracle_reads(w, n);
}

static void run_effects(struct world *w, struct node *n)
{
	struct effects effects = n->effects;
	uint64_t pid = n->pid;

	n->effects = (struct effects){0};
	for (size_t i = 0; i < effects.count && n->pid == pid && n->replica; i++) {
		if (n->crash_in && --n->crash_in == 0) {
			world_say(w, "n%u dies before its effect %zu of %zu", n->id, i + 1,
				  effects.count);
			node_crash(w, n, rng_chance(&w->rng, 50));
			world_add(w, (struct happening){.at = w->now +
							      rng_between(&w->rng, 20, 3000) * MS,
							.kind = HAPPEN_START,
							.node = n->at});
			break;
		}
		run_effect(w, n, &effects.items[i]);
	}
	effects_clear(&effects);
	if (n->effects.items)
		effects_fini(&effects);
	else
		n->effects = effects; /* keeps its memory */
}

static void tick_plan(struct world *w, struct node *n)
{
	usec_t at = n->replica ? replica_deadline(n->replica) : 0;

	if (!at || at == n->tick)
		return;
	n->tick = at;
	world_add(w, (struct happening){.at = at > w->now ? at : w->now,
					.kind = HAPPEN_TICK,
					.node = n->at,
					.pid = n->pid,
					.number = at});
}

static void count_caught_up(struct world *w, const struct replica_caught_up *before,
			    const struct replica_caught_up *now)
{
	if (now->fallbacks > before->fallbacks)
		world_say(w, "a difference was wrong");
	if (!w->coverage)
		return;
	w->coverage->steps++;
	w->coverage->caught_up.whole += now->whole - before->whole;
	w->coverage->caught_up.differences += now->differences - before->differences;
	w->coverage->caught_up.fallbacks += now->fallbacks - before->fallbacks;
}

void node_step(struct world *w, struct node *n, struct event *event)
{
	struct replica_caught_up before;

	if (!n->replica)
		return;
	event->now = w->now;
	before = *replica_caught_up(n->replica);
	replica_step(n->replica, event, &n->effects);
	count_caught_up(w, &before, replica_caught_up(n->replica));
	oracle_after_step(w, n);
	tell_applied(w, n);
	run_effects(w, n);
	if (!n->replica)
		return;
	node_sync_plan(w, n);
	tick_plan(w, n);
}

void node_start(struct world *w, struct node *n)
{
	struct replica_options options;
	struct event ev = {.type = EV_STARTED};

	if (n->replica || n->is_gone || (n->is_marked && n->is_up))
		return;
	if (!n->is_up)
		n->is_marked = false;
	n->is_up = true;
	if (rng_chance(&w->rng, 50))
		n->level = SIM_LEVEL; /* upgraded meanwhile */
	node_options(w, n, &options);
	n->replica = replica_new(&options);
	n->pid = ++w->next_pid;
	n->applied = n->committed = n->leads = 0;
	n->measure = (struct measure){0};
	n->tick = 0;
	n->crash_in = 0;
	n->ring = 0;
	if (uuid_is_zero(&n->disk.synced.meta.incarnation))
		rng_uuid(&w->rng, &n->disk.synced.meta.incarnation);
	ev.started = disk_load(&n->disk, &options);
	world_say(w, "n%u starts, pid %llu, log to %llu", n->id, (unsigned long long)n->pid,
		  (unsigned long long)(ev.started->base.index + ev.started->entry_count));
	n->applied = ev.started->state ? ev.started->state->at.index : 0;
	{
		struct replica_disk *disk = ev.started;

		node_step(w, n, &ev);
		replica_disk_free(disk);
	}
	net_reform_soon(w, rng_between(&w->rng, 1, 30) * MS);
}

static void inbox_clear(struct node *n)
{
	for (size_t i = 0; i < n->inbox_count; i++)
		world_free_happening(&n->inbox[i]);
	n->inbox_count = 0;
}

/* Ends the process (as SIGKILL does) or the machine. */
void node_crash(struct world *w, struct node *n, bool is_power)
{
	struct disk *d = &n->disk;

	if (n->replica) {
		client_lost(w, n);
		replica_free(n->replica);
		n->replica = NULL;
		effects_clear(&n->effects);
		inbox_clear(n);
		n->is_paused = false;
		n->pid = ++w->next_pid;
		disk_kill(d, rng_below(&w->rng, d->op_count + 1));
		net_reform_soon(w, rng_between(&w->rng, 1, is_power ? 400 : 40) * MS);
	}
	if (is_power) {
		disk_power_cut(d, rng_below(&w->rng, d->op_count + 1));
		n->is_up = false;
	}
	world_say(w, "n%u is %s", n->id, is_power ? "without power" : "killed");
}

static void sync_end(struct world *w, struct node *n)
{
	struct disk *d = &n->disk;
	struct event ev = {.type = EV_PERSISTED};

	if (!d->busy)
		return;
	for (size_t i = 0; i < d->busy; i++)
		if (d->ops[i].persist)
			ev.persisted = i < d->ghosts ? ev.persisted : d->ops[i].persist->ticket;
	if (d->fails_next || d->is_full) {
		uint64_t ticket = ev.persisted;

		ev = (struct event){.type = EV_PERSIST_FAILED,
				    .failed = {.ticket = ticket, .is_full = !d->fails_next}};
		n->may_leave = true;
		d->is_lying = d->is_lying || d->fails_next;
		/* the writer leaves its marker before it tells anybody */
		n->is_marked = n->is_marked || d->fails_next;
		d->fails_next = false;
		d->ghosts = d->busy;
		if (ev.failed.is_full)
			d->ghosts = 0; /* rolled back */
		d->busy = 0;
		if (ev.failed.is_full)
			disk_kill(d, 0);
		node_step(w, n, &ev);
		return;
	}
	disk_synced(d);
	if (rng_chance(&w->rng, 10) && !d->has_old) {
		image_copy(&d->old, &d->synced, false);
		d->has_old = true;
	}
	if (ev.persisted)
		node_step(w, n, &ev);
	else
		node_sync_plan(w, n);
}

static void count_coverage(struct world *w, struct node *n, const struct blob *blob)
{
	uint8_t type = (uint8_t)blob->data[1];

	if (w->coverage && type < MSG_COUNT)
		w->coverage->cells[type][replica_role(n->replica)]++;
}

static void deliver(struct world *w, struct node *n, const struct happening *h)
{
	struct event ev = {.type = EV_MESSAGE,
			   .message = {.from = w->nodes[h->from].id,
				       .data = h->blob->data,
				       .size = h->blob->size}};

	count_coverage(w, n, h->blob);
	if (w->is_verbose) {
		struct message m;

		if (message_decode(h->blob->data, h->blob->size, &m, NULL) == 0)
			world_say(w, "n%u (%s) hears %s of n%u", n->id,
				  replica_role_name(replica_role(n->replica)), message_name(m.type),
				  m.from.member.node);
	}
	node_step(w, n, &ev);
}

static void view(struct world *w, struct node *n, const struct happening *h)
{
	struct event ev = {.type = EV_VIEW, .view = *h->view};
	struct event quorum = {.type = EV_QUORUM, .is_quorate = h->is_quorate};
	bool view_first = rng_chance(&w->rng, 50);

	world_say(w, "n%u sees ring %llu of %zu, %squorate", n->id,
		  (unsigned long long)h->view->ring, h->view->count, h->is_quorate ? "" : "not ");
	node_step(w, n, view_first ? &ev : &quorum);
	node_step(w, n, view_first ? &quorum : &ev);
}

void node_take(struct world *w, struct node *n, struct happening *h)
{
	if (!n->replica || h->pid != n->pid) {
		world_free_happening(h);
		return;
	}
	if (n->is_paused && h->kind != HAPPEN_SYNC) {
		if (n->inbox_count == n->inbox_capacity) {
			n->inbox_capacity = n->inbox_capacity ? 2 * n->inbox_capacity : 64;
			n->inbox = xrealloc(n->inbox, n->inbox_capacity, sizeof(n->inbox[0]));
		}
		n->inbox[n->inbox_count++] = *h;
		return;
	}
	if (h->kind == HAPPEN_SYNC && n->is_paused) {
		h->at = w->now + 20 * MS; /* its completion is not read */
		world_add(w, *h);
		return;
	}
	if (h->kind == HAPPEN_DELIVER) {
		deliver(w, n, h);
	} else if (h->kind == HAPPEN_VIEW) {
		view(w, n, h);
	} else if (h->kind == HAPPEN_SYNC) {
		sync_end(w, n);
	} else if (h->kind == HAPPEN_TICK) {
		struct event ev = {.type = EV_TICK};

		if (h->number == n->tick)
			n->tick = 0;
		node_step(w, n, &ev);
	}
	world_free_happening(h);
}

void node_pause(struct world *w, struct node *n)
{
	if (!n->replica || n->is_paused)
		return;
	n->is_paused = true;
	n->paused_at = w->now;
	world_say(w, "n%u hangs", n->id);
}

/* knows: the loop's gap was long enough to be noticed */
void node_thaw(struct world *w, struct node *n, bool knows)
{
	struct event ev = {.type = EV_THAW};
	struct happening *inbox = n->inbox;
	size_t count = n->inbox_count;

	if (!n->is_paused)
		return;
	n->is_paused = false;
	n->inbox = NULL;
	n->inbox_count = n->inbox_capacity = 0;
	world_say(w, "n%u goes on, %zu waited", n->id, count);
	if (knows)
		node_step(w, n, &ev);
	for (size_t i = 0; i < count; i++)
		node_take(w, n, &inbox[i]);
	free(inbox);
}
