/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_store: schedules, mutants, replay. Prints TAP. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/sim.h"

#ifdef LODGE_MUTANTS
static const struct {
	const char *name, *text;
	enum invariant invariant;
} mutants[] = {
#define X(name, text, invariant, test) {#name, text, INV_##invariant},
	{"", "", INV_NONE}, MUTANTS(X)
#undef X
};

static enum invariant run(struct schedule *s, int mutant, char what[400])
{
	return world_run(s, mutant, false, NULL, what, 400);
}

static bool run_mutant(int mutant, uint64_t from, uint64_t count, int number)
{
	const char *by = invariant_name(mutants[mutant].invariant);
	unsigned others[INV_COUNT] = {0};
	char what[400];

	for (uint64_t seed = from; seed < from + count; seed++) {
		struct schedule s;
		enum invariant broken;

		schedule_make(&s, seed);
		broken = run(&s, mutant, what);
		others[broken]++;
		if (broken != mutants[mutant].invariant)
			continue;
		schedule_make(&s, seed); /* the unbroken core passes the same seed */
		broken = run(&s, 0, what);
		printf("%sok %d - %s: caught after %llu schedules by %s\n", broken ? "not " : "",
		       number, mutants[mutant].name, (unsigned long long)(seed - from + 1), by);
		fflush(stdout);
		return !broken;
	}
	printf("not ok %d - %s: not caught by %s in %llu schedules (%s)", number,
	       mutants[mutant].name, by, (unsigned long long)count, mutants[mutant].text);
	for (int i = 1; i < INV_COUNT; i++)
		if (others[i])
			printf(" %s %u", invariant_name((enum invariant)i), others[i]);
	printf("\n");
	fflush(stdout);
	return false;
}

static int run_mutants(const char *only, uint64_t from, uint64_t count)
{
	bool ok = true;
	int number = 0;

	for (int i = 1; i < (int)ARRAY_SIZE(mutants); i++)
		if (!only || strcmp(only, mutants[i].name) == 0)
			ok = run_mutant(i, from, count, ++number) && ok;
	printf("1..%d\n", number);
	return !ok;
}

/* NUMBER NAME TEST: the scripted schedule that must catch it */
static int list_scripted(void)
{
#define X(name, text, invariant, test) printf("%d %s %s\n", MUTANT_##name, #name, #test);
	MUTANTS(X)
#undef X
#define X(name, text, test) printf("%d %s %s\n", MUTANT_##name, #name, #test);
	MUTANTS_SCRIPTED(X)
#undef X
	return 0;
}

static int mutant_of(const char *name)
{
	for (int i = 1; i < (int)ARRAY_SIZE(mutants); i++)
		if (strcmp(name, mutants[i].name) == 0)
			return i;
	fprintf(stderr, "no mutant %s\n", name);
	exit(2);
}
#else
static int run_mutants(const char *only, uint64_t from, uint64_t count)
{
	(void)only;
	(void)from;
	(void)count;
	fprintf(stderr, "this build holds no mutants\n");
	return 2;
}

static int list_scripted(void)
{
	return run_mutants(NULL, 0, 0);
}

static int mutant_of(const char *name)
{
	(void)name;
	return run_mutants(NULL, 0, 0);
}
#endif

int main(int argc, char **argv)
{
	static const struct option options[] = {{"schedules", required_argument, NULL, 'n'},
						{"seed", required_argument, NULL, 's'},
						{"replay", required_argument, NULL, 'r'},
						{"mutants", no_argument, NULL, 'm'},
						{"mutant", required_argument, NULL, 'M'},
						{"minimise", no_argument, NULL, 'x'},
						{"scripted", no_argument, NULL, 'S'},
						{"jobs", required_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	uint64_t count = 1000, seed = 1, replayed = 0, jobs = 1;
	bool is_mutants = false, is_replay = false, is_minimised = false;
	const char *mutant = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			count = strtoull(optarg, NULL, 10);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			replayed = strtoull(optarg, NULL, 10), is_replay = true;
		else if (c == 'm')
			is_mutants = true;
		else if (c == 'M')
			mutant = optarg;
		else if (c == 'x')
			is_minimised = true;
		else if (c == 'j')
			jobs = strtoull(optarg, NULL, 10);
		else if (c == 'S')
			return list_scripted();
		else
			return 2;
	}
	if (is_replay)
		return replay(replayed, mutant ? mutant_of(mutant) : 0, is_minimised);
	if (is_mutants || mutant)
		return run_mutants(mutant, seed, count);
	return batch_run(seed, count, (unsigned)jobs);
}
