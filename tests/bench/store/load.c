/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes of one store in one process: one loop thread each, with its writer thread, its database on a real disk, and the group
 * inside the process between them. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "cluster/store.h"
#include "cluster/transport/hub.h"
#include "tests/bench/store/bench.h"
#include "tests/bench/store/probe.h"

#define NODES_MAX     7
#define SETUP_TIMEOUT (30 * USEC_PER_SEC)

struct node;

struct writer_of {
	struct node *node;
	unsigned number; /* among all */
	unsigned long count;
	usec_t asked;
};

struct load {
	struct node *nodes;
	unsigned node_count;
	usec_t from, until;
	atomic_uint busy;		    /* nodes with writers that wait for an answer */
	struct probe_sum sums[PROBE_COUNT]; /* between from and until */
	double written;			    /* bytes, the same */
};

struct node {
	struct load *load;
	struct store *store;
	pthread_t thread;
	struct writer_of *writers;
	unsigned writer_count, waiting;
	struct times times;
	unsigned long failed;
	usec_t cpu; /* of the loop */
	bool leads;
};

/* ---- the writers ---- */

static void submit(struct writer_of *w);

static void answered(const struct store_result *result, void *ctx)
{
	struct writer_of *w = ctx;
	struct node *node = w->node;
	usec_t now = clock_monotonic();

	node->waiting--;
	if (result->outcome != STORE_DONE)
		node->failed++;
	else if (now >= node->load->from && now < node->load->until)
		times_add(&node->times, now - w->asked);
	if (now < node->load->until)
		submit(w);
}

static void submit(struct writer_of *w)
{
	char path[64], value[BENCH_VALUE_SIZE];
	struct store_op op = {
		.kind = STORE_PUT, .path = path, .value = value, .size = sizeof(value)};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;

	snprintf(path, sizeof(path), "/nodes/n1/qemu/%lu.conf",
		 100 + (w->number * 37 + w->count++ * 101) % BENCH_PATHS);
	random_bytes(value, sizeof(value));
	w->asked = clock_monotonic();
	if (store_submit(w->node->store, &txn, answered, w, &err) < 0)
		bench_die("submit: %s", err.message);
	w->node->waiting++;
}

static void turn(struct store *store, int milliseconds)
{
	struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

	poll(&p, 1, milliseconds);
	store_dispatch(store);
}

/* Until nobody waits any more: a leader is needed to the end. */
static void *node_main(void *arg)
{
	struct node *node = arg;
	struct load *load = node->load;
	usec_t cpu;

	for (unsigned i = 0; i < node->writer_count; i++)
		submit(&node->writers[i]);
	while (clock_monotonic() < load->from)
		turn(node->store, clock_left_ms(load->from));
	cpu = probe_thread_cpu();
	while (clock_monotonic() < load->until)
		turn(node->store, clock_left_ms(load->until));
	node->cpu = probe_thread_cpu() - cpu;
	node->leads = store_leads(node->store);
	while (node->waiting > 0)
		turn(node->store, 1000);
	load->busy--;
	while (load->busy > 0)
		turn(node->store, 10);
	return NULL;
}

/* ---- the group ---- */

static void all_turn(struct load *load)
{
	struct pollfd p[NODES_MAX];

	for (unsigned i = 0; i < load->node_count; i++)
		p[i] = (struct pollfd){.fd = store_fd(load->nodes[i].store), .events = POLLIN};
	poll(p, load->node_count, 100);
	for (unsigned i = 0; i < load->node_count; i++)
		if (p[i].revents)
			store_dispatch(load->nodes[i].store);
}

static void note_admitted(const struct store_result *result, void *ctx)
{
	*(enum store_outcome *)ctx = result->outcome;
}

/* Asked again until the leader finds that it has caught up. */
static void admit(struct load *load, uint32_t node)
{
	const char *incarnation = store_identity(load->nodes[node - 1].store)->incarnation;
	usec_t deadline = clock_monotonic() + SETUP_TIMEOUT;
	enum store_outcome outcome = 0;
	struct err err = ERR_INIT;

	if (store_admit(load->nodes[0].store, node, incarnation, note_admitted, &outcome, &err) < 0)
		bench_die("admit node %u: %s", node, err.message);
	while (!outcome && clock_monotonic() < deadline)
		all_turn(load);
	if (outcome != STORE_DONE)
		bench_die("node %u was not admitted", node);
}

static void found(struct load *load)
{
	usec_t deadline = clock_monotonic() + SETUP_TIMEOUT;
	const struct store_identity *first;
	struct err err = ERR_INIT;

	if (store_found(load->nodes[0].store, &err) < 0)
		bench_die("found: %s", err.message);
	while (!store_leads(load->nodes[0].store) && clock_monotonic() < deadline)
		all_turn(load);
	first = store_identity(load->nodes[0].store);
	for (unsigned i = 1; i < load->node_count; i++) {
		if (store_join(load->nodes[i].store, first->cluster_id, first->fork_id, &err) < 0)
			bench_die("join: %s", err.message);
		admit(load, i + 1);
	}
}

