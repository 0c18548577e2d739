/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replicas say to each other. All messages are multicast; those with `to` concern that node alone. Pure.
 *
 * Encoding, little-endian: u8 version (1), u8 type, 16 bytes cluster id, 16 bytes fork id, sender {u32 node, 16
 * bytes incarnation, u64 start}, then the fields of the type in the order below. Lists carry a u16 count, bytes a
 * u32 size. What decodes encodes to the same bytes. */
#pragma once

#include "cluster/core/log.h"

#define MESSAGE_ENTRIES_MAX 256
#define MESSAGE_BYTES_MAX   (8u * 1024 * 1024) /* entries of one APPEND, payload of one PROPOSE */
#define MESSAGE_SEEN_MAX    64

enum message_type {
	MSG_STATE = 1,
	MSG_CLAIM,
	MSG_PROMISE,
	MSG_REFUSE,
	MSG_APPEND,
	MSG_ACK,
	MSG_ALIVE,
	MSG_PROPOSE,
	MSG_FETCH,
	MSG_SNAPSHOT,
	MSG_GONE,
	MSG_INQUIRY,
	MSG_LIST,
	MSG_COUNT,
};

/* How far an incarnation certainly got on its disk. No part ever decreases: start number and promise by
 * themselves, the accepted (epoch, index) as a pair. The plain position of a log would not do: within one promise it may go from
 * (3, 5) to (2, 2), when a leader of epoch 4 replaces what epoch 3 left behind, in several messages. */
struct measure {
	uint64_t start;
	uint64_t promised;
	struct position accepted; /* verified against the leader of that epoch up to that index */
};

struct seen {
	struct uuid incarnation;
	struct measure measure;
};

/* STATE: where its sender stands. */
struct msg_state {
	uint64_t view, round;
	uint64_t promised;	   /* queued to the disk writer counts */
	struct measure measure;	   /* on disk */
	struct position position;  /* of the log, queued counts */
	struct position committed; /* known to be; with the running hash there */
	uint8_t committed_hash[SHA256_SIZE];
	uint64_t
		committed_epoch; /* by which that is known: no leader of a lower one counts any more */
	uint64_t leads;		 /* epoch; 0: does not lead */
	uint32_t level;		 /* that the program supports */
	struct seen seen[MESSAGE_SEEN_MAX];
	size_t seen_count;
};

struct msg_claim {
	uint64_t epoch;
	struct position position;
};

struct msg_promise {
	uint64_t epoch;
	struct claimant to;
	struct position position; /* that was claimed with */
};

/* REFUSE: what was said in `epoch` is refused, because of a promise, or because of a higher position. */
struct msg_refuse {
	uint32_t to;
	uint64_t epoch, promised;
	struct claimant promised_to;
	struct position position;
};

/* APPEND: entries behind `previous`. Up to `committed` they are committed. `last` is the leader's last index. */
struct msg_append {
	uint32_t to; /* 0: all; else the answer to that node's FETCH */
	uint64_t epoch;
	struct position previous;
	uint8_t previous_hash[SHA256_SIZE];
	uint64_t committed, last;
	struct message_entry {
		const void *data; /* borrowed */
		size_t size;
	} entries[MESSAGE_ENTRIES_MAX];
	size_t entry_count;
};

struct msg_ack {
	uint64_t epoch, index;
};

struct msg_alive {
	uint64_t epoch;
};

struct msg_propose {
	uint64_t epoch; /* of the leader that is addressed */
	uint8_t kind;	/* enum request_kind */
	struct uuid id;
	uint64_t first, when;
	char origin[64];
	char who[STORE_WHO_MAX];
	const void *payload; /* borrowed */
	size_t payload_size;
};

/* FETCH: send me what is behind my position, or behind what is committed here, or a snapshot. */
struct msg_fetch {
	uint32_t to;
	uint64_t epoch;
	struct position position;
	uint8_t position_hash[SHA256_SIZE];
	struct position committed;
	uint8_t committed_hash[SHA256_SIZE];
	uint32_t
		values; /* that are here and could be listed; 0: none, or the whole state is wanted */
	uint64_t
		list; /* that a snapshot under way answers, or, if there is none, that was made; 0: none */
	uint64_t snapshot; /* index of the one under way; 0: none */
	uint64_t offset;   /* bytes of it that are here */
};

/* SNAPSHOT: a chunk of the state at one position (state.h), or of what differs from a list (difference.h). A chunk of
 * the whole may be taken by whoever it continues. */
struct msg_snapshot {
	uint32_t to;
	uint64_t epoch;
	struct position at;
	uint8_t hash[SHA256_SIZE];   /* running hash there */
	uint8_t digest[SHA256_SIZE]; /* of the state that comes out */
	uint64_t list;		     /* that it answers; 0: it is the whole */
	uint64_t total, offset;
	const void *data; /* borrowed */
	size_t size;
};

/* INQUIRY: tell me what you have. */
struct msg_inquiry {
	uint32_t to;
	uint64_t epoch;
	uint64_t list;	 /* that has begun to come; 0: none */
	uint64_t offset; /* bytes of it that are here */
};

/* LIST: a chunk of what its sender has (difference.h). The id is made of all bytes of the list, and never 0. */
struct msg_list {
	uint32_t to;
	uint64_t epoch;
	uint64_t list;
	uint64_t total, offset;
	const void *data; /* borrowed */
	size_t size;
};

/* GONE: your STATE is below what I have seen of your incarnation. */
struct msg_gone {
	uint32_t to;
	struct seen seen;
};

struct message {
	enum message_type type;
	struct uuid cluster, fork;
	struct claimant from;
	union {
		struct msg_state state;
		struct msg_claim claim;
		struct msg_promise promise;
		struct msg_refuse refuse;
		struct msg_append append;
		struct msg_ack ack;
		struct msg_alive alive;
		struct msg_propose propose;
		struct msg_fetch fetch;
		struct msg_snapshot snapshot;
		struct msg_gone gone;
		struct msg_inquiry inquiry;
		struct msg_list list;
	};
};

const char *message_name(enum message_type type);
void message_encode(const struct message *m, struct buf *out);
/* Byte strings borrow from data. ERR_CORRUPT otherwise; ret is undefined then. */
int message_decode(const void *data, size_t size, struct message *ret, struct err *err);
