/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the replica share. Not for others. */
#pragma once

#include <string.h>

#include "agent/base/list.h"
#include "cluster/core/by_id.h"
#include "cluster/core/difference.h"
#include "cluster/core/mutant.h"
#include "cluster/core/replica.h"

#define WRITES_MAX     512 /* transactions that the writer may owe */
#define GATHERED_MAX   2048
#define GATHERED_BYTES (32u * 1024 * 1024)
#define BACKOFF_MAX    5 /* doublings of the timer */
#define ALIVE_MAX      10
#define RESEND_MAX     6 /* to voters that do not answer */
#define OFFERS_MAX     3 /* frozen states, at once */
#define COMPARED_MAX   8 /* members that get a difference, at once; more get the whole */

/* A transaction that the writer owes, and what is true once it is on disk. */
struct write {
	uint64_t ticket;
	uint64_t last; /* of the log; lowered when a later transaction cuts it */
	uint64_t promised;
	struct position accepted;
	bool is_snapshot;
	bool is_mine; /* entries that this leader made */
};

struct peer {
	uint32_t node;
	struct uuid incarnation;
	uint64_t start;
	bool is_known; /* a message of it was read */
	bool is_in_view, was_in_view;
	bool is_suspect; /* its STATE was below what was seen of it */
	uint64_t promised;
	struct position position;
	uint32_t level;
	struct position ack;
	uint64_t promised_me;		/* epoch that it promised to this claimant */
	bool has_refused;		/* the claim under way */
	uint64_t said_view, said_round; /* of its last STATE */
	uint64_t answered;		/* round of this view */
	uint64_t leads;			/* as it said in that round */
};

/* A proposal of this node, until it is answered. */
struct request {
	struct list node, by_id;
	uint64_t handle;
	enum request_kind kind;
	struct uuid id;
	uint64_t first, when;
	usec_t deadline;
	char who[STORE_WHO_MAX];
	bool is_sent;	/* it may be in somebody's log */
	bool is_repeat; /* of one that was answered with unknown */
	size_t payload_size;
	char payload[];
};

/* What a leader is going to append. */
struct gathered {
	struct list node, by_id;
	enum request_kind kind;
	struct uuid id;
	uint64_t first, when;
	char origin[64], who[STORE_WHO_MAX];
	size_t payload_size;
	char payload[];
};

/* A snapshot on its way in. */
struct staging {
	uint64_t epoch;
	struct position at; /* index 0: none */
	uint8_t hash[SHA256_SIZE], digest[SHA256_SIZE];
	uint64_t list; /* 0: the whole */
	uint64_t total;
	struct buf data;
	uint64_t asked_at; /* offset of the last FETCH */
};

/* What the leader was told to be here. */
struct listing {
	uint64_t id;	/* 0: none */
	uint64_t index; /* applied when it was made */
	struct buf data;
};

/* A frozen state that the leader serves. Chunks of the whole are heard by all who need them: what was just sent for
 * one member is not sent again for the next. */
struct offer {
	struct frozen *frozen; /* reference; NULL: free */
	struct {
		uint64_t offset;
		usec_t at; /* 0: never */
	} sent[8];
	size_t next;
};

/* A member that is caught up by state. */
struct serving {
	struct list node;
	uint32_t to;
	usec_t used_at;
	struct frozen *frozen; /* reference */
	bool wants_whole;      /* or its list was no good */
	/* a difference */
	struct comparison *comparison; /* NULL: the whole is sent */
	bool is_compared;
	uint64_t list, total, have; /* the list that comes in */
	size_t chunks;		    /* of it, since the last INQUIRY */
};

struct replica {
	struct replica_options options;
	char name[64];
	struct effects *out; /* of the running step */
	usec_t now;

	enum replica_role role;
	struct replica_meta meta; /* queued to the writer counts */
	struct log log;
	struct voters voters; /* newest in the log */
	struct state *state;
	struct state *installing; /* snapshot that the writer has not yet confirmed */

	uint64_t ticket;
	struct write writes[WRITES_MAX]; /* a ring */
	size_t write_first, write_count;
	uint64_t durable_index; /* of the log */
	struct measure durable;
	bool is_opened;

	uint64_t commit;
	uint64_t
		commit_epoch; /* by which the commit index is known: no leader below it counts any more */

