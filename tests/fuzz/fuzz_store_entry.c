/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the log: entries and the transactions in them. What decodes encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/core/entry.h"
#include "cluster/core/txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_txn(const void *data, size_t size)
{
	autobuf again = BUF_INIT;
	struct txn txn;

	if (txn_decode(data, size, &txn, NULL) < 0)
		return;
	txn_encode(&(struct store_txn){.id = txn.id,
				       .preconditions = txn.preconditions,
				       .precondition_count = txn.precondition_count,
				       .ops = txn.ops,
				       .op_count = txn.op_count},
		   &again);
	if (again.size != size || memcmp(again.data, data, size) != 0)
		abort();
	txn_fini(&txn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry e;

	check_txn(data, size);
	if (entry_decode(data, size, &e, NULL) == 0)
		check_txn(e.payload, e.payload_size);
	return 0;
}
