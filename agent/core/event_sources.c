/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where events come from: guests' states and configurations, node, tasks, other configurations. They
 * are only noted here. Core's loop. */
#include <stdio.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/config_rules.h"
#include "agent/core/events_internal.h"
#include "agent/core/guests.h"
#include "agent/core/storages.h"

bool event_config_is_told(const char *path)
{
	return config_rule_find(path) != NULL;
}

bool event_config_is_visible(struct core *core, const char *path, const struct identity *who)
{
	const struct config_rule *rule = config_rule_find(path);

	if (!rule)
		return false;
	if (access_may(core->access, who, rule->path, rule->told))
		return true;
	const struct storage_cfg *cfg = storages_config(core->storages);
	for (size_t i = 0; rule->of_some_storage && i < cfg->count; i++) {
		autofree char *storage = xasprintf("/storage/%s", cfg->items[i].id);

		if (access_may(core->access, who, storage, rule->told))
			return true;
	}
	return false;
}

static void note_guest(struct events *events, enum guest_kind kind, unsigned vmid)
{
	char name[32];

	snprintf(name, sizeof(name), "%s/%u", guest_kind_name(kind), vmid);
	events_note(events, EVENT_TYPE_GUEST, name);
}

static void on_config_of_guest(enum guest_kind kind, unsigned vmid, void *ctx)
{
	note_guest(ctx, kind, vmid);
}

static void note_guests(struct events *events)
{
	const struct core *core = events->core;

	for (const struct guest *g = guests_next(core->guests, 0); g;
	     g = guests_next(core->guests, g->vmid))
		note_guest(events, g->kind, g->vmid);
}

static void on_state(unsigned vmid, enum guest_state before, enum guest_state now, void *ctx)
{
	struct events *events = ctx;
	const struct guest *guest = guests_find(events->core->guests, vmid);

	(void)before;
	(void)now;
	if (guest)
		note_guest(events, guest->kind, vmid);
}

/* What is there, not how it is used: that comes with the sample. */
static bool is_same_machine(const struct node_fact *a, const struct node_fact *b)
{
	return a->observed && a->cpus == b->cpus && a->mem_total == b->mem_total &&
	       a->is_cgroup2 == b->is_cgroup2;
}

static void on_node(const struct node_fact *before, void *ctx)
{
	struct events *events = ctx;
	const struct node_fact *now = facts_node(events->core->facts);

	if (!is_same_machine(before, now))
		events_note(events, EVENT_TYPE_NODE, events->core->node);
	if (before->cpus != now->cpus)
		note_guests(events); /* those without a limit have as many */
	events_note_sample(events);
}

static void on_task(const struct task *task, void *ctx)
{
	events_note(ctx, EVENT_TYPE_TASK, task->upid);
}

/* Guests show the pool that they are in. */
static void on_rights(struct events *events)
{
	uint64_t pools = access_pools_generation(events->core->access);

	if (pools != events->pools)
		note_guests(events);
	events->pools = pools;
	events->rights_seq = event_log_head(events->log);
}

static void on_store(const struct store_change *change, void *ctx)
{
	struct events *events = ctx;
	const char *path = change->value.path;

	if (event_config_is_told(path))
		events_note(events, EVENT_TYPE_CONFIG, path);
	if (str_eq(path, "/user.cfg"))
		on_rights(events);
	if (str_eq(path, "/user.cfg") || str_starts(path, "/priv/"))
		events_note_review(events);
}

void event_sources_begin(struct events *events)
{
	struct core *core = events->core;

	guests_on_change(core->guests, on_config_of_guest, events);
	facts_on_state(core->facts, on_state, events);
	facts_on_node(core->facts, on_node, events);
	jobs_on_begun(core->jobs, on_task, events);
	jobs_on_ended(core->jobs, on_task, events);
	events->pools = access_pools_generation(core->access);
	events->subscription = store_subscribe(core->store, "/", on_store, events);
}

void event_sources_end(struct events *events)
{
	store_unsubscribe(events->subscription);
}
