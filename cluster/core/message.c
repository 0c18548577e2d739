/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between replicas: one encoder and one decoder a type, in a table. Pure. */
#include "cluster/core/message.h"

#include <string.h>

#include "agent/base/mem.h"

#define MESSAGE_VERSION 1
#define CHUNK_MAX	(1024u * 1024)
#define PROPOSE_MAX	(STORE_TXN_MAX + 256u * 1024) /* values, paths and the rest */

static void add_position(struct buf *out, struct position at)
{
	buf_add_u64(out, at.epoch);
	buf_add_u64(out, at.index);
}

static struct position take_position(struct cursor *c)
{
	uint64_t epoch = cursor_u64(c);

	return (struct position){.epoch = epoch, .index = cursor_u64(c)};
}

static void take_hash(struct cursor *c, uint8_t ret[SHA256_SIZE])
{
	const void *hash = cursor_bytes(c, SHA256_SIZE);

	if (hash)
		memcpy(ret, hash, SHA256_SIZE);
}

static void add_bytes(struct buf *out, const void *data, size_t size)
{
	buf_add_u32(out, (uint32_t)size);
	buf_add(out, data, size);
}

static const void *take_bytes(struct cursor *c, size_t max, size_t *ret_size)
{
	size_t n = cursor_u32(c);

	if (n > max)
		c->failed = true;
	*ret_size = n;
	return c->failed ? NULL : cursor_bytes(c, n);
}

static void add_measure(struct buf *out, const struct measure *measure)
{
	buf_add_u64(out, measure->start);
	buf_add_u64(out, measure->promised);
	add_position(out, measure->accepted);
}

static struct measure take_measure(struct cursor *c)
{
	uint64_t start = cursor_u64(c), promised = cursor_u64(c);

	return (struct measure){.start = start, .promised = promised, .accepted = take_position(c)};
}

static void add_seen(struct buf *out, const struct seen *seen)
{
	uuid_encode(&seen->incarnation, out);
	add_measure(out, &seen->measure);
}

static void take_seen(struct cursor *c, struct seen *ret)
{
	uuid_decode(c, &ret->incarnation);
	ret->measure = take_measure(c);
}

static void state_add(const struct message *message, struct buf *out)
{
	const struct msg_state *m = &message->state;

	buf_add_u64(out, m->view);
	buf_add_u64(out, m->round);
	buf_add_u64(out, m->promised);
	add_measure(out, &m->measure);
	add_position(out, m->position);
	add_position(out, m->committed);
	buf_add(out, m->committed_hash, SHA256_SIZE);
	buf_add_u64(out, m->committed_epoch);
	buf_add_u64(out, m->leads);
	buf_add_u32(out, m->level);
	buf_add_u16(out, (uint16_t)m->seen_count);
	for (size_t i = 0; i < m->seen_count; i++)
		add_seen(out, &m->seen[i]);
}

static void state_take(struct cursor *c, struct message *message)
{
	struct msg_state *m = &message->state;

	m->view = cursor_u64(c);
	m->round = cursor_u64(c);
	m->promised = cursor_u64(c);
	m->measure = take_measure(c);
	m->position = take_position(c);
	m->committed = take_position(c);
	take_hash(c, m->committed_hash);
	m->committed_epoch = cursor_u64(c);
	m->leads = cursor_u64(c);
	m->level = cursor_u32(c);
	m->seen_count = cursor_u16(c);
	if (m->seen_count > MESSAGE_SEEN_MAX)
		c->failed = true;
	for (size_t i = 0; i < m->seen_count && !c->failed; i++)
		take_seen(c, &m->seen[i]);
}

static void claim_add(const struct message *m, struct buf *out)
{
	buf_add_u64(out, m->claim.epoch);
	add_position(out, m->claim.position);
}

static void claim_take(struct cursor *c, struct message *m)
{
	m->claim.epoch = cursor_u64(c);
	m->claim.position = take_position(c);
}

static void promise_add(const struct message *m, struct buf *out)
{
	buf_add_u64(out, m->promise.epoch);
	claimant_encode(&m->promise.to, out);
	add_position(out, m->promise.position);
}

static void promise_take(struct cursor *c, struct message *m)
{
	m->promise.epoch = cursor_u64(c);
	claimant_decode(c, &m->promise.to);
	m->promise.position = take_position(c);
}

static void refuse_add(const struct message *m, struct buf *out)
{
	buf_add_u32(out, m->refuse.to);
	buf_add_u64(out, m->refuse.epoch);
	buf_add_u64(out, m->refuse.promised);
	claimant_encode(&m->refuse.promised_to, out);
	add_position(out, m->refuse.position);
}

