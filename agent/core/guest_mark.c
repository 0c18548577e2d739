/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks of guests: "BORN.VERSION", both versions of the store, which counts upwards only. */
#include "agent/core/guest_mark.h"

#include <inttypes.h>
#include <stdio.h>

void guest_mark(const struct guest *guest, char ret[GUEST_MARK_MAX])
{
	snprintf(ret, GUEST_MARK_MAX, "%" PRIu64 ".%" PRIu64, guest->born, guest->version);
}

/* A core that has just started knows of no birth before its own: that of the mark, or the unchanged configuration,
 * says as much. */
bool guest_mark_is_of(const struct guest *guest, const char *mark)
{
	uint64_t born, version;

	if (sscanf(mark, "%" SCNu64 ".%" SCNu64, &born, &version) != 2)
		return false;
	return guest->born == born || guest->version == version;
}
