/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_store: schedules, mutants, replay. Prints TAP. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/sim/sim.h"

#define BLOCK 500

static struct coverage coverage;

static enum invariant run(struct schedule *s, int mutant, bool is_verbose, char what[400])
{
	return world_run(s, mutant, is_verbose, mutant || is_verbose ? NULL : &coverage, what, 400);
}

/* Leaves out every fault that is not needed to break the same invariant. */
static void minimise(struct schedule *s, int mutant, enum invariant broken)
{
	char what[400];
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < s->fault_count; i++) {
			if (s->faults[i].is_off)
				continue;
			s->faults[i].is_off = true;
			if (run(s, mutant, false, what) == broken)
				again = true;
			else
				s->faults[i].is_off = false;
		}
		while (s->writes > 0) {
			s->writes--;
			if (run(s, mutant, false, what) != broken) {
				s->writes++;
				break;
			}
		}
	}
}

static void print_schedule(const struct schedule *s)
{
	printf("# seed %llu: %u voters, %u learners, %s transport, %u writes\n",
	       (unsigned long long)s->seed, s->voters, s->learners,
	       s->transport == TRANSPORT_FAITHFUL ? "faithful" : "adversarial", s->writes);
	for (size_t i = 0; i < s->fault_count; i++)
		if (!s->faults[i].is_off)
			printf("#   %8.3f s: %s (%zu)\n", (double)s->faults[i].at / 1e6,
			       fault_name(s->faults[i].kind), i);
}

static int replay(uint64_t seed, int mutant, bool is_minimised)
{
	struct schedule s;
	enum invariant broken;
	char what[400];

	schedule_make(&s, seed);
	if (is_minimised && (broken = run(&s, mutant, false, what)))
		minimise(&s, mutant, broken);
	print_schedule(&s);
	broken = run(&s, mutant, true, what);
	printf("1..1\n%sok 1 - seed %llu%s%s %s\n", broken ? "not " : "", (unsigned long long)seed,
	       broken ? " breaks " : "", broken ? invariant_name(broken) : "", what);
	return broken != 0;
}

static void print_coverage(void)
{
	static const enum replica_role roles[] = {ROLE_OPENING,	  ROLE_WAITING,	 ROLE_SEEKING,
						  ROLE_FOLLOWING, ROLE_CLAIMING, ROLE_LEADING};

	printf("# %llu schedules, %llu steps, %llu commits, %llu leaders, %llu cuts; done "
	       "%llu, refused %llu, unknown %llu, not sent %llu\n",
	       (unsigned long long)coverage.schedules, (unsigned long long)coverage.steps,
	       (unsigned long long)coverage.commits, (unsigned long long)coverage.leaders,
	       (unsigned long long)coverage.cuts, (unsigned long long)coverage.outcomes[1],
	       (unsigned long long)coverage.outcomes[2], (unsigned long long)coverage.outcomes[3],
	       (unsigned long long)coverage.outcomes[4]);
	printf("# caught up by state: %llu whole, %llu differences, %llu fallbacks; %llu false "
	       "lists\n",
	       (unsigned long long)coverage.caught_up.whole,
	       (unsigned long long)coverage.caught_up.differences,
	       (unsigned long long)coverage.caught_up.fallbacks,
	       (unsigned long long)coverage.false_lists);
	if (!coverage.caught_up.whole || !coverage.caught_up.differences ||
	    !coverage.caught_up.fallbacks)
		printf("# finding: a way of catching up was never gone\n");
	printf("# %-9s", "");
	for (size_t k = 0; k < ARRAY_SIZE(roles); k++)
		printf(" %10s", replica_role_name(roles[k]));
	printf("\n");
	for (int m = 1; m < MSG_COUNT; m++) {
		printf("# %-9s", message_name((enum message_type)m));
		for (size_t k = 0; k < ARRAY_SIZE(roles); k++)
			printf(" %10llu", (unsigned long long)coverage.cells[m][roles[k]]);
		printf("\n");
	}
	for (int m = 1; m < MSG_COUNT; m++)
		for (size_t k = 0; k < ARRAY_SIZE(roles); k++)
			if (coverage.cells[m][roles[k]] == 0)
				printf("# finding: %s never reached a replica that is %s\n",
				       message_name((enum message_type)m),
				       replica_role_name(roles[k]));
}

