/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members and lists of voters: comparison and encoding. Pure. */
#include "cluster/core/voters.h"

#include <string.h>

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool uuid_is_zero(const struct uuid *id)
{
	static const struct uuid zero;

	return uuid_equal(id, &zero);
}

bool member_equal(const struct member *a, const struct member *b)
{
	return a->node == b->node && uuid_equal(&a->incarnation, &b->incarnation);
}

bool claimant_equal(const struct claimant *a, const struct claimant *b)
{
	return member_equal(&a->member, &b->member) && a->start == b->start;
}

bool voters_has(const struct voters *voters, const struct member *member)
{
	for (size_t i = 0; i < voters->count; i++)
		if (member_equal(&voters->items[i], member))
			return true;
	return false;
}

const struct member *voters_node(const struct voters *voters, uint32_t node)
{
	for (size_t i = 0; i < voters->count; i++)
		if (voters->items[i].node == node)
			return &voters->items[i];
	return NULL;
}

size_t voters_majority(const struct voters *voters)
{
	return voters->count / 2 + 1;
}

bool voters_add(struct voters *voters, const struct member *member)
{
	if (voters->count == VOTERS_MAX || voters_node(voters, member->node))
		return false;
	voters->items[voters->count++] = *member;
	return true;
}

bool voters_remove(struct voters *voters, const struct member *member)
{
	for (size_t i = 0; i < voters->count; i++) {
		if (!member_equal(&voters->items[i], member))
			continue;
		memmove(&voters->items[i], &voters->items[i + 1],
			(voters->count - i - 1) * sizeof(voters->items[0]));
		voters->count--;
		return true;
	}
	return false;
}

void uuid_encode(const struct uuid *id, struct buf *out)
{
	buf_add(out, id->bytes, sizeof(id->bytes));
}

void uuid_decode(struct cursor *c, struct uuid *ret)
{
	const void *bytes = cursor_bytes(c, sizeof(ret->bytes));

	if (bytes)
		memcpy(ret->bytes, bytes, sizeof(ret->bytes));
}

void member_encode(const struct member *member, struct buf *out)
{
	buf_add_u32(out, member->node);
	uuid_encode(&member->incarnation, out);
}

void member_decode(struct cursor *c, struct member *ret)
{
	ret->node = cursor_u32(c);
	uuid_decode(c, &ret->incarnation);
}

void claimant_encode(const struct claimant *claimant, struct buf *out)
{
	member_encode(&claimant->member, out);
	buf_add_u64(out, claimant->start);
}

void claimant_decode(struct cursor *c, struct claimant *ret)
{
	member_decode(c, &ret->member);
	ret->start = cursor_u64(c);
}

void voters_encode(const struct voters *voters, struct buf *out)
{
	buf_add_u16(out, (uint16_t)voters->count);
	for (size_t i = 0; i < voters->count; i++)
		member_encode(&voters->items[i], out);
}

void voters_decode(struct cursor *c, struct voters *ret)
{
	size_t n = cursor_u16(c);

	*ret = (struct voters){0};
	for (size_t i = 0; i < n && !c->failed; i++) {
		struct member member = {0};

		member_decode(c, &member);
		if (!c->failed && !voters_add(ret, &member))
			c->failed = true;
	}
}

void voters_payload_encode(const struct uuid *id, const struct voters *voters, struct buf *out)
{
	uuid_encode(id, out);
	voters_encode(voters, out);
}

bool voters_payload_decode(const void *data, size_t size, struct uuid *ret_id, struct voters *ret)
{
	struct cursor c = cursor_on(data, size);
	struct voters voters;
	struct uuid id = {0};

	uuid_decode(&c, &id);
	voters_decode(&c, &voters);
	if (c.failed || cursor_left(&c) != 0 || voters.count == 0)
		return false;
	*ret_id = id;
	*ret = voters;
	return true;
}
