/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the writer threads spend their time: calls of cluster/db and fdatasync, which this program puts itself in front of. Sums
 * of all threads. */
#pragma once

#include "agent/base/clock.h"

enum probe {
	PROBE_LOAD,
	PROBE_PERSIST,	   /* with its sync */
	PROBE_SETTLE,	   /* with the checkpoint */
	PROBE_CHECKPOINT,  /* with its syncs */
	PROBE_SYNC,	   /* outside a checkpoint */
	PROBE_SYNC_MOVING, /* inside one */
	PROBE_COUNT,
};

struct probe_sum {
	usec_t took, cpu;
	unsigned long calls;
};

void probe_reset(void);
struct probe_sum probe_sum(enum probe probe);
usec_t probe_thread_cpu(void); /* of the calling thread */
double probe_written(void);    /* bytes, by this process, in pages of its files */
