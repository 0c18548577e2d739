/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One schedule, told step by step, without the faults that are not needed. */
#include <stdio.h>

#include "tests/sim/sim.h"

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
			if (world_run(s, mutant, false, NULL, what, 400) == broken)
				again = true;
			else
				s->faults[i].is_off = false;
		}
		while (s->writes > 0) {
			s->writes--;
			if (world_run(s, mutant, false, NULL, what, 400) != broken) {
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

enum invariant replay_tell(uint64_t seed, int mutant, bool is_minimised, char what[400])
{
	struct schedule s;
	enum invariant broken;

	schedule_make(&s, seed);
	if (is_minimised && (broken = world_run(&s, mutant, false, NULL, what, 400)))
		minimise(&s, mutant, broken);
	print_schedule(&s);
	return world_run(&s, mutant, true, NULL, what, 400);
}

int replay(uint64_t seed, int mutant, bool is_minimised)
{
	char what[400];
	enum invariant broken = replay_tell(seed, mutant, is_minimised, what);

	printf("1..1\n%sok 1 - seed %llu%s%s %s\n", broken ? "not " : "", (unsigned long long)seed,
	       broken ? " breaks " : "", broken ? invariant_name(broken) : "", what);
	return broken != 0;
}
