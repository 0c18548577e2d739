/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong when: made from the seed alone, so that parts can be left out while minimising. */
#include "tests/sim/sim.h"

static const char *const names[FAULT_COUNT] = {
	[FAULT_KILL] = "kill",
	[FAULT_POWER] = "power cut",
	[FAULT_PAUSE] = "hang",
	[FAULT_FREEZE] = "freeze",
	[FAULT_PARTITION] = "partition",
	[FAULT_ONE_WAY] = "one way",
	[FAULT_SLOW_DISK] = "slow disk",
	[FAULT_FULL_DISK] = "full disk",
	[FAULT_FAILED_SYNC] = "failed sync",
	[FAULT_ROLLBACK] = "disk gone back",
	[FAULT_WIPE] = "wiped disk",
	[FAULT_COPY] = "copied disk",
	[FAULT_ADD] = "add voter",
	[FAULT_REMOVE] = "remove voter",
	[FAULT_KILL_POWER] = "kill, then power cut",
	[FAULT_BURST] = "burst of writes",
	[FAULT_ISOLATE] = "isolated",
	[FAULT_BLACKOUT] = "blackout",
	[FAULT_CHURN] = "churn of voters",
	[FAULT_FORCE] = "force",
};

const char *fault_name(enum fault_kind kind)
{
	return names[kind];
}

/* How often each kind comes. */
static const struct weight {
	enum fault_kind kind;
	unsigned weight;
} weights[] = {
	{FAULT_KILL, 20},	{FAULT_POWER, 20},   {FAULT_PAUSE, 14},	    {FAULT_FREEZE, 6},
	{FAULT_PARTITION, 22},	{FAULT_ONE_WAY, 5},  {FAULT_SLOW_DISK, 8},  {FAULT_FULL_DISK, 3},
	{FAULT_FAILED_SYNC, 4}, {FAULT_ROLLBACK, 4}, {FAULT_WIPE, 5},	    {FAULT_COPY, 2},
	{FAULT_ADD, 10},	{FAULT_REMOVE, 8},   {FAULT_KILL_POWER, 8}, {FAULT_BURST, 24},
	{FAULT_CHURN, 8},	{FAULT_BLACKOUT, 6},
};

/* One leader after the other is cut off or dies with what it has just appended. */
static const struct weight storm[] = {
	{FAULT_ISOLATE, 45}, {FAULT_KILL, 12},	{FAULT_POWER, 12},
	{FAULT_BURST, 16},   {FAULT_CHURN, 15}, {FAULT_BLACKOUT, 4},
};

static enum fault_kind random_kind(struct rng *rng, const struct weight *list, size_t count)
{
	unsigned total = 0;
	uint64_t at;

	for (size_t i = 0; i < count; i++)
		total += list[i].weight;
	at = rng_below(rng, total);
	for (size_t i = 0; i < count; i++) {
		if (at < list[i].weight)
			return list[i].kind;
		at -= list[i].weight;
	}
	return FAULT_KILL;
}

static void make_storm(struct schedule *s, struct rng *rng)
{
	usec_t at = 200 * MS;

	s->voters =
		rng_chance(rng, 40)
			? 4
			: 3 + (unsigned)rng_below(rng, 3); /* 4: half of it is a majority of 3 */
	s->learners = (unsigned)rng_below(rng, 2);
	s->append_entries = 1 + rng_below(rng, 2);
	s->detection = rng_between(rng, 50, 1500) * MS;
	s->fault_count = rng_between(rng, 8, SIM_FAULTS - 2);
	for (size_t i = 0; i < s->fault_count; i++) {
		at += rng_between(rng, 50, 1500) * MS;
		s->faults[i] = (struct fault){.kind = random_kind(rng, storm, ARRAY_SIZE(storm)),
					      .at = at,
					      .length = rng_between(rng, 100, 3000) * MS,
					      .node = rng_chance(rng, 80)
							      ? SIM_NODES
							      : (unsigned)rng_below(rng, SIM_NODES),
					      .detail = rng_next(rng)};
	}
	s->length = at + 1000 * MS;
}

/* The leader's disk is slow under load, so that it says ALIVE, while others start with slow disks, are wiped, or have
 * another leader already. */