	struct peer peers[REPLICA_MEMBERS_MAX]; /* [0] is this node */
	size_t peer_count;
	uint64_t view; /* digest; 0: none yet */
	bool is_quorate;
	bool is_vetted; /* a round is over: nobody reachable has seen this incarnation higher */
	bool is_current;

	uint64_t round;
	bool round_is_open;

	uint32_t leader; /* node; 0: none known */
	uint64_t leader_epoch;

	/* claiming */
	bool claim_is_sent;
	usec_t claim_at;   /* 0: not planned */
	usec_t held_until; /* no claim before: see lead_deposed() */
	unsigned failures;
	uint64_t owed_promise; /* epoch; said once it is on disk */

	/* leading */
	uint64_t barrier; /* index */
	uint32_t level;	  /* highest that was appended in this epoch */
	struct list gathered, changes;
	struct by_id gathered_by_id; /* changes are not in it */
	size_t gathered_count, gathered_bytes, change_count;
	struct offer offers[OFFERS_MAX];
	struct list served;
	unsigned alive_count, resend_count;
	uint64_t acked_before; /* index that all had acknowledged at the last expiry */

	/* following */
	struct position said; /* last ACK */
	bool is_fetching;
	usec_t fetched_at; /* when FETCH was said, or the last chunk came */
	uint64_t heard_of; /* highest index that somebody has in the leader's epoch */
	struct staging staging;
	struct listing listing;
	bool wants_whole; /* a difference turned out wrong */
	struct replica_caught_up caught_up;

	struct list requests;
	struct by_id requests_by_id;
	size_t request_count;
	usec_t request_deadline; /* no request has an earlier one; 0: none has any */

	usec_t timer; /* 0: off */
	unsigned expiries;
};

