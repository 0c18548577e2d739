/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of bench_store: each measures one thing and prints "name value" lines, which figure_store.py reads. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/clock.h"

#define BENCH_VALUE_SIZE 200
#define BENCH_PATHS	 1000

void bench_die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void bench_say(const char *name, double value);
/* An empty folder below the one that was named. */
char *bench_folder(const char *below, const char *name);

/* Latencies in microseconds. */
struct times {
	unsigned *items;
	size_t count, capacity;
};
void times_add(struct times *times, usec_t took);
void times_merge(struct times *times, const struct times *other);
/* p50 and p99 in milliseconds; sorts them */
void times_say(struct times *times);
void times_fini(struct times *times);

/* load.c: a store of `nodes` nodes under `writers` writers, each of which submits its next change when the last one was
 * answered. Changes a second, latencies, and where the time went. */
void bench_load(const char *folder, unsigned nodes, unsigned writers, unsigned seconds);

/* bare.c: the same values into one log table on each of `files` files in as many threads, as many values a transaction as
 * there are writers: what SQLite and the disk allow, with nothing above them. */
void bench_bare(const char *folder, unsigned files, unsigned writers, unsigned seconds);
/* 4 kB behind each other, each with its fdatasync. */
void bench_sync(const char *folder, unsigned seconds);

/* start.c */
/* A store of a node alone: that many values, written in as few transactions or one by one, then one value some thousand
 * times, so that the log is as long as it gets. No value: an empty store. */
void bench_fill(const char *folder, unsigned values, bool one_by_one, unsigned history_rows);
void bench_start(const char *folder); /* time until it can be written, and memory */
