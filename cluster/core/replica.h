/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One replica of the store: replica_step(replica, event) -> effects. No clock, no I/O, no globals, no floating
 * point; nothing depends on addresses or hash order. cluster/README.md is the protocol.
 *
 * The driver feeds events one at a time and carries the effects out in order. PERSIST goes to one writer, in
 * order; PERSISTED(ticket) says that everything up to that ticket is synced. Nothing is said to anybody before
 * the transaction that EV_STARTED asks for (the raised start number) was PERSISTED. */
#pragma once

#include "agent/base/clock.h"
#include "cluster/core/effects.h"

#define REPLICA_MEMBERS_MAX  64
#define REPLICA_REQUESTS_MAX 1024 /* of this node, waiting for an answer */
#define REPLICA_LEVEL	     1	  /* highest rules of application that this program knows */

struct replica;

struct replica_options {
	uint32_t node;	  /* corosync node id; 1 on a node alone */
	const char *name; /* origin of entries */
	bool has_group;	  /* corosync is configured: nothing is decided before the first view */
	usec_t timeout;	  /* of progress; doubles on repeated failure */
	usec_t rank_step;
	uint64_t log_kept;		     /* applied entries kept for those who lag behind */
	size_t log_bytes;		     /* and at most so many bytes of them; 0: no bound */
	uint64_t log_served;		     /* the same while somebody is caught up by state */
	size_t append_entries, append_bytes; /* of one APPEND: at most, and at least one entry */
	uint64_t admit_window;		     /* a learner that lags by no more becomes a voter */
	size_t chunk_bytes, chunk_window;    /* of a snapshot */
	uint64_t requests_kept;
	uint32_t level; /* that this program supports */
	int mutant; /* which rule is broken on purpose (tests/sim); 0: none. Without LODGE_MUTANTS unused */
};
extern const struct replica_options replica_options_default;

enum event_type {
	EV_STARTED = 1,
	EV_VIEW,
	EV_QUORUM,
	EV_MESSAGE,
	EV_PERSISTED,
	EV_PERSIST_FAILED,
	EV_PROPOSE,
	EV_TICK,  /* replica_deadline() has come */
	EV_THAW,  /* the loop stood still for longer than anybody may be trusted */
	EV_FOUND, /* the admin: this empty database founds a cluster */
	EV_JOIN,  /* the admin: this empty database belongs to a cluster */
	EV_FORCE, /* the admin: the majority is lost for good, go on alone */
	EV_COUNT,
};

/* Everything that was on disk. */
struct replica_disk {
	struct replica_meta meta; /* incarnation set; the rest zeros on an empty database */
	struct state *state;	  /* as settled, taken over; NULL: empty */
	struct position base;	  /* before the first entry; at or below state */
	uint8_t base_hash[SHA256_SIZE];
	struct log_entry **entries; /* references, taken over */
	size_t entry_count;
};

struct view_member {
	uint32_t node, pid;
};

struct event_view {
	uint64_t ring; /* sequence number of the ring that the membership belongs to */
	uint32_t ring_node;
	const struct view_member *members; /* sorted by node */
	size_t count;
};

enum request_kind {
	REQUEST_TXN = 1,      /* payload: txn_encode(), with the request's id */
	REQUEST_BARRIER,      /* payload: none. Done: this node sees all that was done before */
	REQUEST_ADD_VOTER,    /* payload: member_encode() */
	REQUEST_REMOVE_VOTER, /* the same */
	REQUEST_LEVEL,	      /* payload: u32 */
	REQUEST_COUNT,
};

struct event_propose {
	uint64_t handle; /* comes back in the answer */
	enum request_kind kind;
	struct uuid id;
	uint64_t first; /* 0; when asking again: as the answer said, with the same id and payload */
	usec_t deadline;
	uint64_t when; /* wall clock, to show */
	const char *who;
	const void *payload;
	size_t payload_size;
	bool insists; /* REMOVE_VOTER of one of two: the admin knows that one disk remains */
};

struct event {
	enum event_type type;
	usec_t now;
	union {
		struct replica_disk *started;
		struct event_view view;
		bool is_quorate;
		struct {
			uint32_t from;
			const void *data;
			size_t size;
		} message;
		uint64_t persisted; /* ticket */
		struct {
			uint64_t ticket;
			bool is_full; /* rolled back for lack of space; else: nobody knows what is on disk */
		} failed;
		struct event_propose propose;
		struct uuid cluster; /* FOUND: a new one, JOIN */
		struct {
			struct uuid cluster, fork;
		} join;
		struct {
			struct uuid fork; /* new, random */
			bool insists;	  /* although a reachable survivor has a higher position */
			int *ret; /* 0, or ERR_BUSY, ERR_CONFLICT, ERR_UNSUPPORTED: program too old */
		} force;
	};
};

struct replica *replica_new(const struct replica_options *options);
void replica_free(struct replica *replica);
struct state *replica_end(struct replica *replica); /* frees all but the state, for the next one */
void replica_step(struct replica *replica, const struct event *event, struct effects *out);
usec_t replica_deadline(const struct replica *replica); /* when EV_TICK is due; 0: never */

/* What others may ask. */
enum replica_role {
	ROLE_OPENING,	/* the opening transaction is not yet on disk */
	ROLE_WAITING,	/* an empty database that belongs to no cluster */
	ROLE_SEEKING,	/* no leader is known */
	ROLE_FOLLOWING, /* a leader is known */
	ROLE_CLAIMING,
	ROLE_LEADING,
	ROLE_LEFT, /* said its last word */
	ROLE_COUNT,
};
const char *replica_role_name(enum replica_role role);
enum replica_role replica_role(const struct replica *replica);
/* Epoch in which it leads and makes entries. 0: it does not, or not before the round that runs is over. */
uint64_t replica_leads(const struct replica *replica);
uint64_t replica_committed(const struct replica *replica);
uint64_t replica_committed_epoch(const struct replica *replica); /* by which that is known */
const struct state *replica_state(const struct replica *replica);
const struct log *replica_log(const struct replica *replica);
const struct replica_meta *replica_meta(const struct replica *replica);
const struct voters *replica_voters(const struct replica *replica); /* newest, committed or not */
/* What is known of a member: for admins, and before a force. 0 is this one itself. */
struct replica_member {
	struct claimant claimant;
	bool is_known; /* false: no message of it was read yet */
	bool is_in_view;
	bool is_suspect; /* below what was seen of it */
	struct position position, acknowledged;
	uint32_t level;
};
bool replica_member(const struct replica *replica, size_t i, struct replica_member *ret);
/* How this process was caught up by state. */
struct replica_caught_up {
	uint64_t whole, differences;
	uint64_t
		fallbacks; /* differences that were dropped: the list or something else was wrong */
};
const struct replica_caught_up *replica_caught_up(const struct replica *replica);
/* false: reads are stale (no leader is known, or nothing was heard since a thaw) */
bool replica_is_current(const struct replica *replica);
