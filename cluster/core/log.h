/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log in memory: a run of entries behind a base position. What it holds is what was handed to the disk
 * writer, synced or not. Entries are immutable and counted, so that effects and disks share them. Pure. */
#pragma once

#include "cluster/core/entry.h"
#include "cluster/core/voters.h"

struct log_entry {
	unsigned refs;
	struct position at, previous;
	enum entry_kind kind;
	uint8_t hash[SHA256_SIZE];
	uint64_t
		voters_index; /* of the newest VOTERS or FORK entry up to here; 0: below the base */
	size_t size;
	char data[]; /* encoded */
};

struct log_entry *log_entry_new(const struct entry *entry, const void *data, size_t size);
struct log_entry *log_entry_ref(struct log_entry *e);
void log_entry_unref(struct log_entry *e); /* NULL is fine */
/* The decoded form; borrows from e. Was checked when it came in. */
struct entry log_entry_decode(const struct log_entry *e);

struct log {
	struct position base; /* of the entry before the first one that is held */
	uint8_t base_hash[SHA256_SIZE];
	struct log_entry **items;
	size_t count, capacity;
	size_t bytes;
};

void log_fini(struct log *log);
struct position log_last(const struct log *log);
const uint8_t *log_last_hash(const struct log *log);
struct log_entry *log_at(const struct log *log, uint64_t index); /* NULL: not held */
/* The running hash at this very position (the base included), or NULL if the log does not hold it. */
const uint8_t *log_hash_of(const struct log *log, struct position at);
uint64_t log_voters_index(const struct log *log, uint64_t index); /* see voters_index */
void log_append(struct log *log,
		struct log_entry *e);	      /* takes the reference; e follows the last one */
void log_cut(struct log *log, uint64_t from); /* drops entry `from` and what follows */
void log_trim(struct log *log,
	      uint64_t upto); /* drops entries up to `upto`, which becomes the base */
void log_reset(struct log *log, struct position base, const uint8_t hash[SHA256_SIZE]);
