/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the log: entries, and the transactions and lists of voters in them. What decodes encodes to the same bytes;
 * entries of the old encoding to the new one, which decodes again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/core/entry.h"
#include "cluster/core/txn.h"
#include "cluster/core/voters.h"

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

static void check_voters(const void *data, size_t size)
{
	autobuf again = BUF_INIT;
	struct voters voters;
	struct uuid id;

	if (!voters_payload_decode(data, size, &id, &voters))
		return;
	voters_payload_encode(&id, &voters, &again);
	if (again.size != size || memcmp(again.data, data, size) != 0)
		abort();
}

static void check_entry(const uint8_t *data, size_t size, struct entry *e)
{
	static const uint8_t before[SHA256_SIZE];
	autobuf again = BUF_INIT;
	struct entry back;

	entry_encode(e, before, &again);
	if (entry_decode(again.data, again.size, &back, NULL) < 0 || back.first != e->first)
		abort();
	/* all but the running hash, which depends on what was before */
	if (data[0] == (uint8_t)again.data[0] &&
	    (again.size != size || memcmp(again.data, data, size - SHA256_SIZE) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry e;

	check_txn(data, size);
	check_voters(data, size);
	if (entry_decode(data, size, &e, NULL) < 0)
		return 0;
	check_txn(e.payload, e.payload_size);
	check_voters(e.payload, e.payload_size);
	check_entry(data, size, &e);
	return 0;
}
