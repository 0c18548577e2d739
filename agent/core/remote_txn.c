/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions of jobs, from the wire. Pure; fuzzed. */
#include "agent/core/remote_txn.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/remote.h"

static int decode_id(const char *hex, struct store_request_id *ret, struct err *err)
{
	if (!hex || strlen(hex) != 2 * sizeof(ret->bytes))
		return err_field(err, "id", "request id must be 32 hex digits");
	for (size_t i = 0; i < sizeof(ret->bytes); i++) {
		uint64_t byte;

		if (!str_hex_to_u64(hex + 2 * i, 2, &byte))
			return err_field(err, "id", "request id must be 32 hex digits");
		ret->bytes[i] = (uint8_t)byte;
	}
	return 0;
}

/* Cuts the value at the first separator; returns what follows, or NULL. */
static char *cut(struct field *field, char separator, size_t *ret_size)
{
	char *at = memchr(field->value, separator, field->size);

	if (!at)
		return NULL;
	*at = '\0';
	*ret_size = field->size - (size_t)(at + 1 - field->value);
	return at + 1;
}

static int decode_require(struct field *field, struct remote_txn *t, struct err *err)
{
	struct store_precondition p = {0};
	size_t size;

	p.path = cut(field, ' ', &size);
	if (!p.path || strlen(p.path) != size || !str_to_u64(field->value, &p.version))
		return err_field(err, REMOTE_REQUIRE, "must be a version and a path");
	t->preconditions[t->txn.precondition_count++] = p;
	return 0;
}

static int decode_put(struct field *field, struct remote_txn *t, struct err *err)
{
	struct store_op op = {.kind = STORE_PUT, .path = field->value};

	op.value = cut(field, '\n', &op.size);
	if (!op.value)
		return err_field(err, REMOTE_PUT, "must be a path and a value");
	t->ops[t->txn.op_count++] = op;
	return 0;
}

static int decode_delete(struct field *field, struct remote_txn *t, struct err *err)
{
	if (strlen(field->value) != field->size)
		return err_field(err, REMOTE_DELETE, "must be a path");
	t->ops[t->txn.op_count++] = (struct store_op){.kind = STORE_DELETE, .path = field->value};
	return 0;
}

static int decode_rename(struct field *field, struct remote_txn *t, struct err *err)
{
	struct store_op op = {.kind = STORE_RENAME, .path = field->value};
	size_t size;

	op.to = cut(field, '\n', &size);
	if (!op.to || strlen(op.to) != size)
		return err_field(err, REMOTE_RENAME, "must be two paths");
	t->ops[t->txn.op_count++] = op;
	return 0;
}

static const struct {
	const char *name;
	int (*decode)(struct field *field, struct remote_txn *t, struct err *err);
} decoders[] = {
	{REMOTE_REQUIRE, decode_require},
	{REMOTE_PUT, decode_put},
	{REMOTE_DELETE, decode_delete},
	{REMOTE_RENAME, decode_rename},
};

static int decode_param(struct field *field, struct remote_txn *t, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
		if (str_eq(field->name, decoders[i].name))
			return decoders[i].decode(field, t, err);
	return err_field(err, field->name, "unknown part of a transaction");
}

int remote_txn_decode(struct call *call, struct remote_txn *ret, struct err *err)
{
	struct remote_txn t = {0};
	const char *first;
	int r;

	if (call->params.count == 0 || call->params.count > STORE_OPS_MAX)
		return err_set(err, ERR_LIMIT, "a transaction has 1 to %d parts", STORE_OPS_MAX);
	if ((r = decode_id(fields_get(&call->head, "id"), &t.txn.id, err)) < 0)
		return r;
	first = fields_get(&call->head, "first");
	if (first && !str_to_u64(first, &t.txn.first))
		return err_field(err, "first", "must be a version of the store");
	t.txn.who = fields_get(&call->head, "who");
	if (str_is_empty(t.txn.who) || strlen(t.txn.who) >= STORE_WHO_MAX)
		return err_field(err, "who", "user of the transaction is missing or too long");
	t.preconditions = xcalloc(call->params.count, sizeof(*t.preconditions));
	t.ops = xcalloc(call->params.count, sizeof(*t.ops));
	t.txn.preconditions = t.preconditions;
	t.txn.ops = t.ops;
	for (size_t i = 0; r >= 0 && i < call->params.count; i++)
		r = decode_param(&call->params.items[i], &t, err);
	if (r < 0) {
		remote_txn_fini(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void remote_txn_fini(struct remote_txn *txn)
{
	free(txn->preconditions);
	free(txn->ops);
	*txn = (struct remote_txn){0};
}
