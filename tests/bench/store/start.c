/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start of a node alone on a filled database, and the memory that it takes. */
#include <malloc.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "cluster/store.h"
#include "tests/bench/store/bench.h"
#include "tests/bench/store/probe.h"

#define PUTS_MAX  250 /* of one transaction */
#define WAITS_MAX 256
#define TURNOVER  2500 /* writes after which the log in memory is what it always is */

static struct store *must_open(const char *folder)
{
	struct store_options options = {.directory = folder, .node = "n1", .run = folder};
	struct store *store;
	struct err err = ERR_INIT;

	if (store_open(&options, &store, &err) < 0)
		bench_die("%s", err.message);
	return store;
}

/* ---- filling ---- */

struct filling {
	struct store *store;
	unsigned waiting;
};

static void answered(const struct store_result *result, void *ctx)
{
	struct filling *f = ctx;

	if (result->outcome != STORE_DONE)
		bench_die("fill: %s", result->err.message);
	f->waiting--;
}

static void wait_until(struct filling *f, unsigned waiting)
{
	while (f->waiting > waiting) {
		struct pollfd p = {.fd = store_fd(f->store), .events = POLLIN};

		poll(&p, 1, 1000);
		store_dispatch(f->store);
	}
}

/* Values first … first + count - 1. */
static void put(struct filling *f, unsigned first, unsigned count)
{
	char paths[PUTS_MAX][64], value[BENCH_VALUE_SIZE];
	struct store_op ops[PUTS_MAX];
	struct store_txn txn = {.who = "root@pam", .ops = ops, .op_count = count};
	struct err err = ERR_INIT;

	random_bytes(value, sizeof(value));
	for (unsigned i = 0; i < count; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/nodes/n1/qemu/%u.conf", 100 + first + i);
		ops[i] = (struct store_op){
			.kind = STORE_PUT, .path = paths[i], .value = value, .size = sizeof(value)};
	}
	if (store_submit(f->store, &txn, answered, f, &err) < 0)
		bench_die("fill: %s", err.message);
	f->waiting++;
	wait_until(f, WAITS_MAX);
}

/* Straight into the table: rows that 1 … last have left behind, spread over the paths. */
static void add_history(const char *folder, unsigned rows, unsigned values)
{
	autofree char *path = xasprintf("%s/lodge.db", folder);
	autofree char *text = xasprintf(
		"PRAGMA cache_size=-200000; BEGIN; DELETE FROM history;"
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %u)"
		" INSERT INTO history SELECT 1 + i / (1 + %u / %u), '/nodes/n1/qemu/' ||"
		" (100 + (i * 7919) %% %u) || '.conf', 1700000000000000 + i, 'root@pam', i / 100,"
		" zeroblob(100) FROM n;"
		"UPDATE meta SET value = 100 * %u WHERE key = 'history_bytes'; COMMIT",
		rows, rows, values, values, rows);
	char *why = NULL;
	sqlite3 *sql;

	if (sqlite3_open(path, &sql) != SQLITE_OK ||
	    sqlite3_exec(sql, text, NULL, NULL, &why) != SQLITE_OK)
		bench_die("fill the history: %s", why ? why : sqlite3_errmsg(sql));
	sqlite3_close(sql);
}

void bench_fill(const char *folder, unsigned values, bool one_by_one, unsigned history_rows)
{
	struct filling f = {.store = must_open(folder)};
	unsigned step = one_by_one ? 1 : PUTS_MAX;

	for (unsigned i = 0; i < values; i += step)
		put(&f, i, values - i < step ? values - i : step);
	for (unsigned i = 0; i < TURNOVER && values > 0; i++)
		put(&f, 0, 1);
	wait_until(&f, 0);
	store_close(f.store);
	if (history_rows > 0)
		add_history(folder, history_rows, values);
}

/* ---- starting ---- */

/* KiB that belong to this process alone or in part. */
static double memory(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	double kib, sum = 0;

	malloc_trim(0);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %lf", &kib) == 1 || sscanf(line, "SwapPss: %lf", &kib) == 1)
			sum += kib;
	if (f)
		fclose(f);
	return sum;
}

/* What is settled after the start is part of what it costs. */
static void let_it_settle(struct store *store)
{
	struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

	while (poll(&p, 1, 200) > 0)
		store_dispatch(store);
}

void bench_start(const char *folder)
{
	double before = memory();
	usec_t began = clock_monotonic(), cpu = probe_thread_cpu();
	struct store *store = must_open(folder);

	bench_say("open", (double)(clock_monotonic() - began) / USEC_PER_MSEC);
	bench_say("cpu", (double)(probe_thread_cpu() - cpu) / USEC_PER_MSEC);
	bench_say("load", (double)probe_sum(PROBE_LOAD).took / USEC_PER_MSEC);
	bench_say("sync", (double)probe_sum(PROBE_SYNC).took / USEC_PER_MSEC);
	bench_say("syncs", (double)probe_sum(PROBE_SYNC).calls);
	let_it_settle(store);
	bench_say("memory", memory() - before);
	store_close(store);
}
