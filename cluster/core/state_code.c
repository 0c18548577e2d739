/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encoding of the state: what a snapshot is made of. Pure. */
#include <string.h>

#include "agent/base/mem.h"
#include "cluster/core/state.h"

#define STATE_VERSION 1

static void encode_requests(const struct kv *kv, struct buf *out)
{
	const struct kv_request *request = NULL;
	uint32_t count = 0;
	size_t count_at = out->size;

	buf_add_u32(out, 0);
	while ((request = kv_request_next(kv, request ? request->index : 0))) {
		buf_add(out, request->id.bytes, sizeof(request->id.bytes));
		buf_add_u64(out, request->index);
		buf_add(out, request->payload_hash, SHA256_SIZE);
		buf_add_u8(out, (uint8_t)request->outcome);
		buf_add_u32(out, request->failed);
		count++;
	}
	for (int i = 0; i < 4; i++)
		out->data[count_at + i] = (char)(count >> (8 * i));
}

void state_encode_value(const char *path, const struct kv_item *item, struct buf *out)
{
	buf_add_text(out, path);
	buf_add_u64(out, item->version);
	buf_add_u32(out, (uint32_t)item->size);
	buf_add(out, item->data, item->size);
}

static void encode_values(const struct kv *kv, struct buf *out)
{
	const struct kv_item *item;
	const char *path = NULL;
	uint32_t count = 0;
	size_t count_at = out->size;

	buf_add_u32(out, 0);
	while ((item = kv_next(kv, "", path, &path))) {
		state_encode_value(path, item, out);
		count++;
	}
	for (int i = 0; i < 4; i++)
		out->data[count_at + i] = (char)(count >> (8 * i));
}

void state_encode_head(const struct state *s, struct buf *out)
{
	buf_add_u8(out, STATE_VERSION);
	buf_add_u64(out, s->at.epoch);
	buf_add_u64(out, s->at.index);
	buf_add(out, s->hash, SHA256_SIZE);
	buf_add_u64(out, s->voters_index);
	voters_encode(&s->voters, out);
	uuid_encode(&s->fork, out);
	buf_add_u32(out, s->level);
	buf_add_u64(out, kv_requests_kept(s->kv));
	encode_requests(s->kv, out);
}

void state_encode(const struct state *s, struct buf *out)
{
	state_encode_head(s, out);
	encode_values(s->kv, out);
}

static void decode_requests(struct cursor *c, struct kv *kv)
{
	uint32_t n = cursor_u32(c);

	for (uint32_t i = 0; i < n && !c->failed; i++) {
		const void *id = cursor_bytes(c, sizeof(struct store_request_id));
		struct kv_request request = {.index = cursor_u64(c)};
		const void *hash = cursor_bytes(c, SHA256_SIZE);

		request.outcome = cursor_u8(c);
		request.failed = cursor_u32(c);
		if (!id || !hash ||
		    (request.outcome != STORE_DONE && request.outcome != STORE_REFUSED)) {
			c->failed = true;
			return;
		}
		memcpy(request.id.bytes, id, sizeof(request.id.bytes));
		memcpy(request.payload_hash, hash, SHA256_SIZE);
		if (!kv_load_request(kv, &request)) {
			c->failed = true;
			return;
		}
	}
}

static void decode_values(struct cursor *c, struct kv *kv)
{
	uint32_t n = cursor_u32(c);
	char before[STORE_PATH_MAX + 1] = "", path[STORE_PATH_MAX + 1];

	for (uint32_t i = 0; i < n && !c->failed; i++) {
		cursor_text(c, path, sizeof(path));
		uint64_t version = cursor_u64(c);
		size_t size = cursor_u32(c);
		const void *value = size <= STORE_VALUE_MAX ? cursor_bytes(c, size) : NULL;

		if (c->failed || !value || !store_path_is_valid(path) ||
		    strcmp(path, before) <= 0) {
			c->failed = true;
			return;
		}
		memcpy(before, path, strlen(path) + 1);
		kv_load(kv, path, version, value, size);
	}
}

int state_decode(const void *data, size_t size, struct state **ret, struct err *err)
{
	struct cursor c = cursor_on(data, size);
	struct state *s;
	const void *hash;

	if (cursor_u8(&c) != STATE_VERSION)
		return err_set(err, ERR_CORRUPT, "snapshot of an unknown version");
	s = state_new(0);
	s->at.epoch = cursor_u64(&c);
	s->at.index = cursor_u64(&c);
	hash = cursor_bytes(&c, SHA256_SIZE);
	if (hash)
		memcpy(s->hash, hash, SHA256_SIZE);
	s->voters_index = cursor_u64(&c);
	voters_decode(&c, &s->voters);
	uuid_decode(&c, &s->fork);
	s->level = cursor_u32(&c);
	kv_keep_requests(s->kv, cursor_u64(&c));
	decode_requests(&c, s->kv);
	decode_values(&c, s->kv);
	if (c.failed || cursor_left(&c) != 0) {
		state_free(s);
		return err_set(err, ERR_CORRUPT, "snapshot is cut short or damaged");
	}
	*ret = s;
	return 0;
}