static void make_stall(struct schedule *s, struct rng *rng)
{
	usec_t at = 200 * MS;

	s->voters = 3 + (unsigned)rng_below(rng, 3);
	s->learners = 2;
	s->detection = 6 * USEC_PER_SEC;
	s->very_late = 10;
	s->admin = 2000 * MS;
	s->fault_count = 0;
	while (s->fault_count + 8 <= SIM_FAULTS) {
		unsigned other = (unsigned)rng_below(rng, s->voters);
		usec_t cut = rng_between(rng, 1800, 3200) * MS, slow = cut + 1500 * MS;
		const struct fault part[] = {
			{FAULT_SLOW_DISK, .length = slow, .node = SIM_NODES},
			{FAULT_BURST, .at = 20 * MS, .length = 10 * MS},
			{rng_chance(rng, 50) ? FAULT_ISOLATE : FAULT_BURST, .at = 100 * MS,
			 .length = cut, .node = SIM_NODES},
			{FAULT_SLOW_DISK, .at = 200 * MS, .length = slow, .node = other},
			{FAULT_KILL, .at = rng_between(rng, 300, 2000) * MS, .length = 50 * MS,
			 .node = other},
			{FAULT_WIPE, .at = rng_between(rng, 300, 1200) * MS, .node = s->voters},
			{FAULT_WIPE, .at = rng_between(rng, 900, 2500) * MS, .node = s->voters + 1},
			{FAULT_BURST, .at = cut - 800 * MS, .length = 10 * MS},
		};

		for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
			struct fault *f = &s->faults[s->fault_count++];

			*f = part[i];
			f->at += at;
			f->detail = rng_next(rng) & ~1ull; /* a kill is at once */
		}
		at += slow + rng_between(rng, 500, 2000) * MS;
	}
	s->length = at + 1000 * MS;
}

void schedule_make(struct schedule *s, uint64_t seed)
{
	struct rng apart = {.state = seed * 0x9e3779b97f4a7c15u +
				     3}; /* the others stay what they were */
	struct rng rng = {.state = seed * 0x2545f4914f6cdd1du + 1};
	usec_t burst = 0;

	*s = (struct schedule){.seed = seed, .very_late = 1, .admin = 400 * MS};
	s->transport = rng_chance(&rng, 50) ? TRANSPORT_FAITHFUL : TRANSPORT_ADVERSARIAL;
	s->voters = 1 + (unsigned)rng_below(&rng, 5);
	if (s->voters < 3 && rng_chance(&rng, 50))
		s->voters = 3;
	s->learners = (unsigned)rng_below(&rng, 3);
	s->length = rng_between(&rng, 6, 20) * USEC_PER_SEC;
	s->writes = (unsigned)rng_between(&rng, 5, 40);
	s->drop = (unsigned)rng_below(&rng, rng_chance(&rng, 50) ? 6 : 35);
	s->late = (unsigned)rng_below(&rng, 20);
	s->detection = rng_chance(&rng, 50) ? 400 * MS : 3000 * MS;
	s->is_even = rng_chance(&rng, 15);
	s->log_kept = rng_between(&rng, 2, 6);
	s->append_entries = (size_t)1 << rng_below(&rng, 3);
	s->log_served = s->log_kept * (2 + rng_below(&rng, 6));
	s->chunk_bytes = rng_chance(&rng, 20) ? 8192 : rng_chance(&rng, 40) ? 70 : 300;
	if (rng_chance(&apart, 4)) {
		make_stall(s, &apart);
		return;
	}
	if (rng_chance(&rng, 25)) {
		make_storm(s, &rng);
		return;
	}
	s->fault_count = rng_between(&rng, 2, SIM_FAULTS - 8);
	for (size_t i = 0; i < s->fault_count; i++) {
		struct fault *f = &s->faults[i];

		f->kind = random_kind(&rng, weights, ARRAY_SIZE(weights));
		f->at = rng_between(&rng, 100, s->length / MS) * MS;
		if (burst && rng_chance(&rng, 55)) /* soon after the one before */
			f->at = burst + rng_between(&rng, 0, rng_chance(&rng, 50) ? 30 : 400) * MS;
		burst = f->at;
		f->length = rng_between(&rng, 5, rng_chance(&rng, 50) ? 400 : 4000) * MS;
		f->node = rng_chance(&rng, 45) ? SIM_NODES : (unsigned)rng_below(&rng, SIM_NODES);
		f->detail = rng_next(&rng);
	}
	if (s->voters >= 3 && rng_chance(&rng, 6))
		s->faults[s->fault_count++] = (struct fault){.kind = FAULT_FORCE,
							     .at = s->length / 2,
							     .node = SIM_NODES,
							     .detail = rng_next(&rng)};
}
