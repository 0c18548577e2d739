/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replicas say to each other. What decodes encodes to the same bytes; and a replica that hears it goes on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "cluster/core/replica.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct replica *replica_opened(struct effects *effects)
{
	struct replica_disk disk = {.meta = {.cluster.bytes = {1}, .incarnation.bytes = {2}}};
	struct replica_options options = replica_options_default;
	struct event started = {.type = EV_STARTED, .started = &disk};
	struct event persisted = {.type = EV_PERSISTED, .persisted = 1};
	struct view_member members[] = {{1, 1}, {2, 2}};
	struct event view = {.type = EV_VIEW, .view = {.members = members, .count = 2}};
	struct replica *r;

	options.has_group = true;
	r = replica_new(&options);
	replica_step(r, &started, effects);
	replica_step(r, &persisted, effects);
	replica_step(r, &view, effects);
	return r;
}

static void hear(const uint8_t *data, size_t size)
{
	struct event ev = {.type = EV_MESSAGE, .message = {.from = 2, .data = data, .size = size}};
	struct effects effects = {0};
	struct replica *r = replica_opened(&effects);

	replica_step(r, &ev, &effects);
	ev = (struct event){.type = EV_PERSISTED, .persisted = UINT64_MAX};
	replica_step(r, &ev, &effects);
	ev = (struct event){.type = EV_TICK, .now = UINT64_MAX / 2};
	replica_step(r, &ev, &effects);
	effects_fini(&effects);
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
	round_trip(data, size);
	hear(data, size);
	return 0;
}
