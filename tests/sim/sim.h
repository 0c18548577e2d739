/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator of the store: the production core of several nodes in virtual time. Everything that happens
 * follows from the seed. One thread; no clock but `now`.
 *
 *   schedule.c  what goes wrong when, made from the seed      net.c    transport and membership
 *   node.c      processes: start, crash, effects              disk.c   what survives which crash
 *   client.c    load and admins                               oracle.c the invariants
 *   model.c     an own, simple account of transactions        world.c  the run of one schedule */
#pragma once

#include "agent/base/mem.h"
#include "cluster/core/mutant.h"
#include "cluster/core/replica.h"

#define SIM_NODES    7
#define SIM_FAULTS   24
#define SIM_KEYS     4
#define SIM_OPS	     256
#define SIM_INDICES  2048
#define SIM_FORKS    2
#define SIM_LEVEL    2
#define SIM_REQUESTS 24 /* requests_kept: short, so that it matters */

#define MS USEC_PER_MSEC

/* ---- chance ---- */

struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t n);
bool rng_chance(struct rng *rng, unsigned percent);
uint64_t rng_between(struct rng *rng, uint64_t from, uint64_t to);
void rng_uuid(struct rng *rng, struct uuid *ret);

/* Shared immutable bytes. */
struct blob {
	unsigned refs;
	size_t size;
	char data[];
};
struct blob *blob_new(const void *data, size_t size);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);

/* ---- disk ---- */

struct image {
	struct replica_meta meta;
	struct blob *state; /* encoded, or NULL */
	struct position base;
	uint8_t base_hash[SHA256_SIZE];
	struct log_entry **entries;
	size_t count, capacity;
};

enum disk_op_kind { OP_PERSIST = 1, OP_SETTLE };
struct disk_op {
	enum disk_op_kind kind;
	struct persist *persist; /* owned */
	struct blob *state;	 /* SETTLE */
	uint64_t trim;
};

struct disk {
	struct image synced;	  /* what no crash takes away */
	struct disk_op ops[1024]; /* written or about to be, not synced */
	size_t op_count;
	size_t ghosts; /* of these: left by a killed process, visible */
	size_t busy;   /* of these: in the sync that runs, ghosts included; 0: idle */
	bool is_lying; /* a sync failed: later ones "succeed" and keep nothing */
	bool fails_next, is_full;
	usec_t slow_until;
	struct image old; /* an earlier state, to go back to */
	bool has_old;
};

void image_fini(struct image *image);
void image_copy(struct image *to, const struct image *from, bool deep);
bool image_holds(const struct image *image, struct position at, const uint8_t hash[SHA256_SIZE]);
void disk_fini(struct disk *disk);
void disk_add(struct disk *disk, struct disk_op op);
/* The process is gone: of what it had not synced, the first `visible` operations stay visible. */
void disk_kill(struct disk *disk, size_t visible);
/* The machine is gone: of what was not synced, the first `kept` operations are there afterwards. */
void disk_power_cut(struct disk *disk, size_t kept);
void disk_synced(struct disk *disk); /* the running sync ends well; busy = 0 */
struct replica_disk *disk_load(const struct disk *disk, const struct replica_options *options);
void replica_disk_free(struct replica_disk *disk);

/* ---- world ---- */

enum transport { TRANSPORT_FAITHFUL, TRANSPORT_ADVERSARIAL };

enum invariant {
	INV_NONE,
	INV_LOG,       /* equal positions have equal running hashes */
	INV_EPOCH,     /* an epoch is led by one process at most */
	INV_PROMISE,   /* a member promises an epoch to one claimant only */
	INV_COMMITTED, /* what is committed agrees everywhere and is in every later leader's log */
	INV_MAJORITY,  /* what is committed is on the disks of a majority */
	INV_STATE,     /* applied prefixes and state hashes agree */
	INV_LINEAR,    /* outcomes are those of the model, in an order that real time allows */
	INV_ONCE,      /* nothing is executed twice */
	INV_ANSWER,    /* done, refused, not sent were rightly said */
	INV_READS,     /* a node's reads are a monotone prefix with its own writes */
	INV_MEASURE,   /* promise and verified log of an incarnation never go down */
	INV_FORK,      /* forks do not mix */
	INV_LEFT,      /* nobody leaves the group without a cause */
	INV_LIVENESS,  /* once all is well a write is accepted in bounded time, and all catch up */
	INV_IDLE,      /* an idle cluster sends and writes nothing */
	INV_COUNT,
};
const char *invariant_name(enum invariant invariant);

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
	FAULT_ADD,     /* a learner becomes a voter */
	FAULT_REMOVE,  /* a voter becomes a learner */
	FAULT_ISOLATE, /* one node, while it is written to */
	FAULT_BURST,   /* many writes at once */
	FAULT_CHURN,   /* many changes of voters at once */
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
	unsigned drop, late; /* percent, adversarial */
	usec_t detection;    /* at most, until a partition is seen */
	bool is_even;	     /* all latencies are the same */
	uint64_t log_kept;
	size_t append_entries, chunk_bytes;
	struct fault faults[SIM_FAULTS];
	size_t fault_count;
};
void schedule_make(struct schedule *schedule, uint64_t seed);

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
	uint64_t own_done;	/* highest version of an own write */
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

