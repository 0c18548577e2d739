/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log entry and its encoding. Each entry carries the position of the one before it and a running
 * SHA-256 over everything up to and including itself, so that equal positions with unequal content
 * are found. Pure.
 *
 * Encoding, little-endian: u8 version (1), u8 kind, u64 epoch, u64 index, u64 previous epoch, u64
 * previous index, u64 wall clock in microseconds, u16 length + origin, u16 length + who, u32 length +
 * payload, 32 bytes running hash. */
#pragma once

#include "agent/base/digest.h"
#include "cluster/store.h"

struct position {
	uint64_t epoch;
	uint64_t index;
};

enum entry_kind { ENTRY_TXN = 1, ENTRY_BARRIER };

struct entry {
	struct position at, previous;
	enum entry_kind kind;
	uint64_t when; /* wall clock of the origin, to show only */
	char origin[64];
	char who[STORE_WHO_MAX];
	const void *payload; /* borrowed */
	size_t payload_size;
	uint8_t hash[SHA256_SIZE]; /* running, set by entry_encode() */
};

/* Computes the running hash from that of the previous entry (zeros for the first) and encodes. */
void entry_encode(struct entry *entry, const uint8_t previous_hash[SHA256_SIZE], struct buf *out);
/* Borrows the payload from data. The hash is not checked against a chain, see entry_follows(). */
int entry_decode(const void *data, size_t size, struct entry *ret, struct err *err);
/* true if the encoded entry is the successor of (previous, previous_hash). */
bool entry_follows(const void *data, size_t size, const struct entry *entry, struct position previous,
		   const uint8_t previous_hash[SHA256_SIZE]);
