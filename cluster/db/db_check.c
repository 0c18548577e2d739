/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The look at a whole database. A damaged one is read as far as it goes. */
#include "cluster/db/db_check.h"

#include <inttypes.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "cluster/core/txn.h"
#include "cluster/db/db_internal.h"

static void problem(struct db_report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void problem(struct db_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (report->problem_count++ < DB_PROBLEMS_MAX)
		report->problems[report->problem_count - 1] = xvasprintf(fmt, ap);
	va_end(ap);
}

typedef void (*look_fn)(sqlite3_stmt *s, struct db_report *report);

static void each_row(struct db *db, struct db_report *report, const char *what, const char *sql,
		     look_fn look)
{
	sqlite3_stmt *s = NULL;
	int r = sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL);

	if (r == SQLITE_OK)
		while ((r = sqlite3_step(s)) == SQLITE_ROW)
			look(s, report);
	if (r != SQLITE_DONE)
		problem(report, "%s: %s", what, sqlite3_errmsg(db->sql));
	sqlite3_finalize(s);
}

/* ---- SQLite's own ---- */

static void look_integrity(sqlite3_stmt *s, struct db_report *report)
{
	const char *text = (const char *)sqlite3_column_text(s, 0);

	if (!str_eq(text, "ok"))
		problem(report, "the file: %s", text ? text : "?");
}

/* ---- sizes ---- */

static const struct {
	const char *sql;
	size_t at;
} counts[] = {
	{"SELECT count(*) FROM kv", offsetof(struct db_counts, values)},
	{"SELECT sum(length(value)) FROM kv", offsetof(struct db_counts, value_bytes)},
	{"SELECT count(*) FROM log", offsetof(struct db_counts, batches)},
	{"SELECT sum(length(data)) FROM log", offsetof(struct db_counts, log_bytes)},
	{"SELECT count(*) FROM requests", offsetof(struct db_counts, requests)},
	{"SELECT count(*) FROM history", offsetof(struct db_counts, history)},
	{"SELECT sum(length(old)) FROM history", offsetof(struct db_counts, history_bytes)},
	{"SELECT count(*) FROM orphans", offsetof(struct db_counts, orphans)},
	{"SELECT sum(length(data)) FROM orphans", offsetof(struct db_counts, orphan_bytes)},
	{"PRAGMA page_count", offsetof(struct db_counts, pages)},
	{"PRAGMA page_size", offsetof(struct db_counts, page_size)},
};

static void count_all(struct db *db, struct db_report *report)
{
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct err err = ERR_INIT;
		int64_t n = 0;

		if (db_read_int(db, counts[i].sql, &n, &err) < 0)
			problem(report, "%s", err.message);
		*(uint64_t *)((char *)&report->counts + counts[i].at) = (uint64_t)n;
	}
	if ((uint64_t)db->history_bytes != report->counts.history_bytes)
		problem(report,
			"history: it holds %" PRIu64 " bytes of old values, and says %" PRId64,
			report->counts.history_bytes, db->history_bytes);
}

/* ---- history and orphans: nothing that a replica loads ---- */

static void look_history(sqlite3_stmt *s, struct db_report *report)
{
	const char *path = (const char *)sqlite3_column_text(s, 1);

	if (!path || !store_path_is_valid(path) || sqlite3_column_int64(s, 0) <= 0 ||
	    sqlite3_column_int64(s, 2) > (int64_t)STORE_VALUE_MAX)
		problem(report, "history: an impossible change at index %" PRId64,
			(int64_t)sqlite3_column_int64(s, 0));
}

static const char *const kind_names[] = {
	[ENTRY_TXN] = "transaction", [ENTRY_BARRIER] = "barrier", [ENTRY_VOTERS] = "voters",
	[ENTRY_LEVEL] = "level",     [ENTRY_FORK] = "fork",
};

static void add_paths(const struct entry *e, struct buf *ret)
{
	struct txn txn;

	if (e->kind != ENTRY_TXN || txn_decode(e->payload, e->payload_size, &txn, NULL) < 0)
		return;
	for (size_t i = 0; i < txn.op_count; i++) {
		buf_addf(ret, "%s%s", ret->size ? " " : "", txn.ops[i].path);
		if (txn.ops[i].to)
			buf_addf(ret, " %s", txn.ops[i].to);
	}
	txn_fini(&txn);
}

static void look_orphan(sqlite3_stmt *s, struct db_report *report)
{
	struct db_orphan orphan = {.cut = (usec_t)sqlite3_column_int64(s, 0)};
	struct err err = ERR_INIT;
	struct entry e;

	if (entry_decode(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), &e, &err) <
	    0) {
		problem(report, "an orphan: %s", err.message);
		return;
	}
	orphan.at = e.at;
	orphan.when = e.when;
	orphan.kind = kind_names[e.kind];
	str_copy(orphan.who, sizeof(orphan.who), e.who);
	add_paths(&e, &orphan.paths);
	report->orphans =
		xrealloc(report->orphans, report->orphan_count + 1, sizeof(report->orphans[0]));
	report->orphans[report->orphan_count++] = orphan;
}

/* ---- what a replica starts with ---- */

int db_replay(struct replica_disk *disk, struct err *err)
{
	struct state_result result;
	int r = 0;

	if (!disk->state)
		disk->state = state_new(KV_REQUESTS_KEPT);
	for (size_t i = 0; r == 0 && i < disk->entry_count; i++)
		if (disk->entries[i]->at.index > disk->state->at.index)
			r = state_apply(disk->state, disk->entries[i], REPLICA_LEVEL, NULL, NULL,
					&result, err);
	return r;
}

static void load(struct db *db, struct db_report *report)
{
	struct err err = ERR_INIT;
	struct replica_disk disk;

	if (db_load(db, true, &disk, &err) < 0) {
		problem(report, "%s", err.message);
		return;
	}
	report->has_facts = true;
	report->meta = disk.meta;
	report->base = disk.base;
	report->settled = disk.state ? disk.state->at : (struct position){0};
	report->last = disk.entry_count ? disk.entries[disk.entry_count - 1]->at : disk.base;
	if (db_replay(&disk, &err) < 0)
		problem(report, "%s", err.message);
	report->voters = disk.state->voters;
	db_disk_fini(&disk);
}

static void read_machine(struct db *db, struct db_report *report)
{
	autobuf machine = BUF_INIT;
	struct err err = ERR_INIT;

	if (db_meta_get(db, META_MACHINE, &machine, &err) < 0)
		problem(report, "%s", err.message);
	else
		str_copy(report->machine, sizeof(report->machine), buf_str(&machine));
}

void db_check(struct db *db, struct db_report *ret)
{
	*ret = (struct db_report){0};
	each_row(db, ret, "the file", "PRAGMA integrity_check(100)", look_integrity);
	count_all(db, ret);
	load(db, ret);
	read_machine(db, ret);
	each_row(db, ret, "history", "SELECT idx, path, ifnull(length(old), 0) FROM history",
		 look_history);
	each_row(db, ret, "orphans", "SELECT at, data FROM orphans ORDER BY number", look_orphan);
}

void db_report_fini(struct db_report *report)
{
	for (size_t i = 0; i < report->orphan_count; i++)
		buf_fini(&report->orphans[i].paths);
	free(report->orphans);
	for (size_t i = 0; i < report->problem_count && i < DB_PROBLEMS_MAX; i++)
		free(report->problems[i]);
	*report = (struct db_report){0};
}
