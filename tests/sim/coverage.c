/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the schedules met: which message found a replica in which state, and which faults came to something. */
#include <stdio.h>

#include "tests/sim/sim.h"

#define ULL(n) ((unsigned long long)(n))

static const enum replica_role roles[] = {ROLE_OPENING,	  ROLE_WAITING,	 ROLE_SEEKING,
					  ROLE_FOLLOWING, ROLE_CLAIMING, ROLE_LEADING};

/* Pairs that cannot be met, and why. A pair that is not named here must be met. */
static const struct hole {
	enum message_type type;
	enum replica_role role;
	const char *why;
} holes[] = {
	{MSG_COUNT, ROLE_LEFT, "who has left the group hears nothing"},
};

static const char *excuse(enum message_type type, enum replica_role role)
{
	for (size_t i = 0; i < ARRAY_SIZE(holes); i++)
		if (holes[i].role == role && (holes[i].type == type || holes[i].type == MSG_COUNT))
			return holes[i].why;
	return NULL;
}

static void print_table(const struct coverage *c)
{
	printf("# %-9s", "");
	for (size_t k = 0; k < ARRAY_SIZE(roles); k++)
		printf(" %10s", replica_role_name(roles[k]));
	printf("\n");
	for (int m = 1; m < MSG_COUNT; m++) {
		printf("# %-9s", message_name((enum message_type)m));
		for (size_t k = 0; k < ARRAY_SIZE(roles); k++)
			printf(" %10llu", ULL(c->cells[m][roles[k]]));
		printf("\n");
	}
}

void coverage_print(const struct coverage *c)
{
	printf("# %llu schedules, %llu steps, %llu commits, %llu leaders, %llu cuts; done "
	       "%llu, refused %llu, unknown %llu, not sent %llu\n",
	       ULL(c->schedules), ULL(c->steps), ULL(c->commits), ULL(c->leaders), ULL(c->cuts),
	       ULL(c->outcomes[STORE_DONE]), ULL(c->outcomes[STORE_REFUSED]),
	       ULL(c->outcomes[STORE_UNKNOWN]), ULL(c->outcomes[STORE_NOT_SENT]));
	printf("# %llu came to life again, %llu with members hung, %llu in a new fork\n",
	       ULL(c->lived), ULL(c->hung), ULL(c->forked));
	printf("# caught up by state: %llu whole, %llu differences, %llu fallbacks; %llu false "
	       "lists\n",
	       ULL(c->caught_up.whole), ULL(c->caught_up.differences), ULL(c->caught_up.fallbacks),
	       ULL(c->false_lists));
	print_table(c);
	printf("# faults:");
	for (int i = 1; i < FAULT_COUNT; i++)
		printf("%s %s %llu", i > 1 ? "," : "", fault_name((enum fault_kind)i),
		       ULL(c->faults[i]));
	printf("\n");
}

bool coverage_check(const struct coverage *c, uint64_t number)
{
	bool ok = true;

	for (int m = 1; m < MSG_COUNT; m++)
		for (int k = ROLE_OPENING; k < ROLE_COUNT; k++) {
			bool is_met = c->cells[m][k] > 0;
			const char *why = excuse((enum message_type)m, (enum replica_role)k);

			if (is_met == !why)
				continue;
			ok = false;
			printf("# finding: %s %s a replica that is %s%s%s\n",
			       message_name((enum message_type)m),
			       is_met ? "reached" : "never reached",
			       replica_role_name((enum replica_role)k), why ? ", although " : "",
			       why ? why : "");
		}
	for (int i = 1; i < FAULT_COUNT; i++)
		if (c->faults[i] == 0) {
			ok = false;
			printf("# finding: a fault never came to something: %s\n",
			       fault_name((enum fault_kind)i));
		}
	if (!c->caught_up.whole || !c->caught_up.differences || !c->caught_up.fallbacks) {
		ok = false;
		printf("# finding: a way of catching up was never gone\n");
	}
	printf("%sok %llu - each message reaches each state, each fault comes to something\n",
	       ok ? "" : "not ", ULL(number));
	return ok;
}
