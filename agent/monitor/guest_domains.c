/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libvirtd says of machines, brought together with their processes. */
#include <unistd.h>

#include "agent/base/str.h"
#include "agent/guest/vm_process.h"
#include "agent/monitor/watched.h"

#define ODD_MAX 2 /* answers that did not agree before they are taken for true */

/* Wall clock, s; of a machine that has no run record. */
static uint64_t start_of(uint64_t pid_start)
{
	long hertz = sysconf(_SC_CLK_TCK);
	usec_t up = clock_boottime(),
	       since = hertz > 0 ? pid_start * USEC_PER_SEC / (uint64_t)hertz : up;

	return (clock_wall() - (since < up ? up - since : 0)) / USEC_PER_SEC;
}

static bool find_process(struct watched *g)
{
	char name[VM_DOMAIN_NAME_SIZE];
	uint64_t start;
	pid_t pid;

	if (watched_is_living(g))
		return true;
	vm_domain_name(g->vmid, name);
	if (vm_process_find(name, &pid, &start, NULL) < 0 ||
	    watched_set_process(g, pid, start, NULL) < 0)
		return false;
	g->started = start_of(start);
	return true;
}

static enum domain_verdict take_living(struct guests_watch *w, struct watched *g,
				       const struct domain *domain)
{
	if (!g)
		g = watched_new(w, domain->vmid, true);
	g->is_listed = true;
	/* libvirtd may not have seen yet that the emulator ended */
	if (!find_process(g) && ++g->odd < ODD_MAX)
		return DOMAIN_ODD;
	g->odd = 0;
	g->domain = domain->state;
	watched_tell(g);
	return DOMAIN_CLEAR;
}

static enum domain_verdict take_unsettled(struct guests_watch *w, struct watched *g,
					  const struct domain *domain)
{
	if (!g)
		g = watched_new(w, domain->vmid, true);
	g->is_listed = true;
	if (!watched_is_living(g))
		g->domain = DOMAIN_UNSETTLED;
	return DOMAIN_MOVING;
}

/* A process that lives is not stopped, whatever libvirtd knows of it. */
static enum domain_verdict take_absent(struct watched *g)
{
	if (g->domain == DOMAIN_ABSENT)
		return DOMAIN_CLEAR;
	if (++g->odd < ODD_MAX)
		return DOMAIN_ODD;
	g->odd = 0;
	g->domain = DOMAIN_ABSENT;
	watched_tell(g);
	return DOMAIN_CLEAR;
}

enum domain_verdict guests_watch_domain(struct guests_watch *w, const struct domain *domain)
{
	const struct watched_end end = {.state = "stopped", .reason = domain->reason};
	struct watched *g = watched_find(w, domain->vmid);

	if (g && !g->is_machine)
		return DOMAIN_CLEAR;
	if (domain->state == DOMAIN_UNSETTLED)
		return take_unsettled(w, g, domain);
	if (domain->state != DOMAIN_ABSENT)
		return take_living(w, g, domain);
	if (g && watched_is_living(g))
		return take_absent(g);
	watched_tell_end(w, domain->vmid, true, &end);
	if (g)
		watched_free(g);
	return DOMAIN_CLEAR;
}

static enum domain_verdict worse(enum domain_verdict a, enum domain_verdict b)
{
	return a > b ? a : b;
}

static enum domain_verdict take_unlisted(struct guests_watch *w)
{
	enum domain_verdict verdict = DOMAIN_CLEAR;

	LIST_FOREACH (&w->guests, g, struct watched, node) {
		if (!g->is_machine || g->is_listed)
			continue;
		if (watched_is_living(g))
			verdict = worse(verdict, take_absent(g));
		else
			watched_free(g);
	}
	return verdict;
}

enum domain_verdict guests_watch_domains(struct guests_watch *w, const struct domain *items,
					 size_t count)
{
	enum domain_verdict verdict = DOMAIN_CLEAR;

	LIST_FOREACH (&w->guests, g, struct watched, node)
		g->is_listed = false;
	for (size_t i = 0; i < count; i++)
		if (items[i].state != DOMAIN_ABSENT)
			verdict = worse(verdict, guests_watch_domain(w, &items[i]));
	return worse(verdict, take_unlisted(w));
}

void guests_watch_tell_machines(struct guests_watch *w)
{
	LIST_FOREACH (&w->guests, g, struct watched, node)
		if (g->is_machine)
			watched_tell_listed(g);
}

void guests_watch_forget_domains(struct guests_watch *w)
{
	LIST_FOREACH (&w->guests, g, struct watched, node) {
		if (!g->is_machine)
			continue;
		g->domain = DOMAIN_UNASKED;
		g->odd = 0;
		if (!watched_is_living(g))
			watched_free(g);
	}
}
