/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that start and shut down guests of this node where no request asks for it: with the node, again after a
 * reboot from inside, for jobs on many guests. Core's loop only. */
#pragma once

#include "agent/core/core.h"

struct guest_power {
	unsigned vmid;
	const char *verb; /* "start", "shutdown" */
	const char *user;
	const struct fields *args; /* of the job; borrowed, may be NULL */
};

/* ERR_NOT_FOUND: it is not on this node; ERR_INVALID: there is no such verb. */
int guest_power_start(struct core *core, const struct guest_power *power, char ret_upid[UPID_MAX],
		      struct err *err);
