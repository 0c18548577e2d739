/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One real replica, node 1, among puppets: the test says what the others say, and reads what this one wants. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/replica.h"
#include "cluster/core/txn.h"

#define PUPPET_MS USEC_PER_MSEC

struct puppet {
	struct replica *r;
	struct effects out; /* of the last step */
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

static inline struct member puppet_member(uint32_t node)
{
	return (struct member){.node = node, .incarnation.bytes = {(uint8_t)node, 0xee}};
}

static inline void puppet_step(struct puppet *p, struct event ev)
{
	effects_clear(&p->out);
	ev.now = p->now;
	replica_step(p->r, &ev, &p->out);
	for (size_t i = 0; i < p->out.count; i++)
		if (p->out.items[i].type == EFFECT_PERSIST)
			p->ticket = p->out.items[i].persist->ticket;
}

static inline void puppet_synced(struct puppet *p)
{
	puppet_step(p, (struct event){.type = EV_PERSISTED, .persisted = p->ticket});
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

/* The n-th message of that type among the last effects; false: there is none. */
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

static inline struct effect *puppet_effect(struct puppet *p, enum effect_type type)
{
	for (size_t i = 0; i < p->out.count; i++)
		if (p->out.items[i].type == type)
			return &p->out.items[i];
	return NULL;
}

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

/* Opened, with `voters` voters and the first entry of the chain in its log and applied, all in one view. */
static inline void puppet_start_as(struct puppet *p, struct chain *c, uint32_t voters,
				   const struct replica_options *base)
{
	struct replica_options options = *base;
	struct replica_disk disk = {.meta = {.cluster.bytes = {1},
					     .incarnation = puppet_member(1).incarnation,
					     .promised = 1,
					     .accepted = {1, 1}}};
	struct log_entry *first;

	*p = (struct puppet){.now = USEC_PER_SEC, .cluster = 1};
	*c = (struct chain){0};
	chain_voters(c, 1, voters);
	options.has_group = true;
	options.mutant = puppet_mutant();
	p->r = replica_new(&options);
	first = log_entry_ref(log_at(&c->log, 1));
	disk.entries = &first;
	disk.entry_count = 1;
	puppet_step(p, (struct event){.type = EV_STARTED, .started = &disk});
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
	log_fini(&c->log);
}
