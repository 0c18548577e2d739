/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Columns of the store's database: the small facts, a batch of the log, the start of the log, the head of the state. What
 * decodes encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/db/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_equal(const struct buf *again, const uint8_t *data, size_t size)
{
	if (again->size != size || (size && memcmp(again->data, data, size) != 0))
		abort();
}

static void check_meta(const uint8_t *data, size_t size)
{
	struct replica_meta meta;
	autobuf again = BUF_INIT;

	if (record_meta_decode(data, size, &meta, NULL) < 0)
		return;
	record_meta_encode(&meta, &again);
	must_equal(&again, data, size);
}

static void check_base(const uint8_t *data, size_t size)
{
	uint8_t hash[SHA256_SIZE];
	autobuf again = BUF_INIT;
	struct position at;

	if (record_base_decode(data, size, &at, hash, NULL) < 0)
		return;
	record_base_encode(at, hash, &again);
	must_equal(&again, data, size);
}

static void check_head(const uint8_t *data, size_t size)
{
	autobuf again = BUF_INIT;
	struct state *state;
	const char *path;

	if (state_decode(data, size, &state, NULL) < 0)
		return;
	if (!kv_next(state->kv, "", NULL, &path) && !kv_request_next(state->kv, 0)) {
		record_head_encode(state, &again);
		must_equal(&again, data, size);
	}
	state_free(state);
}

static void add_again(struct log_entry *entry, void *ctx)
{
	record_batch_add(ctx, entry);
	log_entry_unref(entry);
}

/* The first entry says what it follows; whether the others follow it is what is decoded. */
static void check_batch(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_on(data, size);
	uint8_t hash[SHA256_SIZE] = {0};
	autobuf again = BUF_INIT;
	struct position previous;
	const void *bytes;
	struct entry e;
	size_t n;

	if (record_batch_next(&c, &e, &bytes, &n, NULL) <= 0)
		return;
	previous = e.previous;
	while (record_batch_next(&c, &e, &bytes, &n, NULL) > 0)
		if ((const uint8_t *)bytes < data || (const uint8_t *)bytes + n > data + size)
			abort();
	if (record_batch_decode(data, size, &previous, hash, add_again, &again, NULL) == 0)
		must_equal(&again, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_meta(data, size);
	check_base(data, size);
	check_head(data, size);
	check_batch(data, size);
	return 0;
}
