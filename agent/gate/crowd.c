/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/crowd.h"

#include <stdlib.h>

#include "agent/base/map.h"
#include "agent/base/mem.h"

struct crowd {
	struct map *counts; /* key -> unsigned, never 0 */
};

struct crowd *crowd_new(void)
{
	struct crowd *crowd = xcalloc(1, sizeof(*crowd));

	crowd->counts = map_new();
	return crowd;
}

void crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	map_free(crowd->counts, free);
	free(crowd);
}

unsigned crowd_count(const struct crowd *crowd, const char *key)
{
	const unsigned *count = map_get(crowd->counts, key);

	return count ? *count : 0;
}

void crowd_enter(struct crowd *crowd, const char *key)
{
	unsigned *count = map_get(crowd->counts, key);

	if (!count) {
		count = xcalloc(1, sizeof(*count));
		map_put(crowd->counts, key, count);
	}
	(*count)++;
}

void crowd_leave(struct crowd *crowd, const char *key)
{
	unsigned *count = map_get(crowd->counts, key);

	if (count && --*count == 0)
		free(map_remove(crowd->counts, key));
}
