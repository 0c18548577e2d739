/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is who in a cluster, and the list of voters. Pure values without pointers.
 *
 * Encoding of a list: u16 count, then {u32 node, 16 bytes incarnation} each. Payload of a VOTERS entry: 16 bytes
 * id of who asked (zeros: the leader itself), list. Payload of a FORK entry: 16 bytes fork id, list. */
#pragma once

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/cursor.h"

#define VOTERS_MAX 32

struct uuid {
	uint8_t bytes[16];
};

/* A node with the database that it has: a new database is another member. */
struct member {
	uint32_t node; /* corosync node id, never 0 */
	struct uuid incarnation;
};

/* One process of a member: only this one may lead what it was promised. */
struct claimant {
	struct member member;
	uint64_t start;
};

struct voters {
	size_t count;
	struct member items[VOTERS_MAX];
};

bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *id);
bool member_equal(const struct member *a, const struct member *b);
bool claimant_equal(const struct claimant *a, const struct claimant *b);

bool voters_has(const struct voters *voters, const struct member *member);
const struct member *voters_node(const struct voters *voters, uint32_t node); /* or NULL */
size_t voters_majority(const struct voters *voters);
/* false: full, or the node is in already */
bool voters_add(struct voters *voters, const struct member *member);
bool voters_remove(struct voters *voters, const struct member *member); /* false: not in */

void uuid_encode(const struct uuid *id, struct buf *out);
void uuid_decode(struct cursor *c, struct uuid *ret); /* failure stays in the cursor */
void member_encode(const struct member *member, struct buf *out);
void member_decode(struct cursor *c, struct member *ret);
void claimant_encode(const struct claimant *claimant, struct buf *out);
void claimant_decode(struct cursor *c, struct claimant *ret);
void voters_encode(const struct voters *voters, struct buf *out);
void voters_decode(struct cursor *c, struct voters *ret);
/* The payload of a VOTERS or FORK entry. */
void voters_payload_encode(const struct uuid *id, const struct voters *voters, struct buf *out);
bool voters_payload_decode(const void *data, size_t size, struct uuid *ret_id, struct voters *ret);
