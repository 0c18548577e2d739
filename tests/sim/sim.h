/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator of the store: the production core of several nodes in virtual time. Everything that happens
 * follows from the seed. One thread; no clock but `now`.
 *
 *   schedule.c  what goes wrong when, made from the seed    net.c     transport and membership
 *   node.c      processes: start, crash, effects            disk.c    what survives which crash
 *   client.c    load and admins                             fault.c, force.c  what goes wrong, done
 *   world.c     the run of one schedule                     ending.c  mended, it must live and rest
 *   batch.c     many schedules                              replay.c  one of them, told
 *   fault_disk.c  disks lost, copied, gone back             coverage.c  what was met at all
 *   oracle*.c   the invariants                              model.c   a second account of transactions */
#pragma once

#include "agent/base/mem.h"
#include "cluster/core/mutant.h"
#include "tests/sim/oracle.h"
#include "tests/sim/schedule.h"

enum happening_kind {
	HAPPEN_DELIVER = 1,
	HAPPEN_VIEW,
	HAPPEN_SYNC,
	HAPPEN_TICK,
	HAPPEN_REFORM,
	HAPPEN_FAULT,
	HAPPEN_FAULT_END,
	HAPPEN_WRITE,
	HAPPEN_START,
	HAPPEN_RETRY,
};

struct happening {
	usec_t at;
	uint64_t order;
	enum happening_kind kind;
	unsigned node, from;
	uint64_t pid, ring, number;
	struct blob *blob;
	struct event_view *view; /* owned; with its members behind it */
	bool is_quorate;
};

struct ring_message {
	struct blob *blob;
	unsigned from;
};

/* One configuration of the group. */
struct ring {
	uint64_t id;
	bool is_broken; /* nothing is delivered until the next configuration */
	struct ring_message *messages;
	size_t count, capacity;
};

struct node {
	unsigned at;
	uint32_t id;
	struct replica *replica; /* NULL: not running */
	struct disk disk;
	uint64_t pid;
	bool is_up; /* the machine */
	bool is_paused, is_marked,
		is_gone; /* marked: read-only until a reboot; gone: must become new */
	bool may_leave;	 /* a fault gave it a cause */
	usec_t paused_at;
	struct happening *inbox; /* while paused */
	size_t inbox_count, inbox_capacity;
	usec_t tick; /* of the planned HAPPEN_TICK */
	usec_t last_delivery;
	unsigned group; /* part of the partition */
	uint64_t ring;
	size_t delivered;  /* messages of the ring */
	unsigned crash_in; /* effects until the process dies; 0: not */
	struct effects effects;
	uint64_t applied, committed, leads;
	struct measure measure; /* of the running process */
	uint32_t level;		/* of its program */
};

enum op_state { OP_FREE, OP_WAITING, OP_ENDED, OP_LOST };
struct op {
	enum op_state state;
	struct uuid id;
	enum request_kind kind;
	struct blob *payload;
	unsigned node;
	uint64_t pid, first;
	uint64_t asked_after; /* highest index that was answered when it was first asked */
	unsigned attempts, unknowns;
	bool was_not_sent; /* the last attempt; and no other one may have been sent */
	bool is_probe;
	enum store_outcome outcome;
	uint64_t version;
	struct voters voters;
};

/* Counters alone: batch.c adds them up. */
struct coverage {
	uint64_t cells[MSG_COUNT][ROLE_COUNT];
	uint64_t outcomes[5];
	uint64_t faults[FAULT_COUNT]; /* that came to something */
	uint64_t steps, commits, leaders, cuts, schedules;
	uint64_t lived, hung,
		forked; /* schedules that came to life again; with a part hung; in a new fork */
	struct replica_caught_up caught_up;
	uint64_t false_lists;
};

/* replay.c */
int replay(uint64_t seed, int mutant, bool is_minimised); /* prints TAP */
enum invariant replay_tell(uint64_t seed, int mutant, bool is_minimised, char what[400]);

/* batch.c: prints TAP */
int batch_run(uint64_t from, uint64_t count, unsigned jobs);

/* coverage.c */
#define COVERAGE_SCHEDULES 10000 /* by then everything must have been met */
void coverage_print(const struct coverage *c);
bool coverage_check(const struct coverage *c,
		    uint64_t number); /* prints TAP; false: something was not met */

