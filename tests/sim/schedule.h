/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong when: made from a seed alone. */
#pragma once

#include "agent/base/clock.h"
#include "tests/sim/chance.h"

#define SIM_NODES  7
#define SIM_FAULTS 24
#define MS	   USEC_PER_MSEC

enum transport { TRANSPORT_FAITHFUL, TRANSPORT_ADVERSARIAL };

enum fault_kind {
	FAULT_KILL = 1,	  /* the process, perhaps between two effects */
	FAULT_POWER,	  /* the machine */
	FAULT_KILL_POWER, /* the process; it starts again; the machine */
	FAULT_PAUSE,	  /* the process hangs, its corosync lives */
	FAULT_FREEZE,	  /* the machine hangs, others see it leave */
	FAULT_PARTITION,
	FAULT_ONE_WAY,
	FAULT_SLOW_DISK,
	FAULT_FULL_DISK,
	FAULT_FAILED_SYNC,
	FAULT_ROLLBACK,
	FAULT_WIPE,
	FAULT_COPY,
	FAULT_ADD,	/* a learner becomes a voter */
	FAULT_REMOVE,	/* a voter becomes a learner */
	FAULT_BLACKOUT, /* all machines */
	FAULT_ISOLATE,	/* one node, while it is written to */
	FAULT_BURST,	/* many writes at once */
	FAULT_CHURN,	/* many changes of voters at once */
	FAULT_FORCE,
	FAULT_COUNT,
};
const char *fault_name(enum fault_kind kind);

struct fault {
	enum fault_kind kind;
	usec_t at, length;
	unsigned node; /* SIM_NODES: whoever leads then */
	uint64_t detail;
	bool is_off; /* left out while minimising */
};

struct schedule {
	uint64_t seed;
	enum transport transport;
	unsigned voters, learners; /* at the beginning */
	unsigned writes;
	usec_t length;
	unsigned drop, late, very_late; /* percent, adversarial */
	usec_t detection;		/* at most, until a partition is seen */
	usec_t admin; /* how often somebody looks for databases that wait to be joined */
	bool is_even; /* all latencies are the same */
	uint64_t log_kept, log_served;
	size_t append_entries, chunk_bytes;
	struct fault faults[SIM_FAULTS];
	size_t fault_count;
};
void schedule_make(struct schedule *schedule, uint64_t seed);