struct committed {
	struct position at;
	uint8_t hash[SHA256_SIZE];
	struct log_entry *entry;
	uint64_t epoch; /* by which it was first committed */
	bool is_applied;
	enum store_outcome outcome;
	bool has_request;
	uint8_t digest[SHA256_SIZE];
};

struct history {
	struct uuid fork;
	uint64_t count; /* [1..count] */
	struct committed items[SIM_INDICES];
};

struct grave {
	struct image image;
};

struct promise_record {
	struct member who;
	uint64_t epoch;
	struct claimant to;
};
struct leader_record {
	uint64_t epoch;
	struct uuid fork;
	unsigned node;
	uint64_t pid;
};
struct position_record {
	struct position at;
	struct uuid fork;
	uint8_t hash[SHA256_SIZE];
};

struct model_value {
	bool is_there;
	uint64_t version;
	uint8_t digest[SHA256_SIZE];
};
struct model_request {
	struct uuid id;
	uint64_t index;
	enum store_outcome outcome;
};
struct model {
	struct model_value values[SIM_KEYS];
	struct model_request requests[SIM_INDICES];
	size_t request_count;
};

struct oracle {
	struct history histories[SIM_FORKS];
	struct model models[SIM_FORKS];
	size_t fork_count;
	struct grave graves[16];
	size_t grave_count;
	struct promise_record promises[4096];
	size_t promise_count;
	struct leader_record leaders[1024];
	size_t leader_count;
	struct position_record positions[8192]; /* open addressing */
	uint64_t answered;			/* highest index that was answered with done */
	enum invariant broken;
	char what[400];
};

struct coverage {
	uint64_t cells[MSG_COUNT][ROLE_COUNT];
	uint64_t outcomes[5];
	uint64_t steps, commits, leaders, snapshots, cuts, schedules;
};

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
	uint64_t sent, persisted, still;
	usec_t guard_until; /* a disk went back in time: nothing else goes wrong until that was seen */
};

/* world.c */
/* Runs a schedule; the invariant that it broke. */
enum invariant world_run(struct schedule *schedule, int mutant, bool is_verbose,
			 struct coverage *coverage, char *what, size_t what_size);
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

/* client.c */
#define CLIENT_ADMIN_PATIENCE (3000 * MS)
void client_write(struct world *w, bool is_probe); /* anywhere */
void client_write_at(struct world *w, struct node *n, bool is_probe);
void client_retry(struct world *w, size_t op);
bool client_admin(struct world *w, enum request_kind kind, const struct member *member);
void client_answered(struct world *w, struct node *n, const struct answer *answer);
void client_lost(struct world *w, const struct node *n);

/* fault.c */
void fault_begin(struct world *w, size_t i);
void fault_end(struct world *w, size_t i, struct node *n); /* n: whom it hit */

/* oracle.c */
void oracle_fail(struct world *w, enum invariant invariant, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void oracle_after_step(struct world *w, struct node *n);
void oracle_sent(struct world *w, struct node *n, const struct blob *blob);
void oracle_persist(struct world *w, struct node *n, const struct persist *p);
void oracle_applied(struct world *w, struct node *n, const struct applied *a);
void oracle_answer(struct world *w, struct node *n, struct op *op, const struct answer *answer);
void oracle_left(struct world *w, struct node *n, const char *reason);
void oracle_bury(struct world *w, const struct image *image);
void oracle_end(struct world *w);
struct history *oracle_history(struct world *w, const struct uuid *fork);
void oracle_fini(struct oracle *o);

/* model.c */
/* What the transaction does, and its outcome; UNKNOWN: it was executed before. */
enum store_outcome model_apply(struct model *m, const struct entry *entry);
void model_check(struct world *w, struct model *m, const struct log_entry *entry,
		 const struct applied *a);
void model_compare(struct world *w, const struct model *m, const struct kv *kv);