struct world {
	struct schedule *schedule;
	struct rng rng;
	usec_t now;
	struct happening *heap;
	size_t heap_count, heap_capacity;
	uint64_t order;
	struct node nodes[SIM_NODES];
	unsigned node_count;
	unsigned expected_votes;
	enum transport transport;
	bool one_way[SIM_NODES][SIM_NODES]; /* [from][to] is cut */
	struct ring rings[256];
	size_t ring_count;
	uint64_t next_pid;
	struct uuid cluster;
	struct op ops[SIM_OPS];
	size_t op_count;
	struct oracle oracle;
	struct coverage *coverage;
	int mutant;
	bool is_verbose, is_ending,
		is_quiet; /* ending: no faults any more; quiet: nothing may be sent */
	bool has_lost_majority, was_forced;
	const struct node *far; /* ending: holds a promise far above all others */
	uint64_t sent, persisted, still;
	usec_t guard_until; /* a disk went back in time: nothing else goes wrong until that was seen */
};

/* world.c */
/* Runs a schedule; the invariant that it broke. */
enum invariant world_run(struct schedule *schedule, int mutant, bool is_verbose,
			 struct coverage *coverage, char *what, size_t what_size);
/* Lets everything happen up to `until`, or until an invariant broke or a condition holds (then true). */
bool world_run_until(struct world *w, usec_t until, bool (*is_enough)(struct world *w));
void world_join_waiting(
	struct world *w); /* an admin founds or joins with the databases that are empty */
void world_end(struct world *w);
void world_add(struct world *w, struct happening h);
void world_say(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_free_happening(struct happening *h);
struct node *world_leader(struct world *w);			    /* or NULL */
bool world_has(const struct world *w, const struct member *member); /* its disk, and it may run */

/* node.c */
void node_start(struct world *w, struct node *n);
void node_crash(struct world *w, struct node *n, bool is_power);
void node_step(struct world *w, struct node *n, struct event *event);
void node_take(struct world *w, struct node *n, struct happening *h); /* takes what h holds */
void node_pause(struct world *w, struct node *n);
void node_thaw(struct world *w, struct node *n, bool knows);
void node_options(const struct world *w, const struct node *n, struct replica_options *ret);
void node_sync_plan(struct world *w, struct node *n);

/* net.c */
void net_send(struct world *w, struct node *n, struct blob *blob);
void net_reform(struct world *w); /* new configurations where membership differs */
void net_reform_soon(struct world *w, usec_t delay);
void net_break(struct world *w); /* partition changed: rings that cross it stand still */
bool net_is_connected(const struct node *a, const struct node *b);
void net_fini(struct world *w);
/* The message itself, or, now and then, a list of what somebody else has in place of its own: a reference. */
struct blob *net_falsify(struct world *w, const struct node *n, struct blob *blob);

/* client.c */
#define CLIENT_ADMIN_PATIENCE (3000 * MS)
void client_write(struct world *w, bool is_probe); /* anywhere */
void client_write_at(struct world *w, struct node *n, bool is_probe);
void client_retry(struct world *w, size_t op);
bool client_admin_at(struct world *w, struct node *n, enum request_kind kind,
		     const struct member *member);
bool client_admin(struct world *w, enum request_kind kind, const struct member *member);
void client_answered(struct world *w, struct node *n, const struct answer *answer);
void client_lost(struct world *w, const struct node *n);

/* fault.c */
unsigned fault_voters(struct world *w);	     /* in the list of the leader */
unsigned fault_lost_voters(struct world *w); /* of these: their disk is gone */
bool fault_is_voter(struct world *w, const struct node *n);
void fault_begin(struct world *w, size_t i);
void fault_end(struct world *w, size_t i, struct node *n); /* n: whom it hit */
void fault_start_later(struct world *w, struct node *n, usec_t delay);

/* fault_disk.c; true: it came to something */
bool fault_slow_disk(struct world *w, struct node *n, const struct fault *f);
bool fault_full_disk(struct world *w, struct node *n, const struct fault *f);
bool fault_failed_sync(struct world *w, struct node *n, const struct fault *f);
bool fault_roll_back(struct world *w, struct node *n, const struct fault *f);
bool fault_wipe(struct world *w, struct node *n, const struct fault *f);
bool fault_copy(struct world *w, struct node *n, const struct fault *f);

/* force.c */
bool force_lose_majority(struct world *w, struct node *n,
			 const struct fault *f); /* true: it is lost */
void force_go_on(struct world *w, size_t fault);
