/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where schedules of one replica begin, and what puppets often say. */
#pragma once

#include "tests/unit/cluster/puppet.h"

static inline struct message say_claim(uint64_t epoch, uint64_t last_epoch, uint64_t last)
{
	return (struct message){.type = MSG_CLAIM,
				.claim = {.epoch = epoch, .position = {last_epoch, last}}};
}

static inline struct message say_ack(uint64_t epoch, uint64_t index)
{
	return (struct message){.type = MSG_ACK, .ack = {epoch, index}};
}

/* To node 1, which claims with the first entry. */
static inline struct message say_promise(uint64_t epoch)
{
	return (struct message){.type = MSG_PROMISE,
				.promise = {.epoch = epoch,
					    .to = {.member = puppet_member(1), .start = 1},
					    .position = {1, 1}}};
}

/* Node 2 leads epoch 2 with a barrier at index 2; node 1 has accepted it, not yet on disk. */
static inline void scene_follow_of(struct puppet *p, struct chain *c, uint32_t voters)
{
	struct message m;

	puppet_start(p, c, voters);
	for (uint32_t node = voters; node > 2; node--)
		puppet_hear(p, node, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 2, puppet_state(p, (struct position){2, 2}, 2));
	assert_int_equal(replica_role(p->r), ROLE_FOLLOWING);
	assert_true(puppet_says(p, MSG_FETCH));
	chain_add(c, 2, ENTRY_BARRIER, NULL, 0);
	m = chain_append(c, 2, 2, 2);
	m.append.to = 1; /* the answer */
	puppet_hear(p, 2, m);
}

static inline void scene_follow(struct puppet *p, struct chain *c)
{
	scene_follow_of(p, c, 3);
}

/* All three have answered the first round, nobody leads: node 1 claims. */
static inline void scene_claim(struct puppet *p, struct chain *c,
			       const struct replica_options *options)
{
	puppet_start_as(p, c, 3, options ? options : &replica_options_default);
	puppet_hear(p, 2, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 3, puppet_state(p, (struct position){1, 1}, 0));
	assert_int_equal(replica_role(p->r), ROLE_CLAIMING);
}

/* It leads epoch 2; its disk is busy with the barrier. */
static inline void scene_lead(struct puppet *p, struct chain *c)
{
	scene_claim(p, c, NULL);
	puppet_synced(p);
	puppet_hear(p, 2, say_promise(2));
	assert_int_equal(replica_leads(p->r), 2);
}

/* The barrier is committed. */
static inline void scene_lead_well(struct puppet *p, struct chain *c)
{
	scene_lead(p, c);
	puppet_synced(p);
	puppet_hear(p, 2, say_ack(2, 2));
	assert_int_equal(replica_committed(p->r), 2);
}

/* The transaction {put /a = x} with that id. */
static inline void txn_of(uint8_t id, struct buf *out)
{
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "x", .size = 1};
	struct store_txn txn = {.id.bytes = {id}, .ops = &op, .op_count = 1};

	txn_encode(&txn, out);
}

/* A client's; first as in event_propose. */
static inline void scene_ask(struct puppet *p, uint8_t id, uint64_t first)
{
	autobuf data = BUF_INIT;

	txn_of(id, &data);
	puppet_step(p, (struct event){.type = EV_PROPOSE,
				      .propose = {.handle = id,
						  .kind = REQUEST_TXN,
						  .id.bytes = {id},
						  .first = first,
						  .deadline = p->now + 5 * USEC_PER_SEC,
						  .payload = data.data,
						  .payload_size = data.size}});
}

/* An admin's, about one member. */
static inline void scene_ask_change(struct puppet *p, enum request_kind kind, uint32_t node,
				    bool insists)
{
	struct member member = puppet_member(node);
	autobuf data = BUF_INIT;

	member_encode(&member, &data);
	puppet_step(p, (struct event){.type = EV_PROPOSE,
				      .propose = {.kind = kind,
						  .id.bytes = {0xad, (uint8_t)node, (uint8_t)kind},
						  .payload = data.data,
						  .payload_size = data.size,
						  .insists = insists}});
}