static void refuse_take(struct cursor *c, struct message *m)
{
	m->refuse.to = cursor_u32(c);
	m->refuse.epoch = cursor_u64(c);
	m->refuse.promised = cursor_u64(c);
	claimant_decode(c, &m->refuse.promised_to);
	m->refuse.position = take_position(c);
}

static void append_add(const struct message *message, struct buf *out)
{
	const struct msg_append *m = &message->append;

	buf_add_u32(out, m->to);
	buf_add_u64(out, m->epoch);
	add_position(out, m->previous);
	buf_add(out, m->previous_hash, SHA256_SIZE);
	buf_add_u64(out, m->committed);
	buf_add_u64(out, m->last);
	buf_add_u16(out, (uint16_t)m->entry_count);
	for (size_t i = 0; i < m->entry_count; i++)
		add_bytes(out, m->entries[i].data, m->entries[i].size);
}

static void append_take(struct cursor *c, struct message *message)
{
	struct msg_append *m = &message->append;

	m->to = cursor_u32(c);
	m->epoch = cursor_u64(c);
	m->previous = take_position(c);
	take_hash(c, m->previous_hash);
	m->committed = cursor_u64(c);
	m->last = cursor_u64(c);
	m->entry_count = cursor_u16(c);
	if (m->entry_count > MESSAGE_ENTRIES_MAX)
		c->failed = true;
	for (size_t i = 0; i < m->entry_count && !c->failed; i++)
		m->entries[i].data = take_bytes(c, MESSAGE_BYTES_MAX, &m->entries[i].size);
}

static void ack_add(const struct message *m, struct buf *out)
{
	buf_add_u64(out, m->ack.epoch);
	buf_add_u64(out, m->ack.index);
}

static void ack_take(struct cursor *c, struct message *m)
{
	m->ack.epoch = cursor_u64(c);
	m->ack.index = cursor_u64(c);
}

static void alive_add(const struct message *m, struct buf *out)
{
	buf_add_u64(out, m->alive.epoch);
}

static void alive_take(struct cursor *c, struct message *m)
{
	m->alive.epoch = cursor_u64(c);
}

static void propose_add(const struct message *message, struct buf *out)
{
	const struct msg_propose *m = &message->propose;

	buf_add_u64(out, m->epoch);
	buf_add_u8(out, m->kind);
	uuid_encode(&m->id, out);
	buf_add_u64(out, m->first);
	buf_add_u64(out, m->when);
	buf_add_text(out, m->origin);
	buf_add_text(out, m->who);
	add_bytes(out, m->payload, m->payload_size);
}

static void propose_take(struct cursor *c, struct message *message)
{
	struct msg_propose *m = &message->propose;

	m->epoch = cursor_u64(c);
	m->kind = cursor_u8(c);
	uuid_decode(c, &m->id);
	m->first = cursor_u64(c);
	m->when = cursor_u64(c);
	cursor_text(c, m->origin, sizeof(m->origin));
	cursor_text(c, m->who, sizeof(m->who));
	m->payload = take_bytes(c, PROPOSE_MAX, &m->payload_size);
}

static void fetch_add(const struct message *message, struct buf *out)
{
	const struct msg_fetch *m = &message->fetch;

	buf_add_u32(out, m->to);
	buf_add_u64(out, m->epoch);
	add_position(out, m->position);
	buf_add(out, m->position_hash, SHA256_SIZE);
	add_position(out, m->committed);
	buf_add(out, m->committed_hash, SHA256_SIZE);
	buf_add_u32(out, m->values);
	buf_add_u64(out, m->list);
	buf_add_u64(out, m->snapshot);
	buf_add_u64(out, m->offset);
}

static void fetch_take(struct cursor *c, struct message *message)
{
	struct msg_fetch *m = &message->fetch;

	m->to = cursor_u32(c);
	m->epoch = cursor_u64(c);
	m->position = take_position(c);
	take_hash(c, m->position_hash);
	m->committed = take_position(c);
	take_hash(c, m->committed_hash);
	m->values = cursor_u32(c);
	m->list = cursor_u64(c);
	m->snapshot = cursor_u64(c);
	m->offset = cursor_u64(c);
}

static void snapshot_add(const struct message *message, struct buf *out)
{
	const struct msg_snapshot *m = &message->snapshot;

	buf_add_u32(out, m->to);
	buf_add_u64(out, m->epoch);
	add_position(out, m->at);
	buf_add(out, m->hash, SHA256_SIZE);
	buf_add(out, m->digest, SHA256_SIZE);
	buf_add_u64(out, m->list);
	buf_add_u64(out, m->total);
	buf_add_u64(out, m->offset);
	add_bytes(out, m->data, m->size);
}

