/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting held refusals. Pure. */
#include "agent/gate/brake.h"

#include "agent/base/map.h"
#include "agent/base/mem.h"

struct brake {
	unsigned held;
	struct map *by_address; /* to unsigned, heap */
};

struct brake *brake_new(void)
{
	struct brake *b = xcalloc(1, sizeof(*b));

	b->by_address = map_new();
	return b;
}

void brake_free(struct brake *b)
{
	if (!b)
		return;
	map_free(b->by_address, free);
	free(b);
}

bool brake_enter(struct brake *b, const char *address)
{
	unsigned *count = map_get(b->by_address, address);

	if (b->held >= BRAKE_MAX || (count && *count >= BRAKE_PER_ADDRESS))
		return false;
	if (!count) {
		count = xcalloc(1, sizeof(*count));
		map_put(b->by_address, address, count);
	}
	(*count)++;
	b->held++;
	return true;
}

void brake_leave(struct brake *b, const char *address)
{
	unsigned *count = map_get(b->by_address, address);

	if (!count)
		return;
	b->held--;
	if (--*count == 0)
		free(map_remove(b->by_address, address));
}
