/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The linker gives this program's calls of db_*() to __wrap_db_*() (CMakeLists.txt); SQLite finds fdatasync() here first. */
#include "tests/bench/store/probe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cluster/db/db_internal.h"

static struct {
	_Atomic usec_t took, cpu;
	atomic_ulong calls;
} sums[PROBE_COUNT];
static _Thread_local bool is_moving; /* in a checkpoint */

usec_t probe_thread_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (usec_t)t.tv_sec * USEC_PER_SEC + (usec_t)t.tv_nsec / 1000;
}

double probe_written(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	char line[128];
	double bytes = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "write_bytes: %lf", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}

struct since {
	usec_t clock, cpu;
};

static struct since begin(void)
{
	return (struct since){.clock = clock_monotonic(), .cpu = probe_thread_cpu()};
}

static void end(enum probe probe, struct since since)
{
	sums[probe].took += clock_monotonic() - since.clock;
	sums[probe].cpu += probe_thread_cpu() - since.cpu;
	sums[probe].calls++;
}

void probe_reset(void)
{
	for (int i = 0; i < PROBE_COUNT; i++)
		sums[i].took = sums[i].cpu = sums[i].calls = 0;
}

struct probe_sum probe_sum(enum probe probe)
{
	return (struct probe_sum){
		.took = sums[probe].took, .cpu = sums[probe].cpu, .calls = sums[probe].calls};
}

int __real_db_load(struct db *db, bool wants_state, struct replica_disk *ret, struct err *err);
int __wrap_db_load(struct db *db, bool wants_state, struct replica_disk *ret, struct err *err);
int __wrap_db_load(struct db *db, bool wants_state, struct replica_disk *ret, struct err *err)
{
	struct since since = begin();
	int r = __real_db_load(db, wants_state, ret, err);

	end(PROBE_LOAD, since);
	return r;
}

int __real_db_persist(struct db *db, struct persist *const *items, size_t count, struct err *err);
int __wrap_db_persist(struct db *db, struct persist *const *items, size_t count, struct err *err);
int __wrap_db_persist(struct db *db, struct persist *const *items, size_t count, struct err *err)
{
	struct since since = begin();
	int r = __real_db_persist(db, items, count, err);

	end(PROBE_PERSIST, since);
	return r;
}

int __real_db_settle(struct db *db, const struct settle *settle, struct err *err);
int __wrap_db_settle(struct db *db, const struct settle *settle, struct err *err);
int __wrap_db_settle(struct db *db, const struct settle *settle, struct err *err)
{
	struct since since = begin();
	int r = __real_db_settle(db, settle, err);

	end(PROBE_SETTLE, since);
	return r;
}

int __real_db_checkpoint(struct db *db, struct err *err);
int __wrap_db_checkpoint(struct db *db, struct err *err);
int __wrap_db_checkpoint(struct db *db, struct err *err)
{
	struct since since = begin();
	int r;

	is_moving = true;
	r = __real_db_checkpoint(db, err);
	is_moving = false;
	end(PROBE_CHECKPOINT, since);
	return r;
}

int fdatasync(int fd)
{
	struct since since = begin();
	int r = (int)syscall(SYS_fdatasync, fd);

	end(is_moving ? PROBE_SYNC_MOVING : PROBE_SYNC, since);
	return r;
}
