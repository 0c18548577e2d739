/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding of a job's transaction (remote.h has the encoding). Pure. */
#pragma once

#include "agent/base/frame.h"
#include "cluster/store.h"

struct remote_txn {
	struct store_txn txn; /* points into this struct and into the call */
	struct store_precondition *preconditions;
	struct store_op *ops;
};

/* Splits the call's values in place: the call must outlive ret and is not read again. Paths and sizes
 * are the store's to check. */
int remote_txn_decode(struct call *call, struct remote_txn *ret, struct err *err);
void remote_txn_fini(struct remote_txn *txn);
