/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_store: speed, start and memory of the store, without the rest of the agent.
 *
 *   bench_store load FOLDER NODES WRITERS SECONDS       bench_store fill FOLDER VALUES ONE-BY-ONE HISTORY
 *   bench_store bare FOLDER FILES WRITERS SECONDS       bench_store start FOLDER
 *   bench_store sync FOLDER SECONDS */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "tests/bench/store/bench.h"

void bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench_store: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void bench_say(const char *name, double value)
{
	printf("%s %g\n", name, value);
}

char *bench_folder(const char *below, const char *name)
{
	char *path = xasprintf("%s/%s", below, name);
	struct err err = ERR_INIT;

	if (dir_remove_tree(path, &err) < 0 || dir_make(path, 0700, &err) < 0)
		bench_die("%s", err.message);
	return path;
}

/* ---- latencies ---- */

void times_add(struct times *times, usec_t took)
{
	if (times->count == times->capacity) {
		times->capacity = times->capacity ? 2 * times->capacity : 4096;
		times->items = xrealloc(times->items, times->capacity, sizeof(times->items[0]));
	}
	times->items[times->count++] = (unsigned)took;
}

void times_merge(struct times *times, const struct times *other)
{
	for (size_t i = 0; i < other->count; i++)
		times_add(times, other->items[i]);
}

static int compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

void times_say(struct times *times)
{
	if (times->count == 0)
		bench_die("nothing was done");
	qsort(times->items, times->count, sizeof(times->items[0]), compare);
	bench_say("p50", times->items[times->count / 2] / 1000.0);
	bench_say("p99", times->items[times->count * 99 / 100] / 1000.0);
}

void times_fini(struct times *times)
{
	free(times->items);
	*times = (struct times){0};
}

/* ---- what is asked for ---- */

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > 100000000)
		bench_die("'%s' is not a number", text);
	return (unsigned)n;
}

static void do_load(char **args)
{
	bench_load(args[0], number(args[1]), number(args[2]), number(args[3]));
}

static void do_bare(char **args)
{
	bench_bare(args[0], number(args[1]), number(args[2]), number(args[3]));
}

static void do_sync(char **args)
{
	bench_sync(args[0], number(args[1]));
}

static void do_fill(char **args)
{
	bench_fill(args[0], number(args[1]), number(args[2]) != 0, number(args[3]));
}

static void do_start(char **args)
{
	bench_start(args[0]);
}

static const struct mode {
	const char *name;
	int args;
	void (*run)(char **args);
} modes[] = {
	{"load", 4, do_load}, {"bare", 4, do_bare},   {"sync", 2, do_sync},
	{"fill", 4, do_fill}, {"start", 1, do_start},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(modes); i++) {
		if (strcmp(argv[1], modes[i].name) != 0 || argc - 2 != modes[i].args)
			continue;
		modes[i].run(argv + 2);
		return 0;
	}
	bench_die("load FOLDER NODES WRITERS SECONDS | bare FOLDER FILES WRITERS SECONDS | sync "
		  "FOLDER "
		  "SECONDS | fill FOLDER VALUES ONE-BY-ONE HISTORY | start FOLDER");
}