/* replica.c */
void replica_send(struct replica *r, struct message *m); /* fills in the header */
bool replica_has_company(const struct replica *r);
void replica_leave(struct replica *r, bool is_read_only, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
struct claimant replica_self(const struct replica *r);
uint64_t replica_floor(const struct replica *r); /* nothing of an epoch below is accepted */
void replica_follow(struct replica *r, const struct peer *peer, uint64_t epoch);
void replica_commit_raise(struct replica *r, uint64_t index, uint64_t epoch);

/* write.c: the disk */
struct persist *write_new(struct replica *r);
void write_queue(struct replica *r, struct persist *p); /* takes p */
void write_cut(struct replica *r, struct persist *p, uint64_t from);
void write_append(struct replica *r, struct persist *p, struct log_entry *e); /* takes e */
bool write_is_full(const struct replica *r);
void on_persisted(struct replica *r, const struct event *event);
void on_persist_failed(struct replica *r, const struct event *event);

/* peer.c */
struct peer *peer_get(struct replica *r, uint32_t node);  /* NULL: too many */
struct peer *peer_find(struct replica *r, uint32_t node); /* NULL: unknown */
const struct peer *peer_voter(const struct replica *r, const struct member *voter); /* or NULL */
bool peer_is(const struct peer *peer, const struct member *member);

/* receive.c */
void on_message(struct replica *r, const struct event *event);

/* round.c: L1, L5 */
void on_view(struct replica *r, const struct event *event);
void on_quorum(struct replica *r, const struct event *event);
void on_thaw(struct replica *r, const struct event *event);
void round_start(struct replica *r);
void round_say(struct replica *r);
bool round_has_majority(const struct replica *r);
void round_end(struct replica *r);     /* if it is over */
void round_give_up(struct replica *r); /* nobody answers */
void round_note(struct replica *r, struct peer *peer, const struct message *m);
void state_message(struct replica *r, struct peer *peer, const struct message *m);

/* claim.c: S2, L2, L3 */
bool claim_is_possible(const struct replica *r); /* enough voters are in the view */
bool claim_is_eligible(struct replica *r);
void claim_plan(struct replica *r);
void claim_start(struct replica *r);
void claim_fail(struct replica *r);
void claim_say_due(struct replica *r);
void claim_send(struct replica *r);
void claim_alone(struct replica *r); /* one voter needs nobody */
void lead_stop(struct replica *r);
void lead_deposed(struct replica *r); /* by a higher promise */
void promise_message(struct replica *r, struct peer *peer, const struct message *m);
void refuse_message(struct replica *r, struct peer *peer, const struct message *m);

/* promise.c: S1 */
void promise_say(struct replica *r); /* the one that is owed */
void refuse(struct replica *r, const struct peer *to, uint64_t epoch);
void claim_message(struct replica *r, struct peer *peer, const struct message *m);

/* append.c: S3 */
void append_send(struct replica *r, uint32_t to, uint64_t from);
void append_message(struct replica *r, struct peer *peer, const struct message *m);
void alive_message(struct replica *r, struct peer *peer, const struct message *m);

/* fetch.c: catching up */
void fetch_send(struct replica *r);
void fetch_message(struct replica *r, struct peer *peer, const struct message *m);

/* commit.c: S4 */
void ack_say(struct replica *r, bool again);
void ack_message(struct replica *r, struct peer *peer, const struct message *m);
void commit_advance(struct replica *r);

/* apply.c: S5 */
void apply_committed(struct replica *r);
void apply_collect(const struct kv_change *change, void *ctx); /* ctx: struct applied, gets a row */
bool apply_answer_known(struct replica *r, struct request *q); /* frees q, if it is known */
void apply_answer_all_known(struct replica *r);		       /* after a snapshot */

/* propose.c: S6; gather.c: the leader's side */
void on_propose(struct replica *r, const struct event *event);
void request_answer(struct replica *r, struct request *q, const struct store_result *result);
void request_give_up(struct replica *r, struct request *q, const char *why);
void requests_leave(struct replica *r, const char *why);
void requests_rolled_back(struct replica *r);
void requests_send(struct replica *r);	/* all, to the leader that is known */
void requests_check(struct replica *r); /* deadlines, lost majority */
void propose_message(struct replica *r, struct peer *peer, const struct message *m);
void gather_request(struct replica *r, const struct request *q);
void gather_drop(struct replica *r);
void gather_forget(struct replica *r, const struct uuid *id);
void gather_flush(struct replica *r);
/* One entry as the leader, at once; payloads as entry.h says. */
void lead_append_voters(struct replica *r, const struct uuid *id, const struct voters *voters);
void lead_append_one(struct replica *r, enum entry_kind kind, const void *payload, size_t size);

/* voters_change.c: S8 */
void voters_refresh(struct replica *r); /* after the log changed */
void voters_at(const struct replica *r, uint64_t index, struct voters *ret);
void change_add(struct replica *r, struct gathered *g); /* takes g */
void change_try(struct replica *r);
void voters_applied(struct replica *r);

/* serve.c, offer.c: S9, the leader's side */
void serve(struct replica *r, struct peer *peer, const struct msg_fetch *fetch);
void list_message(struct replica *r, struct peer *peer, const struct message *m);
void serve_end(struct replica *r, uint32_t node);
void serve_expire(struct replica *r);	       /* members that ask no more */
void serve_drop(struct replica *r);	       /* all of them */
uint64_t serve_floor(const struct replica *r); /* lowest index that is served; UINT64_MAX: none */
/* A reference to a state that brings a member with that committed index on; NULL: not now. */
struct frozen *offer_choose(struct replica *r, uint64_t committed);
struct frozen *offer_find(struct replica *r, uint64_t index); /* a reference, or NULL */
bool offer_is_due(struct replica *r, const struct frozen *frozen, uint64_t offset);
void offers_expire(struct replica *r); /* what nobody uses */

/* snapshot.c: S9, the member's side */
void snapshot_message(struct replica *r, struct peer *peer, const struct message *m);
void inquiry_message(struct replica *r, struct peer *peer, const struct message *m);
void snapshot_installed(struct replica *r);
void staging_drop(struct replica *r);
void listing_drop(struct replica *r);

/* timer.c: L4 */
void timer_sign(struct replica *r); /* of progress: counts anew */
void timer_arm(struct replica *r);
void on_tick(struct replica *r, const struct event *event);

/* seen.c: S11 */
struct measure measure_own(const struct replica *r);
void seen_raise(struct replica *r, const struct uuid *incarnation, const struct measure *measure);
const struct measure *seen_of(const struct replica *r, const struct uuid *incarnation);
bool seen_check(struct replica *r, struct peer *peer, const struct msg_state *m);
void gone_message(struct replica *r, struct peer *peer, const struct message *m);

/* found.c: founding, joining, S12 */
void on_found(struct replica *r, const struct event *event);
void on_join(struct replica *r, const struct event *event);
void on_force(struct replica *r, const struct event *event);
