/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants, and the second account of transactions (model.c). The oracle sees every disk and every memory at
 * once; it looks after each step, at what changed. */
#pragma once

#include "tests/sim/disk.h"

#define SIM_KEYS     4
#define SIM_OPS	     256
#define SIM_INDICES  2048
#define SIM_FORKS    2
#define SIM_LEVEL    2
#define SIM_REQUESTS 24 /* requests_kept: short, so that it matters */

struct world;
struct node;
struct op;

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
	uint32_t failed; /* precondition; UINT32_MAX: none */
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

void oracle_fail(struct world *w, enum invariant invariant, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void oracle_after_step(struct world *w, struct node *n);
void oracle_sent(struct world *w, struct node *n, const struct blob *blob);
void oracle_persist(struct world *w, struct node *n, const struct persist *p);
void oracle_applied(struct world *w, struct node *n, const struct applied *a);
void oracle_reads(struct world *w, struct node *n); /* after all that the step applied */
void oracle_answer(struct world *w, struct node *n, struct op *op, const struct answer *answer);
void oracle_answers_end(struct world *w);
void oracle_left(struct world *w, struct node *n, const char *reason);
void oracle_bury(struct world *w, const struct image *image);
void oracle_end(struct world *w);
struct model *oracle_model(struct world *w, const struct history *history);
struct history *oracle_history(struct world *w, const struct uuid *fork);
void oracle_fini(struct oracle *o);

/* model.c */
/* What the transaction does, and its outcome; UNKNOWN: it was executed before. */
enum store_outcome model_apply(struct model *m, const struct entry *entry);
/* The precondition that failed when that request was executed. false: it was not */
bool model_failed(const struct model *m, const struct uuid *id, uint32_t *ret);
void model_check(struct world *w, struct model *m, const struct log_entry *entry,
		 const struct applied *a);
void model_compare(struct world *w, const struct model *m, const struct kv *kv);
