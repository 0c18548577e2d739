/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a whole database, that nobody uses: what it holds, and what is wrong with it. Blocking, for admins. */
#pragma once

#include "cluster/db/db.h"

#define DB_PROBLEMS_MAX 100

/* An entry that was cut off the log. */
struct db_orphan {
	struct position at;
	usec_t cut, when; /* wall clock; of this node, of its origin */
	const char *kind;
	char who[STORE_WHO_MAX];
	struct buf paths; /* that it would have changed, separated by spaces */
};

struct db_counts {
	uint64_t values, value_bytes, batches, log_bytes, requests;
	uint64_t history, history_bytes, orphans, orphan_bytes, pages, page_size;
};

struct db_report {
	bool has_facts; /* meta and the positions could be read */
	struct replica_meta meta;
	char machine[64];
	struct position base, settled, last;
	struct voters voters; /* newest in the log */
	struct db_counts counts;
	struct db_orphan *orphans; /* owned; oldest first */
	size_t orphan_count;
	char *problems[DB_PROBLEMS_MAX]; /* owned */
	size_t problem_count;		 /* found; of which those are the first */
};

/* Every page, row, entry and hash; values are made anew from the log as after a crash. Looks on after a problem. */
void db_check(struct db *db, struct db_report *ret);
void db_report_fini(struct db_report *report);
/* What was loaded with its state, and what is in the log behind it applied to it. */
int db_replay(struct replica_disk *disk, struct err *err);
