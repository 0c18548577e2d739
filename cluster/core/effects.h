/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a replica wants done, in the order in which it must be done. A crash may fall between any two. Pure. */
#pragma once

#include "cluster/core/message.h"
#include "cluster/core/state.h"

/* The small durable facts of a replica. On disk each PERSIST replaces them whole. */
struct replica_meta {
	struct uuid cluster; /* zeros: waits to be joined */
	struct uuid fork;
	struct uuid incarnation;
	uint64_t start;
	uint64_t promised;
	struct claimant promised_to;
	struct position promised_at; /* position that was claimed with */
	struct position accepted;    /* see struct measure */
	struct seen seen[MESSAGE_SEEN_MAX];
	size_t seen_count;
};

/* One transaction. Tickets rise by one; a later one is never on disk without an earlier one. In this order:
 * a snapshot replaces state and log; entries from cut_from on move to the orphans; entries are appended. */
struct persist {
	uint64_t ticket;
	struct replica_meta meta;
	struct buf snapshot; /* encoded state (state.h); empty: none */
	/* Of a snapshot that came as a difference: the paths, each with a NUL, whose values are not as replica_state() has
	 * them until it is swapped in. What is applied and not yet settled differs from the tables as well. */
	struct buf changed;
	bool has_changed;	    /* false: any path may differ */
	uint64_t cut_from;	    /* 0: nothing is cut */
	struct log_entry **entries; /* references */
	size_t entry_count;
};

struct answer {
	uint64_t handle; /* of the PROPOSE */
	struct uuid id;
	uint64_t first; /* for asking again with the same id */
	struct store_result result;
};

struct applied_row {
	char *path;
	void *value, *old; /* NULL: absent */
	size_t size, old_size;
	uint64_t version, old_version;
};

/* An entry was applied: rows for subscribers and for settling. entry NULL: the whole state was replaced by a
 * snapshot, the rows are what changed (changes.h). */
struct applied {
	struct log_entry *entry; /* reference */
	uint64_t index;
	enum store_outcome outcome;
	bool has_request;
	struct kv_request request;
	struct applied_row *rows;
	size_t row_count;
};

enum effect_type {
	EFFECT_SEND = 1, /* multicast to the group */
	EFFECT_PERSIST,
	EFFECT_ANSWER,
	EFFECT_APPLIED,
	EFFECT_LEAVE,	  /* leave the group at once and stop this replica: reason */
	EFFECT_READ_ONLY, /* until the machine was rebooted: reason */
};

struct effect {
	enum effect_type type;
	union {
		struct buf send;
		struct persist *persist;
		struct answer *answer;
		struct applied *applied;
		char *reason;
	};
};

struct effects {
	struct effect *items; /* owned, with all that they hold */
	size_t count, capacity;
};

void effects_clear(struct effects *effects); /* keeps the memory */
void effects_fini(struct effects *effects);
struct effect *effects_add(struct effects *effects, enum effect_type type);
void persist_free(struct persist *persist);
