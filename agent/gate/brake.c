/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting held refusals. Pure. */
#include "agent/gate/brake.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

struct place {
	char address[ADDRESS_KEY_SIZE];
	usec_t until;
};

struct brake {
	struct place places[BRAKE_MAX]; /* `until` in the past: free */
};

struct brake *brake_new(void)
{
	return xcalloc(1, sizeof(struct brake));
}

void brake_free(struct brake *b)
{
	free(b);
}

bool brake_enter(struct brake *b, const char *address, usec_t now, usec_t until)
{
	struct place *vacant = NULL;
	unsigned same = 0;

	for (struct place *p = b->places; p < b->places + BRAKE_MAX; p++) {
		if (p->until <= now)
			vacant = p;
		else if (str_eq(p->address, address))
			same++;
	}
	if (!vacant || same >= BRAKE_PER_ADDRESS)
		return false;
	str_copy(vacant->address, sizeof(vacant->address), address);
	vacant->until = until;
	return true;
}

bool brake_is_full(const struct brake *b, const char *address, usec_t now)
{
	unsigned same = 0;

	for (const struct place *p = b->places; p < b->places + BRAKE_MAX; p++)
		same += p->until > now && str_eq(p->address, address);
	return same >= BRAKE_PER_ADDRESS;
}
