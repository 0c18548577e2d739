/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many schedules, in several processes: each takes the next block of seeds. What they met is added up at the end. */
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/sim.h"

#define BLOCK	 500
#define JOBS_MAX 64
#define BAD_MAX	 20 /* failures are enough */

/* Shared between the processes. */
struct batch {
	uint64_t from, count, blocks;
	sem_t lock; /* for what follows, and for stdout */
	uint64_t next, bad;
	struct coverage met;
};

static void add_up(struct coverage *sum, const struct coverage *part)
{
	uint64_t *to = (uint64_t *)sum; /* it holds nothing else */
	const uint64_t *from = (const uint64_t *)part;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

/* The number of the next block; 0: there is none. */
static uint64_t take_block(struct batch *b)
{
	uint64_t block = 0;

	sem_wait(&b->lock);
	if (b->next < b->blocks && b->bad < BAD_MAX)
		block = ++b->next;
	sem_post(&b->lock);
	return block;
}

/* The first failure of all is told. */
static void report(struct batch *b, uint64_t seed, const char *what)
{
	char again[400];

	sem_wait(&b->lock);
	printf("# seed %llu breaks %s\n", (unsigned long long)seed, what);
	if (b->bad++ == 0)
		replay_tell(seed, 0, true, again);
	fflush(stdout);
	sem_post(&b->lock);
}

static void run_block(struct batch *b, uint64_t block, struct coverage *met)
{
	uint64_t first = b->from + (block - 1) * BLOCK, end = first + BLOCK;
	bool ok = true;

	if (end > b->from + b->count)
		end = b->from + b->count;
	for (uint64_t seed = first; seed < end && b->bad < BAD_MAX; seed++) {
		struct schedule s;
		char what[400];

		schedule_make(&s, seed);
		if (!world_run(&s, 0, false, met, what, sizeof(what)))
			continue;
		ok = false;
		report(b, seed, what);
	}
	sem_wait(&b->lock);
	printf("%sok %llu - seeds %llu to %llu\n", ok ? "" : "not ", (unsigned long long)block,
	       (unsigned long long)first, (unsigned long long)(end - 1));
	fflush(stdout);
	sem_post(&b->lock);
}

static void run_blocks(struct batch *b)
{
	struct coverage *met = xcalloc(1, sizeof(*met));
	uint64_t block;

	while ((block = take_block(b)))
		run_block(b, block, met);
	sem_wait(&b->lock);
	add_up(&b->met, met);
	sem_post(&b->lock);
	free(met);
}

/* false: a process died, and with it a block */
static bool run_in_processes(struct batch *b, unsigned jobs)
{
	pid_t pids[JOBS_MAX];
	bool ok = true;

	for (unsigned i = 0; i < jobs; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			run_blocks(b);
			exit(0);
		}
		ok = ok && pids[i] > 0;
	}
	for (unsigned i = 0; i < jobs; i++) {
		int status = 1;

		if (pids[i] > 0)
			waitpid(pids[i], &status, 0);
		ok = ok && status == 0;
	}
	return ok;
}

int batch_run(uint64_t from, uint64_t count, unsigned jobs)
{
	bool is_covered = count >= COVERAGE_SCHEDULES, ok = true;
	struct batch *b =
		mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return 1;
	*b = (struct batch){.from = from, .count = count, .blocks = (count + BLOCK - 1) / BLOCK};
	sem_init(&b->lock, 1, 1);
	printf("1..%llu\n", (unsigned long long)(b->blocks + is_covered));
	fflush(stdout);
	if (jobs > 1)
		ok = run_in_processes(b, jobs < JOBS_MAX ? jobs : JOBS_MAX);
	else
		run_blocks(b);
	if (!ok)
		printf("Bail out! a process of the simulator died\n");
	coverage_print(&b->met);
	if (is_covered)
		ok = coverage_check(&b->met, b->blocks + 1) && ok;
	return b->bad > 0 || !ok;
}
