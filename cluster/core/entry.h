/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log entry and its encoding. Each entry carries the position of the one before it and a running
 * SHA-256 over everything up to and including itself, so that equal positions with unequal content
 * are found. Pure.
 *
 * Encoding, little-endian: u8 version (2), u8 kind, u64 epoch, u64 index, u64 previous epoch, u64
 * previous index, u64 first, u64 wall clock in microseconds, u16 length + origin, u16 length + who,
 * u32 length + payload, 32 bytes running hash. Version 1 has no `first`; it is read, never written. */
#pragma once

#include "agent/base/digest.h"
#include "cluster/store.h"

struct position {
	uint64_t epoch;
	uint64_t index;
};

static inline int position_compare(struct position a, struct position b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	return a.index < b.index ? -1 : a.index > b.index;
}

/* Payloads: TXN a transaction; BARRIER nothing, or the 16 bytes id of who asked for it; VOTERS and FORK see
 * voters.h; LEVEL 16 bytes id, u32 level. */
enum entry_kind { ENTRY_TXN = 1, ENTRY_BARRIER, ENTRY_VOTERS, ENTRY_LEVEL, ENTRY_FORK };

struct entry {
	struct position at, previous;
	enum entry_kind kind;
	uint64_t
		first; /* the origin's applied index when it first asked; bounds how late it may be applied */
	uint64_t when; /* wall clock of the origin, to show only */
	char origin[64];
	char who[STORE_WHO_MAX];
	const void *payload; /* borrowed */
	size_t payload_size;
	uint8_t hash[SHA256_SIZE]; /* running, set by entry_encode() */
};

/* Computes the running hash from that of the previous entry (zeros for the first) and encodes. */
void entry_encode(struct entry *entry, const uint8_t previous_hash[SHA256_SIZE], struct buf *out);
/* Borrows the payload from data. The hash is not checked against a chain, see entry_follows().
 * ERR_UNSUPPORTED: a version or kind of the future, ERR_CORRUPT: not an entry. */
int entry_decode(const void *data, size_t size, struct entry *ret, struct err *err);
/* true if the encoded entry is the successor of (previous, previous_hash). */
bool entry_follows(const void *data, size_t size, const struct entry *entry,
		   struct position previous, const uint8_t previous_hash[SHA256_SIZE]);
