/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key that signs tickets: 32 random bytes in the store, the same on every node, made once by
 * whoever needs it first. Runs in the core's loop. */
#include <string.h>

#include "agent/auth/access_internal.h"
#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define KEY_TEXT_SIZE (2 * TICKET_KEY_SIZE + 1) /* hexadecimal, with a newline */

static bool key_parse(const struct store_value *value, uint8_t ret[TICKET_KEY_SIZE])
{
	if (value->size != KEY_TEXT_SIZE || value->data[KEY_TEXT_SIZE - 1] != '\n')
		return false;
	for (size_t i = 0; i < TICKET_KEY_SIZE; i++) {
		uint64_t byte;

		if (!str_hex_to_u64(value->data + 2 * i, 2, &byte))
			return false;
		ret[i] = (uint8_t)byte;
	}
	return true;
}

static uint64_t key_mark(const uint8_t key[TICKET_KEY_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	uint64_t mark;

	digest_sha256(key, TICKET_KEY_SIZE, digest);
	memcpy(&mark, digest, sizeof(mark));
	return mark;
}

void access_key_load(struct access *access, const struct store_value *value)
{
	access->has_key = value && key_parse(value, access->key);
	if (!access->has_key)
		explicit_bzero(access->key, sizeof(access->key));
	access->key_mark = access->has_key ? key_mark(access->key) : 0;
	if (value && !access->has_key)
		log_error("%s: not a key; nobody can log in until it is removed", PATH_AUTHKEY);
}

static void on_made(const struct store_result *result, void *ctx)
{
	struct access_op *op = ctx;
	struct access *access = access_op_end(op);

	free(op);
	if (!access)
		return;
	access->is_key_pending = false;
	/* refused: another node was faster; its key came by the subscription */
	if (result->outcome != STORE_DONE && result->outcome != STORE_REFUSED)
		log_warning("%s: %s", PATH_AUTHKEY, result->err.message);
}

static int submit(struct access *access, const void *text, size_t size, struct err *err)
{
	struct store_precondition absent = {.path = PATH_AUTHKEY, .version = 0};
	struct store_op put = {
		.kind = STORE_PUT, .path = PATH_AUTHKEY, .value = text, .size = size};
	struct store_txn txn = {
		.who = "node",
		.preconditions = &absent,
		.precondition_count = 1,
		.ops = &put,
		.op_count = 1,
	};
	struct access_op *op = xcalloc(1, sizeof(*op));
	int r = store_submit(access->store, &txn, on_made, op, err);

	if (r < 0)
		free(op);
	else
		access_op_start(access, op);
	return r;
}

void access_key_ensure(struct access *access)
{
	struct err err = ERR_INIT;
	struct store_value value;
	uint8_t key[TICKET_KEY_SIZE];
	autobuf text = BUF_INIT;

	if (access->is_key_pending || store_get(access->store, PATH_AUTHKEY, &value))
		return;
	random_bytes(key, sizeof(key));
	digest_hex(key, sizeof(key), &text);
	buf_add_char(&text, '\n');
	if (submit(access, text.data, text.size, &err) < 0)
		log_warning("%s: %s", PATH_AUTHKEY, err.message);
	else
		access->is_key_pending = true;
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text.data, text.size);
}
