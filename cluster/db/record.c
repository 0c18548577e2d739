/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encodings of columns. Pure. */
#include "cluster/db/record.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/mem.h"

#define META_VERSION 1
#define ENTRY_MAX    (STORE_TXN_MAX + 1024u * 1024)

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

void record_meta_encode(const struct replica_meta *meta, struct buf *out)
{
	buf_add_u8(out, META_VERSION);
	uuid_encode(&meta->cluster, out);
	uuid_encode(&meta->fork, out);
	uuid_encode(&meta->incarnation, out);
	buf_add_u64(out, meta->start);
	buf_add_u64(out, meta->promised);
	claimant_encode(&meta->promised_to, out);
	add_position(out, meta->promised_at);
	add_position(out, meta->accepted);
	buf_add_u16(out, (uint16_t)meta->seen_count);
	for (size_t i = 0; i < meta->seen_count; i++) {
		const struct seen *seen = &meta->seen[i];

		uuid_encode(&seen->incarnation, out);
		buf_add_u64(out, seen->measure.start);
		buf_add_u64(out, seen->measure.promised);
		add_position(out, seen->measure.accepted);
	}
}

static void take_seen(struct cursor *c, struct replica_meta *ret)
{
	ret->seen_count = cursor_u16(c);
	if (ret->seen_count > MESSAGE_SEEN_MAX)
		c->failed = true;
	for (size_t i = 0; i < ret->seen_count && !c->failed; i++) {
		struct seen *seen = &ret->seen[i];

		uuid_decode(c, &seen->incarnation);
		seen->measure.start = cursor_u64(c);
		seen->measure.promised = cursor_u64(c);
		seen->measure.accepted = take_position(c);
	}
}

int record_meta_decode(const void *data, size_t size, struct replica_meta *ret, struct err *err)
{
	struct cursor c = cursor_on(data, size);

	if (cursor_u8(&c) != META_VERSION)
		return err_set(err, ERR_CORRUPT, "the store's identity is damaged");
	*ret = (struct replica_meta){0};
	uuid_decode(&c, &ret->cluster);
	uuid_decode(&c, &ret->fork);
	uuid_decode(&c, &ret->incarnation);
	ret->start = cursor_u64(&c);
	ret->promised = cursor_u64(&c);
	claimant_decode(&c, &ret->promised_to);
	ret->promised_at = take_position(&c);
	ret->accepted = take_position(&c);
	take_seen(&c, ret);
	if (c.failed || cursor_left(&c) != 0 || uuid_is_zero(&ret->incarnation))
		return err_set(err, ERR_CORRUPT, "the store's identity is damaged");
	return 0;
}

void record_batch_add(struct buf *out, const struct log_entry *entry)
{
	buf_add_u32(out, (uint32_t)entry->size);
	buf_add(out, entry->data, entry->size);
}

int record_batch_next(struct cursor *c, struct entry *ret, const void **ret_data, size_t *ret_size,
		      struct err *err)
{
	size_t size;
	int r;

	if (cursor_left(c) == 0)
		return 0;
	size = cursor_u32(c);
	*ret_data = size <= ENTRY_MAX ? cursor_bytes(c, size) : NULL;
	*ret_size = size;
	if (!*ret_data)
		return err_set(err, ERR_CORRUPT, "a batch of the log is cut short");
	r = entry_decode(*ret_data, size, ret, err);
	return r < 0 ? r : 1;
}

int record_batch_decode(const void *data, size_t size, struct position *previous,
			uint8_t hash[SHA256_SIZE], record_entry_fn each, void *ctx, struct err *err)
{
	struct cursor c = cursor_on(data, size);
	const void *bytes;
	struct entry e;
	size_t n;
	int r;

	while ((r = record_batch_next(&c, &e, &bytes, &n, err)) > 0) {
		if (!entry_follows(bytes, n, &e, *previous, hash))
			return err_set(err, ERR_CORRUPT,
				       "log entry %" PRIu64 " does not follow the one before",
				       e.at.index);
		*previous = e.at;
		memcpy(hash, e.hash, SHA256_SIZE);
		each(log_entry_new(&e, bytes, n), ctx);
	}
	return r;
}

void record_base_encode(struct position at, const uint8_t hash[SHA256_SIZE], struct buf *out)
{
	add_position(out, at);
	buf_add(out, hash, SHA256_SIZE);
}

int record_base_decode(const void *data, size_t size, struct position *ret,
		       uint8_t ret_hash[SHA256_SIZE], struct err *err)
{
	struct cursor c = cursor_on(data, size);
	struct position at = take_position(&c);
	const void *hash = cursor_bytes(&c, SHA256_SIZE);

	if (c.failed || cursor_left(&c) != 0)
		return err_set(err, ERR_CORRUPT, "the start of the log is damaged");
	*ret = at;
	memcpy(ret_hash, hash, SHA256_SIZE);
	return 0;
}

void record_head_encode(const struct state *state, struct buf *out)
{
	struct state head = *state;

	head.kv = kv_new();
	kv_keep_requests(head.kv, kv_requests_kept(state->kv));
	state_encode(&head, out);
	kv_free(head.kv);
}
