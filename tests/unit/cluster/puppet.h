/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One real replica with its disk among puppets: the test says what the others say, and reads what this one wants. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/mutant.h"
#include "cluster/core/replica.h"
#include "cluster/core/txn.h"
#include "tests/sim/disk.h"

#define PUPPET_MS USEC_PER_MSEC

/* What the mutant of that name breaks. tests/sim/run.sh wants the test to fail here, and nowhere else, with it. */
#define assert_rule(name, holds)                                                                   \
	do {                                                                                       \
		(void)MUTANT_##name;                                                               \
		if (!(holds))                                                                      \
			fail_msg("rule %s is broken: %s", #name, #holds);                          \
	} while (0)

struct puppet {
	uint32_t node;
	struct replica *r;
	struct replica_options options;
	struct effects out; /* of the last step */
	struct disk disk;
	usec_t now;
	uint64_t ticket; /* the last one asked for */
	uint8_t cluster, fork;
};

/* Which rule is broken, where the core can do that (tests/sim). */
static inline int puppet_mutant(void)
{
	const char *number = getenv("LODGE_MUTANT");

	return number ? atoi(number) : 0;
}

/* Before the tests: LODGE_TEST names the only one to run. */
static inline void puppet_choose(void)
{
	const char *only = getenv("LODGE_TEST");

	if (only)
		cmocka_set_test_filter(only);
}

static inline struct member puppet_member(uint32_t node)
{
	return (struct member){.node = node, .incarnation.bytes = {(uint8_t)node, 0xee}};
}

/* What the last step wanted written goes to the disk, not yet synced. */
static inline void puppet_write(struct puppet *p)
{
	for (size_t i = 0; i < p->out.count; i++) {
		struct effect *e = &p->out.items[i];

		if (e->type == EFFECT_PERSIST && e->persist)
			disk_add(&p->disk,
				 (struct disk_op){.kind = OP_PERSIST, .persist = TAKE(e->persist)});
	}
}

static inline void puppet_step(struct puppet *p, struct event ev)
{
	puppet_write(p);
	effects_clear(&p->out);
	ev.now = p->now;
	replica_step(p->r, &ev, &p->out);
	for (size_t i = 0; i < p->out.count; i++)
		if (p->out.items[i].type == EFFECT_PERSIST)
			p->ticket = p->out.items[i].persist->ticket;
}

/* What was asked for up to that ticket is on disk. */
static inline void puppet_synced_to(struct puppet *p, uint64_t ticket)
{
	puppet_write(p);
	while (p->disk.busy < p->disk.op_count &&
	       (p->disk.busy < p->disk.ghosts ||
		p->disk.ops[p->disk.busy].persist->ticket <= ticket))
		p->disk.busy++;
	disk_synced(&p->disk);
	puppet_step(p, (struct event){.type = EV_PERSISTED, .persisted = ticket});
}

static inline void puppet_synced(struct puppet *p)
{
	puppet_synced_to(p, p->ticket);
}

static inline void puppet_tick(struct puppet *p)
{
	p->now = replica_deadline(p->r);
	puppet_step(p, (struct event){.type = EV_TICK});
}

static inline void puppet_hear(struct puppet *p, uint32_t node, struct message m)
{
	autobuf data = BUF_INIT;

	m.cluster.bytes[0] = p->cluster;
	m.fork.bytes[0] = p->fork;
	if (!m.from.member.node)
		m.from = (struct claimant){.member = puppet_member(node), .start = 1};
	message_encode(&m, &data);
	puppet_step(p, (struct event){.type = EV_MESSAGE, .message = {node, data.data, data.size}});
}

/* The first message of that type among the last effects; false: there is none. */
static inline bool puppet_said(struct puppet *p, enum message_type type, struct message *ret)
{
	for (size_t i = 0; i < p->out.count; i++) {
		const struct effect *e = &p->out.items[i];

		if (e->type == EFFECT_SEND && (uint8_t)e->send.data[1] == type) {
			assert_int_equal(message_decode(e->send.data, e->send.size, ret, NULL), 0);
			return true;
		}
	}
	return false;
}

static inline bool puppet_says(struct puppet *p, enum message_type type)
{
	static struct message ignored;

	return puppet_said(p, type, &ignored);
}

static inline struct effect *puppet_effect(struct puppet *p, enum effect_type type)
{
	for (size_t i = 0; i < p->out.count; i++)
		if (p->out.items[i].type == type)
			return &p->out.items[i];
	return NULL;
}

/* What the last step answered; 0: nothing. */
static inline enum store_outcome puppet_answered(struct puppet *p)
{
	struct effect *e = puppet_effect(p, EFFECT_ANSWER);

	return e ? e->answer->result.outcome : 0;
}

/* Nodes 1 to count. */
static inline void puppet_view(struct puppet *p, uint64_t ring, size_t count)
{
	struct view_member members[8];

	for (size_t i = 0; i < count; i++)
		members[i] = (struct view_member){.node = (uint32_t)i + 1, .pid = 1};
	puppet_step(p, (struct event){.type = EV_QUORUM, .is_quorate = count > 1});
	puppet_step(p, (struct event){.type = EV_VIEW,
				      .view = {.ring = ring, .members = members, .count = count}});
}

/* An entry behind the last one of a chain that the puppets share. */
struct chain {
	struct log log;
};

static inline struct log_entry *chain_add(struct chain *c, uint64_t epoch, enum entry_kind kind,
					  const void *payload, size_t size)
{
	autobuf data = BUF_INIT;
	struct entry e = {.at = {epoch, log_last(&c->log).index + 1},
			  .previous = log_last(&c->log),
			  .kind = kind,
			  .payload = payload ? payload : "",
			  .payload_size = size};

	entry_encode(&e, log_last_hash(&c->log), &data);
	log_append(&c->log, log_entry_new(&e, data.data, data.size));
	return log_at(&c->log, e.at.index);
}

static inline void chain_barriers(struct chain *c, uint64_t epoch, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		chain_add(c, epoch, ENTRY_BARRIER, NULL, 0);
}

/* A list of nodes 1 to count. */
static inline void chain_voters(struct chain *c, uint64_t epoch, uint32_t count)
{
	struct voters voters = {0};
	autobuf payload = BUF_INIT;

	for (uint32_t i = 1; i <= count; i++) {
		struct member member = puppet_member(i);

		voters_add(&voters, &member);
	}
	voters_payload_encode(&(struct uuid){0}, &voters, &payload);
	chain_add(c, epoch, ENTRY_VOTERS, payload.data, payload.size);
}

/* APPEND of entries from..to of the chain, by the leader of that epoch. */
static inline struct message chain_append(const struct chain *c, uint64_t epoch, uint64_t from,
					  uint64_t to)
{
	struct message m = {.type = MSG_APPEND, .append = {.epoch = epoch, .last = to}};
	const struct log_entry *before = log_at(&c->log, from - 1);

	if (before) {
		m.append.previous = before->at;
		memcpy(m.append.previous_hash, before->hash, SHA256_SIZE);
	}
	for (uint64_t i = from; i <= to; i++) {
		const struct log_entry *e = log_at(&c->log, i);

		m.append.entries[m.append.entry_count++] =
			(struct message_entry){.data = e->data, .size = e->size};
	}
	return m;
}

/* A process upon what the disk holds; its opening transaction is asked for. */
static inline void puppet_open(struct puppet *p)
{
	struct replica_disk *disk = disk_load(&p->disk, &p->options);

	p->r = replica_new(&p->options);
	puppet_step(p, (struct event){.type = EV_STARTED, .started = disk});
	replica_disk_free(disk);
}

/* The process dies and the next one opens; power: what was not synced is gone. */
static inline void puppet_restart(struct puppet *p, bool is_power)
{
	puppet_write(p);
	effects_clear(&p->out);
	replica_free(p->r);
	disk_kill(&p->disk, p->disk.op_count);
	if (is_power)
		disk_power_cut(&p->disk, 0);
	puppet_open(p);
}

/* A disk that holds the chain, verified in `epoch`, which is promised. options NULL: as usual */
static inline void puppet_prepare(struct puppet *p, const struct chain *c, uint32_t node,
				  uint64_t epoch, const struct replica_options *options)
{
	struct persist all = {.meta = {.cluster.bytes = {1},
				       .incarnation = puppet_member(node).incarnation,
				       .promised = epoch,
				       .accepted = {epoch, c->log.count}},
			      .entries = c->log.items,
			      .entry_count = c->log.count};
	struct persist *copy = xmemdup(&all, sizeof(all));

	*p = (struct puppet){.node = node, .now = USEC_PER_SEC, .cluster = 1};
	copy->entries = xmemdup(all.entries, all.entry_count * sizeof(all.entries[0]));
	for (size_t i = 0; i < all.entry_count; i++)
		log_entry_ref(all.entries[i]);
	disk_add(&p->disk, (struct disk_op){.kind = OP_PERSIST, .persist = copy});
	p->disk.busy = 1;
	disk_synced(&p->disk);
	p->options = options ? *options : replica_options_default;
	p->options.node = node;
	p->options.has_group = true;
	p->options.mutant = puppet_mutant();
}

/* Opened, with `voters` voters in the first entry of the chain, all in one view. */
static inline void puppet_start_as(struct puppet *p, struct chain *c, uint32_t voters,
				   const struct replica_options *options)
{
	*c = (struct chain){0};
	chain_voters(c, 1, voters);
	puppet_prepare(p, c, 1, 1, options);
	puppet_open(p);
	puppet_synced(p);
	puppet_view(p, 5, voters);
}

static inline void puppet_start(struct puppet *p, struct chain *c, uint32_t voters)
{
	puppet_start_as(p, c, voters, &replica_options_default);
}

/* STATE of another in the round that is open, where it stands with (epoch, index). */
static inline struct message puppet_state(struct puppet *p, struct position position,
					  uint64_t leads)
{
	static struct message said; /* of the last STATE that the replica sent */
	struct message m = {.type = MSG_STATE};

	if (!puppet_said(p, MSG_STATE, &said))
		assert_int_not_equal(said.type, 0);
	m.state.view = said.state.view;
	m.state.round = said.state.round;
	m.state.promised = position.epoch > leads ? position.epoch : leads;
	m.state.measure =
		(struct measure){.start = 1, .promised = m.state.promised, .accepted = position};
	m.state.position = position;
	m.state.leads = leads;
	return m;
}

static inline void puppet_end(struct puppet *p, struct chain *c)
{
	effects_fini(&p->out);
	replica_free(p->r);
	disk_fini(&p->disk);
	if (c)
		log_fini(&c->log);
}
