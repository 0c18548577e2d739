/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions: bounds, encoding, decoding. Pure. */
#include "cluster/core/txn.h"

#include <string.h>

#include "agent/base/mem.h"

#define TXN_VERSION 1

static bool is_component_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("._@!-", c));
}

/* length of the component at s if it is a valid one, else 0 */
static size_t component_length(const char *s)
{
	size_t n = 0;

	while (is_component_char(s[n]))
		n++;
	if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
		return 0;
	return n;
}

bool store_path_is_valid(const char *path)
{
	if (!path || path[0] != '/' || strlen(path) > STORE_PATH_MAX)
		return false;
	while (*path == '/') {
		size_t n = component_length(path + 1);

		if (n == 0)
			return false;
		path += 1 + n;
	}
	return *path == '\0';
}

static int check_path(const char *path, struct err *err)
{
	if (store_path_is_valid(path))
		return 0;
	return err_set(err, ERR_INVALID, "'%s' is not a valid store path", path ? path : "");
}

static int check_op(const struct store_op *op, struct err *err)
{
	int r = check_path(op->path, err);

	if (r < 0)
		return r;
	switch (op->kind) {
	case STORE_PUT:
		if (op->size > STORE_VALUE_MAX)
			return err_set(err, ERR_LIMIT,
				       "value of %s has %zu bytes, at most %u are stored", op->path,
				       op->size, STORE_VALUE_MAX);
		return 0;
	case STORE_DELETE:
		return 0;
	case STORE_RENAME:
		return check_path(op->to, err);
	}
	return err_set(err, ERR_INVALID, "unknown store operation %d", (int)op->kind);
}

/* An entry's payload is bounded when it is read back: what is accepted must fit. */
static int check_size(const struct store_txn *txn, struct err *err)
{
	size_t size = 0;

	for (size_t i = 0; i < txn->op_count; i++)
		size += txn->ops[i].kind == STORE_PUT ? txn->ops[i].size : 0;
	if (size > STORE_TXN_MAX)
		return err_set(err, ERR_LIMIT, "transaction has %zu bytes, at most %u are stored",
			       size, STORE_TXN_MAX);
	return 0;
}

int txn_check(const struct store_txn *txn, struct err *err)
{
	if (txn->op_count + txn->precondition_count > STORE_OPS_MAX)
		return err_set(err, ERR_LIMIT, "transaction has more than %d parts", STORE_OPS_MAX);
	if (txn->who && strlen(txn->who) >= STORE_WHO_MAX)
		return err_set(err, ERR_INVALID, "name of the author is too long");
	for (size_t i = 0; i < txn->precondition_count; i++) {
		int r = check_path(txn->preconditions[i].path, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < txn->op_count; i++) {
		int r = check_op(&txn->ops[i], err);

		if (r < 0)
			return r;
	}
	return check_size(txn, err);
}

static void encode_op(const struct store_op *op, struct buf *out)
{
	buf_add_u8(out, (uint8_t)op->kind);
	buf_add_text(out, op->path);
	if (op->kind == STORE_PUT) {
		buf_add_u32(out, (uint32_t)op->size);
		buf_add(out, op->value, op->size);
	} else if (op->kind == STORE_RENAME) {
		buf_add_text(out, op->to);
	}
}

void txn_encode(const struct store_txn *txn, struct buf *out)
{
	buf_add_u8(out, TXN_VERSION);
	buf_add(out, txn->id.bytes, sizeof(txn->id.bytes));
	buf_add_u16(out, (uint16_t)txn->precondition_count);
	for (size_t i = 0; i < txn->precondition_count; i++) {
		buf_add_text(out, txn->preconditions[i].path);
		buf_add_u64(out, txn->preconditions[i].version);
	}
	buf_add_u16(out, (uint16_t)txn->op_count);
	for (size_t i = 0; i < txn->op_count; i++)
		encode_op(&txn->ops[i], out);
}

static char *take_path(struct cursor *c)
{
	char path[STORE_PATH_MAX + 1];

	cursor_text(c, path, sizeof(path));
	return c->failed ? NULL : xstrdup(path);
}

static void decode_op(struct cursor *c, struct store_op *op)
{
	op->kind = cursor_u8(c);
	op->path = take_path(c);
	if (op->kind == STORE_PUT) {
		size_t n = cursor_u32(c);
		const void *value = n <= STORE_VALUE_MAX ? cursor_bytes(c, n) : NULL;

		if (!value) {
			c->failed = true;
			return;
		}
		op->value = xmemdup(value, n);
		op->size = n;
	} else if (op->kind == STORE_RENAME) {
		op->to = take_path(c);
	}
}

static void decode_parts(struct cursor *c, struct txn *t)
{
	size_t n = cursor_u16(c);

	if (n > STORE_OPS_MAX)
		c->failed = true;
	t->preconditions = xcalloc(n + 1, sizeof(*t->preconditions));
	for (size_t i = 0; i < n && !c->failed; i++) {
		t->preconditions[i].path = take_path(c);
		t->preconditions[i].version = cursor_u64(c);
		t->precondition_count = i + 1;
	}
	n = cursor_u16(c);
	if (n > STORE_OPS_MAX)
		c->failed = true;
	t->ops = xcalloc(n + 1, sizeof(*t->ops));
	for (size_t i = 0; i < n && !c->failed; i++) {
		t->op_count = i + 1;
		decode_op(c, &t->ops[i]);
	}
}

int txn_decode(const void *data, size_t size, struct txn *ret, struct err *err)
{
	struct cursor c = cursor_on(data, size);
	struct txn t = {0};
	const void *id;
	int r = 0;

	if (cursor_u8(&c) != TXN_VERSION)
		return err_set(err, ERR_CORRUPT, "transaction of an unknown version");
	id = cursor_bytes(&c, sizeof(t.id.bytes));
	if (id)
		memcpy(t.id.bytes, id, sizeof(t.id.bytes));
	decode_parts(&c, &t);
	if (c.failed || cursor_left(&c) != 0)
		r = err_set(err, ERR_CORRUPT, "transaction is cut short or has bytes left over");
	if (r == 0) {
		struct store_txn view = {.preconditions = t.preconditions,
					 .precondition_count = t.precondition_count,
					 .ops = t.ops,
					 .op_count = t.op_count};

		r = txn_check(&view, err);
		if (r < 0)
			r = err_set(err, ERR_CORRUPT, "transaction holds what is never written");
	}
	if (r < 0) {
		txn_fini(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void txn_fini(struct txn *t)
{
	for (size_t i = 0; i < t->precondition_count; i++)
		free((char *)t->preconditions[i].path);
	for (size_t i = 0; i < t->op_count; i++) {
		free((char *)t->ops[i].path);
		free((char *)t->ops[i].to);
		free((void *)t->ops[i].value);
	}
	free(t->preconditions);
	free(t->ops);
	*t = (struct txn){0};
}
