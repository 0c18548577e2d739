/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Free guest ids under short leases. Runs on the core's loop. */
#include "agent/core/nextid.h"

#include <string.h>

#include "agent/base/mem.h"

#define NEXTID_LEASES_MAX 4096 /* beyond: the oldest lease ends early */

struct lease {
	unsigned vmid;
	usec_t end;
};

struct nextid {
	struct lease leases[NEXTID_LEASES_MAX]; /* in order of end */
	size_t count;
};

struct nextid *nextid_new(void)
{
	return xcalloc(1, sizeof(struct nextid));
}

void nextid_free(struct nextid *n)
{
	free(n);
}

static void drop_front(struct nextid *n, size_t count)
{
	memmove(n->leases, n->leases + count, (n->count - count) * sizeof(n->leases[0]));
	n->count -= count;
}

static void drop_ended(struct nextid *n, usec_t now)
{
	size_t ended = 0;

	while (ended < n->count && n->leases[ended].end <= now)
		ended++;
	if (ended == 0 && n->count == NEXTID_LEASES_MAX)
		ended = 1;
	drop_front(n, ended);
}

static bool is_leased(const struct nextid *n, unsigned vmid)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->leases[i].vmid == vmid)
			return true;
	return false;
}

unsigned nextid_take(struct nextid *n, const struct guests *guests, usec_t now)
{
	unsigned vmid = NEXTID_MIN;
	const struct guest *guest = guests_next(guests, NEXTID_MIN - 1);

	drop_ended(n, now);
	for (; vmid <= NEXTID_MAX; vmid++) {
		if (guest && guest->vmid == vmid)
			guest = guests_next(guests, vmid);
		else if (!is_leased(n, vmid))
			break;
	}
	if (vmid > NEXTID_MAX)
		return 0;
	n->leases[n->count++] = (struct lease){vmid, now + NEXTID_LEASE};
	return vmid;
}