static void open_node(struct load *load, unsigned i, const char *folder, struct hub *hub)
{
	autofree char *name = xasprintf("n%u", i + 1), *directory = bench_folder(folder, name);
	struct store_options options = {.directory = directory,
					.node = name,
					.run = directory,
					.transport = hub ? hub_transport(hub, i + 1) : NULL};
	struct err err = ERR_INIT;

	load->nodes[i].load = load;
	if (store_open(&options, &load->nodes[i].store, &err) < 0)
		bench_die("%s", err.message);
}

/* ---- what came out ---- */

static void say_share(const char *name, enum probe probe, const struct load *load, double seconds)
{
	struct probe_sum sum = load->sums[probe];
	double span = seconds * USEC_PER_SEC * load->node_count;
	char cpu[32], calls[32];

	snprintf(cpu, sizeof(cpu), "%s_cpu", name);
	snprintf(calls, sizeof(calls), "%s_calls", name);
	bench_say(name, (double)sum.took / span);
	bench_say(cpu, (double)sum.cpu / span);
	bench_say(calls, (double)sum.calls / seconds / load->node_count);
}

/* Shares of the time, for the average node. */
static void say(const struct load *load, double seconds)
{
	struct times all = {0};
	double failed = 0, cpu = 0, leader = 0;

	for (unsigned i = 0; i < load->node_count; i++) {
		const struct node *node = &load->nodes[i];

		times_merge(&all, &node->times);
		failed += (double)node->failed;
		cpu += (double)node->cpu / (seconds * USEC_PER_SEC) / load->node_count;
		if (node->leads)
			leader = (double)node->cpu / (seconds * USEC_PER_SEC);
	}
	bench_say("rate", (double)all.count / seconds);
	times_say(&all);
	bench_say("failed", failed);
	bench_say("written", load->written / (double)all.count / load->node_count);
	bench_say("loop_cpu", cpu);
	bench_say("leader_cpu", leader);
	say_share("persist", PROBE_PERSIST, load, seconds);
	say_share("settle", PROBE_SETTLE, load, seconds);
	say_share("checkpoint", PROBE_CHECKPOINT, load, seconds);
	say_share("sync", PROBE_SYNC, load, seconds);
	say_share("sync_moving", PROBE_SYNC_MOVING, load, seconds);
	times_fini(&all);
}

static void share_out(struct load *load, struct writer_of *writers, unsigned count)
{
	struct writer_of *next = writers;

	for (unsigned i = 0; i < load->node_count; i++) {
		struct node *node = &load->nodes[i];

		node->writers = next;
		node->writer_count = count / load->node_count + (i < count % load->node_count);
		next += node->writer_count;
	}
	for (unsigned i = 0; i < load->node_count; i++)
		for (unsigned k = 0; k < load->nodes[i].writer_count; k++)
			load->nodes[i].writers[k] = (struct writer_of){
				.node = &load->nodes[i],
				.number = (unsigned)(load->nodes[i].writers - writers) + k};
}

static void run(struct load *load, unsigned seconds)
{
	load->from = clock_monotonic() + USEC_PER_SEC / 2;
	load->until = load->from + seconds * USEC_PER_SEC;
	load->busy = load->node_count;
	for (unsigned i = 0; i < load->node_count; i++)
		pthread_create(&load->nodes[i].thread, NULL, node_main, &load->nodes[i]);
	while (clock_left_ms(load->from) > 0)
		poll(NULL, 0, clock_left_ms(load->from));
	probe_reset();
	load->written = probe_written();
	while (clock_left_ms(load->until) > 0)
		poll(NULL, 0, clock_left_ms(load->until));
	load->written = probe_written() - load->written;
	for (int i = 0; i < PROBE_COUNT; i++)
		load->sums[i] = probe_sum(i);
	for (unsigned i = 0; i < load->node_count; i++)
		pthread_join(load->nodes[i].thread, NULL);
	say(load, seconds);
}

void bench_load(const char *folder, unsigned nodes, unsigned writers, unsigned seconds)
{
	struct node all[NODES_MAX] = {0};
	struct writer_of *of = xcalloc(writers, sizeof(*of));
	struct load load = {.nodes = all, .node_count = nodes};
	struct hub *hub = nodes > 1 ? hub_new(nodes) : NULL;

	if (nodes == 0 || nodes > NODES_MAX || writers == 0)
		bench_die("1 to %d nodes, at least one writer", NODES_MAX);
	for (unsigned i = 0; i < nodes; i++)
		open_node(&load, i, folder, hub);
	if (hub)
		found(&load);
	share_out(&load, of, writers);
	run(&load, seconds);
	for (unsigned i = 0; i < nodes; i++) {
		store_close(all[i].store);
		times_fini(&all[i].times);
	}
	hub_free(hub);
	free(of);
}
