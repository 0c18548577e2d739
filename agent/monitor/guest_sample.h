/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of one running container, from its cgroups and its init's /proc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/clock.h"
#include "agent/base/fields.h"

struct guest_sample {
	uint64_t cpu_usec;	 /* CPU time so far, of the last sample */
	usec_t taken;		 /* monotonic; 0: never */
	double cpu;		 /* what that said, below 0: nothing yet */
	unsigned long oom_kills; /* in the group of its first process, of the last sample */
	char memory[256];	 /* the folder of that group, or "" */
};

/* The share of `cpus` processors that was used since the last sample, as CPU time that was `used` so far tells; moves *last
 * on. Counters have steps, which would be large in a short time: then it is what it was. Below 0: not known yet. Pure. */
double guest_cpu_share(struct guest_sample *last, uint64_t used, unsigned cpus, usec_t now);
/* Has the kernel killed in that group for want of memory since the last sample? The group may be all that is left. */
bool guest_sample_has_oom(const struct guest_sample *last);
/* Are its processes frozen? */
bool guest_is_frozen(pid_t pid);
/* Adds the fields of EVENT_GUEST (uptime, cpu, mem, …) and moves *last on. */
void guest_sample_take(pid_t pid, uint64_t started, struct guest_sample *last, struct fields *ret);
