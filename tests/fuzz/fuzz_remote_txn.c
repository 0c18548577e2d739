/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions as jobs send them: a call's payload, decoded to store operations. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/facts.h"
#include "agent/core/remote_txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touch(const struct remote_txn *t)
{
	size_t sum = 0;

	for (size_t i = 0; i < t->txn.precondition_count; i++)
		sum += strlen(t->preconditions[i].path);
	for (size_t i = 0; i < t->txn.op_count; i++) {
		const struct store_op *op = &t->ops[i];

		sum += strlen(op->path) + (op->to ? strlen(op->to) : 0);
		for (size_t k = 0; k < op->size; k++)
			sum += ((const uint8_t *)op->value)[k];
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call call = CALL_INIT;
	struct remote_txn t;
	struct facts *facts;

	if (frame_decode_call(data, size, &call, NULL) < 0)
		return 0;
	facts = facts_new();
	(void)facts_take_guest(facts, &call.head, NULL);
	(void)facts_take_node(facts, &call.head, NULL);
	facts_free(facts);
	if (remote_txn_decode(&call, &t, NULL) == 0) {
		if (touch(&t) == SIZE_MAX) /* never: the sum only has to be made */
			abort();
		remote_txn_fini(&t);
	}
	call_fini(&call);
	return 0;
}
