/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log entries: encoding and the running hash. Pure. */
#include "cluster/core/entry.h"

#include <string.h>

#include "agent/base/cursor.h"
#include "agent/base/str.h"

#define ENTRY_VERSION	  2
#define ENTRY_VERSION_OLD 1 /* without `first` */
#define ENTRY_PAYLOAD_MAX (STORE_VALUE_MAX * 8u)

static void running_hash(const uint8_t previous[SHA256_SIZE], const void *data, size_t size,
			 uint8_t ret[SHA256_SIZE])
{
	uint8_t both[2 * SHA256_SIZE];

	memcpy(both, previous, SHA256_SIZE);
	digest_sha256(data, size, both + SHA256_SIZE);
	digest_sha256(both, sizeof(both), ret);
}

void entry_encode(struct entry *entry, const uint8_t previous_hash[SHA256_SIZE], struct buf *out)
{
	size_t start = out->size;

	buf_add_u8(out, ENTRY_VERSION);
	buf_add_u8(out, (uint8_t)entry->kind);
	buf_add_u64(out, entry->at.epoch);
	buf_add_u64(out, entry->at.index);
	buf_add_u64(out, entry->previous.epoch);
	buf_add_u64(out, entry->previous.index);
	buf_add_u64(out, entry->first);
	buf_add_u64(out, entry->when);
	buf_add_text(out, entry->origin);
	buf_add_text(out, entry->who);
	buf_add_u32(out, (uint32_t)entry->payload_size);
	buf_add(out, entry->payload, entry->payload_size);
	running_hash(previous_hash, out->data + start, out->size - start, entry->hash);
	buf_add(out, entry->hash, SHA256_SIZE);
}

int entry_decode(const void *data, size_t size, struct entry *ret, struct err *err)
{
	struct cursor c = cursor_on(data, size);
	struct entry e = {0};
	uint8_t version = cursor_u8(&c);
	const void *hash;

	if (version > ENTRY_VERSION)
		return err_set(err, ERR_UNSUPPORTED, "log entry of a newer version (%d)", version);
	if (version < ENTRY_VERSION_OLD)
		return err_set(err, ERR_CORRUPT, "log entry of an unknown version");
	e.kind = cursor_u8(&c);
	e.at.epoch = cursor_u64(&c);
	e.at.index = cursor_u64(&c);
	e.previous.epoch = cursor_u64(&c);
	e.previous.index = cursor_u64(&c);
	e.first = version == ENTRY_VERSION_OLD ? e.at.index - 1 : cursor_u64(&c);
	e.when = cursor_u64(&c);
	cursor_text(&c, e.origin, sizeof(e.origin));
	cursor_text(&c, e.who, sizeof(e.who));
	e.payload_size = cursor_u32(&c);
	e.payload = e.payload_size <= ENTRY_PAYLOAD_MAX ? cursor_bytes(&c, e.payload_size) : NULL;
	hash = cursor_bytes(&c, SHA256_SIZE);
	if (c.failed || !e.payload || !hash || cursor_left(&c) != 0)
		return err_set(err, ERR_CORRUPT, "log entry is cut short or has bytes left over");
	if (e.kind < ENTRY_TXN || e.kind > ENTRY_FORK)
		return err_set(err, ERR_UNSUPPORTED, "log entry %llu is of an unknown kind (%d)",
			       (unsigned long long)e.at.index, (int)e.kind);
	memcpy(e.hash, hash, SHA256_SIZE);
	*ret = e;
	return 0;
}

bool entry_follows(const void *data, size_t size, const struct entry *entry,
		   struct position previous, const uint8_t previous_hash[SHA256_SIZE])
{
	uint8_t hash[SHA256_SIZE];

	if (size < SHA256_SIZE || entry->previous.epoch != previous.epoch ||
	    entry->previous.index != previous.index || entry->at.index != previous.index + 1)
		return false;
	running_hash(previous_hash, data, size - SHA256_SIZE, hash);
	return memcmp(hash, entry->hash, SHA256_SIZE) == 0;
}
