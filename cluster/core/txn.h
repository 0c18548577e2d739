/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A transaction as it stands in a log entry: owned copy, bounded, with an explicit encoding. Pure.
 *
 * Encoding, little-endian: u8 version (1), 16 bytes request id, u16 preconditions {u16 length, path,
 * u64 version}, u16 operations {u8 kind, u16 length, path, then PUT: u32 size, value; RENAME: u16
 * length, new path}. */
#pragma once

#include "agent/base/buf.h"
#include "agent/base/cursor.h"
#include "cluster/store.h"

struct txn {
	struct store_request_id id;
	struct store_precondition *preconditions; /* paths owned */
	size_t precondition_count;
	struct store_op *ops; /* paths and values owned */
	size_t op_count;
};

void txn_fini(struct txn *txn);
/* Bounds and paths of a caller's transaction; the message names what is wrong. */
int txn_check(const struct store_txn *txn, struct err *err);
void txn_encode(const struct store_txn *txn, struct buf *out);
/* Decodes and checks everything that txn_check() checks; ERR_CORRUPT otherwise. */
int txn_decode(const void *data, size_t size, struct txn *ret, struct err *err);