static void snapshot_take(struct cursor *c, struct message *message)
{
	struct msg_snapshot *m = &message->snapshot;

	m->to = cursor_u32(c);
	m->epoch = cursor_u64(c);
	m->at = take_position(c);
	take_hash(c, m->hash);
	take_hash(c, m->digest);
	m->list = cursor_u64(c);
	m->total = cursor_u64(c);
	m->offset = cursor_u64(c);
	m->data = take_bytes(c, CHUNK_MAX, &m->size);
}

static void gone_add(const struct message *m, struct buf *out)
{
	buf_add_u32(out, m->gone.to);
	add_seen(out, &m->gone.seen);
}

static void gone_take(struct cursor *c, struct message *m)
{
	m->gone.to = cursor_u32(c);
	take_seen(c, &m->gone.seen);
}

static void inquiry_add(const struct message *m, struct buf *out)
{
	buf_add_u32(out, m->inquiry.to);
	buf_add_u64(out, m->inquiry.epoch);
	buf_add_u64(out, m->inquiry.list);
	buf_add_u64(out, m->inquiry.offset);
}

static void inquiry_take(struct cursor *c, struct message *m)
{
	m->inquiry.to = cursor_u32(c);
	m->inquiry.epoch = cursor_u64(c);
	m->inquiry.list = cursor_u64(c);
	m->inquiry.offset = cursor_u64(c);
}

static void list_add(const struct message *message, struct buf *out)
{
	const struct msg_list *m = &message->list;

	buf_add_u32(out, m->to);
	buf_add_u64(out, m->epoch);
	buf_add_u64(out, m->list);
	buf_add_u64(out, m->total);
	buf_add_u64(out, m->offset);
	add_bytes(out, m->data, m->size);
}

static void list_take(struct cursor *c, struct message *message)
{
	struct msg_list *m = &message->list;

	m->to = cursor_u32(c);
	m->epoch = cursor_u64(c);
	m->list = cursor_u64(c);
	m->total = cursor_u64(c);
	m->offset = cursor_u64(c);
	m->data = take_bytes(c, CHUNK_MAX, &m->size);
}

static const struct codec {
	const char *name;
	void (*add)(const struct message *m, struct buf *out);
	void (*take)(struct cursor *c, struct message *m);
} codecs[MSG_COUNT] = {
	[MSG_STATE] = {"STATE", state_add, state_take},
	[MSG_CLAIM] = {"CLAIM", claim_add, claim_take},
	[MSG_PROMISE] = {"PROMISE", promise_add, promise_take},
	[MSG_REFUSE] = {"REFUSE", refuse_add, refuse_take},
	[MSG_APPEND] = {"APPEND", append_add, append_take},
	[MSG_ACK] = {"ACK", ack_add, ack_take},
	[MSG_ALIVE] = {"ALIVE", alive_add, alive_take},
	[MSG_PROPOSE] = {"PROPOSE", propose_add, propose_take},
	[MSG_FETCH] = {"FETCH", fetch_add, fetch_take},
	[MSG_SNAPSHOT] = {"SNAPSHOT", snapshot_add, snapshot_take},
	[MSG_GONE] = {"GONE", gone_add, gone_take},
	[MSG_INQUIRY] = {"INQUIRY", inquiry_add, inquiry_take},
	[MSG_LIST] = {"LIST", list_add, list_take},
};

const char *message_name(enum message_type type)
{
	return type > 0 && type < MSG_COUNT ? codecs[type].name : "?";
}

void message_encode(const struct message *m, struct buf *out)
{
	buf_add_u8(out, MESSAGE_VERSION);
	buf_add_u8(out, (uint8_t)m->type);
	uuid_encode(&m->cluster, out);
	uuid_encode(&m->fork, out);
	claimant_encode(&m->from, out);
	codecs[m->type].add(m, out);
}

int message_decode(const void *data, size_t size, struct message *ret, struct err *err)
{
	struct cursor c = cursor_on(data, size);
	uint8_t version = cursor_u8(&c), type = cursor_u8(&c);

	if (c.failed || version != MESSAGE_VERSION)
		return err_set(err, ERR_CORRUPT, "message of an unknown version");
	if (type == 0 || type >= MSG_COUNT)
		return err_set(err, ERR_CORRUPT, "message of an unknown type (%d)", type);
	ret->type = type;
	uuid_decode(&c, &ret->cluster);
	uuid_decode(&c, &ret->fork);
	claimant_decode(&c, &ret->from);
	codecs[type].take(&c, ret);
	if (c.failed || cursor_left(&c) != 0)
		return err_set(err, ERR_CORRUPT, "%s message is cut short or has bytes left over",
			       codecs[type].name);
	return 0;
}
