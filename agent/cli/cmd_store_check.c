/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `lodge store check`: what is in a store, and what is wrong with it. */
#include "agent/cli/cmd_store.h"

#include <inttypes.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"

/* ---- for people ---- */

static void print_line(const char *title, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void print_line(const char *title, const char *fmt, ...)
{
	autobuf text = BUF_INIT, safe = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	cli_text_add(&safe, buf_str(&text));
	printf("%-12s %s\n", title, buf_str(&safe));
}

static void print_id(const char *title, const struct uuid *id)
{
	char text[33];

	store_id_text(id, text);
	print_line(title, "%s", text);
}

static void print_position(const char *title, struct position at)
{
	print_line(title, "epoch %" PRIu64 ", index %" PRIu64, at.epoch, at.index);
}

static void print_voters(const struct voters *voters)
{
	for (size_t i = 0; i < voters->count; i++) {
		char text[33];

		store_id_text(&voters->items[i].incarnation, text);
		print_line(i == 0 ? "voters" : "", "node %u, database %s", voters->items[i].node,
			   text);
	}
}

static void print_facts(const struct db_report *report)
{
	if (!report->has_facts)
		return;
	print_id("cluster", &report->meta.cluster);
	if (!uuid_is_zero(&report->meta.fork))
		print_id("fork", &report->meta.fork);
	print_id("database", &report->meta.incarnation);
	print_line("machine", "%s", report->machine[0] ? report->machine : "any");
	print_line("starts", "%" PRIu64, report->meta.start);
	print_line("promised", "epoch %" PRIu64, report->meta.promised);
	print_position("accepted", report->meta.accepted);
	print_position("log from", report->base);
	print_position("log to", report->last);
	print_position("applied", report->settled);
	print_voters(&report->voters);
}

static void print_counts(const struct db_counts *c)
{
	print_line("values", "%" PRIu64 ", %" PRIu64 " bytes", c->values, c->value_bytes);
	print_line("log", "%" PRIu64 " batches, %" PRIu64 " bytes", c->batches, c->log_bytes);
	print_line("history", "%" PRIu64 " changes, %" PRIu64 " bytes", c->history,
		   c->history_bytes);
	print_line("outcomes", "%" PRIu64, c->requests);
	print_line("orphans", "%" PRIu64 ", %" PRIu64 " bytes", c->orphans, c->orphan_bytes);
	print_line("file", "%" PRIu64 " bytes", c->pages * c->page_size);
}

static void add_time(struct buf *out, usec_t at)
{
	autojson *row = json_object_new_object();
	const struct cli_column column = {"", "at", CLI_TIME};

	json_object_object_add(row, "at", json_object_new_int64((int64_t)(at / USEC_PER_SEC)));
	cli_format(out, &column, row);
}

static void print_orphans(const struct db_report *report)
{
	for (size_t i = 0; i < report->orphan_count; i++) {
		struct db_orphan *o = &report->orphans[i];
		autobuf when = BUF_INIT;

		add_time(&when, o->when);
		print_line("orphan", "epoch %" PRIu64 ", index %" PRIu64 ", %s, %s, %s %s",
			   o->at.epoch, o->at.index, buf_str(&when), o->who[0] ? o->who : "-",
			   o->kind, buf_str(&o->paths));
	}
}

static void print_problems(const struct db_report *report)
{
	for (size_t i = 0; i < report->problem_count && i < DB_PROBLEMS_MAX; i++)
		print_line("WRONG", "%s", report->problems[i]);
}

/* ---- for programs ---- */

static void add_id(struct json *j, const char *key, const struct uuid *id)
{
	char text[33];

	store_id_text(id, text);
	json_kv_string(j, key, text);
}

static void add_position(struct json *j, const char *key, struct position at)
{
	json_key(j, key);
	json_object_begin(j);
	json_kv_uint(j, "epoch", at.epoch);
	json_kv_uint(j, "index", at.index);
	json_object_end(j);
}

static void add_voters(struct json *j, const struct voters *voters)
{
	json_key(j, "voters");
	json_array_begin(j);
	for (size_t i = 0; i < voters->count; i++) {
		json_object_begin(j);
		json_kv_uint(j, "node", voters->items[i].node);
		add_id(j, "incarnation", &voters->items[i].incarnation);
		json_object_end(j);
	}
	json_array_end(j);
}

static void add_facts(struct json *j, const struct db_report *report)
{
	if (!report->has_facts)
		return;
	add_id(j, "cluster", &report->meta.cluster);
	add_id(j, "fork", &report->meta.fork);
	add_id(j, "incarnation", &report->meta.incarnation);
	json_kv_string(j, "machine", report->machine);
	json_kv_uint(j, "start", report->meta.start);
	json_kv_uint(j, "promised", report->meta.promised);
	add_position(j, "accepted", report->meta.accepted);
	add_position(j, "base", report->base);
	add_position(j, "last", report->last);
	add_position(j, "applied", report->settled);
	add_voters(j, &report->voters);
}

static void add_counts(struct json *j, const struct db_counts *c)
{
	json_kv_uint(j, "values", c->values);
	json_kv_uint(j, "value-bytes", c->value_bytes);
	json_kv_uint(j, "batches", c->batches);
	json_kv_uint(j, "log-bytes", c->log_bytes);
	json_kv_uint(j, "history", c->history);
	json_kv_uint(j, "history-bytes", c->history_bytes);
	json_kv_uint(j, "outcomes", c->requests);
	json_kv_uint(j, "orphan-bytes", c->orphan_bytes);
	json_kv_uint(j, "size", c->pages * c->page_size);
}

static void add_orphans(struct json *j, const struct db_report *report)
{
	json_key(j, "orphans");
	json_array_begin(j);
	for (size_t i = 0; i < report->orphan_count; i++) {
		struct db_orphan *o = &report->orphans[i];

		json_object_begin(j);
		json_kv_uint(j, "epoch", o->at.epoch);
		json_kv_uint(j, "index", o->at.index);
		json_kv_uint(j, "when", o->when / USEC_PER_SEC);
		json_kv_uint(j, "cut", o->cut / USEC_PER_SEC);
		json_kv_string(j, "who", o->who);
		json_kv_string(j, "kind", o->kind);
		json_kv_string(j, "paths", buf_str(&o->paths));
		json_object_end(j);
	}
	json_array_end(j);
}

static void print_json(const struct db_report *report)
{
	autobuf text = BUF_INIT;
	struct json j;

	json_init(&j, &text);
	json_object_begin(&j);
	add_facts(&j, report);
	add_counts(&j, &report->counts);
	add_orphans(&j, report);
	json_key(&j, "problems");
	json_array_begin(&j);
	for (size_t i = 0; i < report->problem_count && i < DB_PROBLEMS_MAX; i++)
		json_string(&j, report->problems[i]);
	json_array_end(&j);
	json_object_end(&j);
	printf("%s\n", buf_str(&text));
}

static void print(const struct db_report *report)
{
	print_facts(report);
	print_counts(&report->counts);
	print_orphans(report);
	print_problems(report);
}

int store_check(struct cli *cli, struct err *err)
{
	autofree char *folder = NULL;
	struct db_report report;
	struct db *db;
	int r = store_folder(cli, (const char *const[]){NULL}, &folder, err);

	if (r < 0 || (r = store_look(folder, &db, err)) < 0)
		return r;
	db_check(db, &report);
	db_close(db);
	if (cli->wants_json)
		print_json(&report);
	else
		print(&report);
	if (report.problem_count > 0)
		r = err_set(err, ERR_CORRUPT, "the store in %s is damaged: %zu problem%s", folder,
			    report.problem_count, report.problem_count == 1 ? "" : "s");
	db_report_fini(&report);
	return r;
}
