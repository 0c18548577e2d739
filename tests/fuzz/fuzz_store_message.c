/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replicas say to each other. What decodes encodes to the same bytes; and a replica that hears it goes on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "cluster/core/replica.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void synced(struct replica *r, struct effects *effects)
{
	struct event ev = {.type = EV_PERSISTED, .persisted = UINT64_MAX};

	replica_step(r, &ev, effects);
}

static struct replica *replica_opened(bool is_empty, struct effects *effects)
{
	struct replica_disk disk = {
		.meta = {.cluster.bytes = {!is_empty}, .incarnation.bytes = {2}}};
	struct replica_options options = replica_options_default;
	struct event started = {.type = EV_STARTED, .started = &disk};
	struct view_member members[] = {{1, 1}, {2, 2}};
	struct event view = {.type = EV_VIEW, .view = {.members = members, .count = 2}};
	struct replica *r;

	options.has_group = true;
	options.log_kept = 1;
	options.chunk_bytes = 64;
	r = replica_new(&options);
	replica_step(r, &started, effects);
	synced(r, effects);
	replica_step(r, &view, effects);
	return r;
}

static void put(struct replica *r, uint8_t id, struct effects *effects)
{
	char path[] = {'/', (char)('a' + id), '\0'};
	struct store_op op = {.kind = STORE_PUT, .path = path, .value = "value", .size = 5};
	struct store_txn txn = {.id.bytes = {1 + id}, .ops = &op, .op_count = 1};
	struct event ev = {.type = EV_PROPOSE,
			   .propose = {.kind = REQUEST_TXN, .id.bytes = {1 + id}}};
	autobuf data = BUF_INIT;

	txn_encode(&txn, &data);
	ev.propose.payload = data.data;
	ev.propose.payload_size = data.size;
	replica_step(r, &ev, effects);
	synced(r, effects);
}

/* The only voter of cluster {1}, leads epoch 2, has some values. */
static struct replica *replica_leading(struct effects *effects)
{
	struct event found = {.type = EV_FOUND, .cluster.bytes = {1}};
	struct replica *r = replica_opened(true, effects);

	replica_step(r, &found, effects);
	for (int i = 0; i < 3; i++)
		synced(r, effects);
	if (replica_leads(r) != 2)
		abort();
	for (uint8_t i = 0; i < 8; i++)
		put(r, i, effects);
	return r;
}

static void hear(struct replica *r, struct effects *effects, const uint8_t *data, size_t size)
{
	struct event ev = {.type = EV_MESSAGE, .message = {.from = 2, .data = data, .size = size}};

	replica_step(r, &ev, effects);
	synced(r, effects);
	ev = (struct event){.type = EV_TICK, .now = UINT64_MAX / 2};
	replica_step(r, &ev, effects);
	effects_fini(effects);
	replica_free(r);
}

/* The input is one message; or, for the leader, several with a u16 size before each. */
static void hear_many(struct replica *r, struct effects *effects, const uint8_t *data, size_t size)
{
	while (size > 2) {
		size_t n = data[0] | (size_t)data[1] << 8;
		struct event ev = {.type = EV_MESSAGE, .message = {.from = 2, .data = data + 2}};

		ev.message.size = n < size - 2 ? n : size - 2;
		replica_step(r, &ev, effects);
		synced(r, effects);
		size -= 2 + ev.message.size;
		data += 2 + ev.message.size;
	}
	effects_fini(effects);
	replica_free(r);
}

static void round_trip(const uint8_t *data, size_t size)
{
	autobuf again = BUF_INIT;
	struct message *m = xcalloc(1, sizeof(*m));

	if (message_decode(data, size, m, NULL) == 0) {
		message_encode(m, &again);
		if (again.size != size || memcmp(again.data, data, size) != 0)
			abort();
	}
	free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct effects effects = {0};

	round_trip(data, size);
	hear(replica_opened(false, &effects), &effects, data, size);
	hear(replica_leading(&effects), &effects, data, size);
	hear_many(replica_leading(&effects), &effects, data, size);
	hear_many(replica_opened(false, &effects), &effects, data, size);
	return 0;
}