static int run_all(uint64_t from, uint64_t count)
{
	uint64_t blocks = (count + BLOCK - 1) / BLOCK, bad = 0;

	printf("1..%llu\n", (unsigned long long)blocks);
	for (uint64_t b = 0; b < blocks; b++) {
		uint64_t first = from + b * BLOCK,
			 n = count - b * BLOCK < BLOCK ? count - b * BLOCK : BLOCK;
		bool ok = true;

		for (uint64_t seed = first; seed < first + n; seed++) {
			struct schedule s;
			char what[400];

			schedule_make(&s, seed);
			if (!run(&s, 0, false, what))
				continue;
			bad++;
			if (ok)
				printf("not ok %llu - seeds %llu to %llu\n",
				       (unsigned long long)b + 1, (unsigned long long)first,
				       (unsigned long long)(first + n - 1));
			ok = false;
			printf("# seed %llu breaks %s\n", (unsigned long long)seed, what);
			fflush(stdout);
			if (bad == 1)
				replay(seed, 0, true);
			if (bad >= 20)
				return 1;
		}
		if (ok)
			printf("ok %llu - seeds %llu to %llu\n", (unsigned long long)b + 1,
			       (unsigned long long)first, (unsigned long long)(first + n - 1));
		fflush(stdout);
	}
	print_coverage();
	return bad != 0;
}

#ifdef LODGE_MUTANTS
static const struct {
	const char *name, *text;
	enum invariant invariant;
} mutants[] = {
#define X(name, text, invariant) {#name, text, INV_##invariant},
	{"", "", INV_NONE}, MUTANTS(X)
#undef X
};

static bool run_mutant(int mutant, uint64_t from, uint64_t count, int number)
{
	const char *by = invariant_name(mutants[mutant].invariant);
	unsigned others[INV_COUNT] = {0};
	char what[400];

	for (uint64_t seed = from; seed < from + count; seed++) {
		struct schedule s;
		enum invariant broken;

		schedule_make(&s, seed);
		broken = run(&s, mutant, false, what);
		others[broken]++;
		if (broken != mutants[mutant].invariant)
			continue;
		schedule_make(&s, seed); /* the unbroken core passes the same seed */
		broken = run(&s, 0, false, what);
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

	printf("1..%zu\n", only ? (size_t)1 : ARRAY_SIZE(mutants) - 1);
	for (int i = 1; i < (int)ARRAY_SIZE(mutants); i++)
		if (!only || strcmp(only, mutants[i].name) == 0)
			ok = run_mutant(i, from, count, ++number) && ok;
	return !ok;
}

/* NUMBER NAME TEST of those that scripted schedules must catch */
static int list_scripted(void)
{
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
	static const struct option options[] = {
		{"schedules", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
		{"replay", required_argument, NULL, 'r'},    {"mutants", no_argument, NULL, 'm'},
		{"mutant", required_argument, NULL, 'M'},    {"minimise", no_argument, NULL, 'x'},
		{"scripted", no_argument, NULL, 'S'},	     {NULL, 0, NULL, 0}};
	uint64_t count = 1000, seed = 1, replayed = 0;
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
		else if (c == 'S')
			return list_scripted();
		else
			return 2;
	}
	if (is_replay)
		return replay(replayed, mutant ? mutant_of(mutant) : 0, is_minimised);
	if (is_mutants || mutant)
		return run_mutants(mutant, seed, count);
	return run_all(seed, count);
}
