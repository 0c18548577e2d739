/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sampling a container, on cgroup v1 (each controller its own tree) and v2. */
#include "agent/monitor/guest_sample.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/monitor/proc.h"

#define CPU_TIME_MIN (500 * USEC_PER_MSEC)
#define CGROUP	     "/sys/fs/cgroup"

static bool is_unified(void)
{
	return access(CGROUP "/cgroup.controllers", F_OK) == 0;
}

bool guest_is_frozen(pid_t pid)
{
	autobuf groups = BUF_INIT, text = BUF_INIT;
	autofree char *freezer = NULL, *unified = NULL;

	if (!proc_read(&groups, "/proc/%d/cgroup", (int)pid))
		return false;
	/* both tell of a frozen group above, too */
	freezer = proc_cgroup(groups.data, "freezer");
	if (freezer && proc_read(&text, CGROUP "/freezer%s/freezer.state", freezer))
		return str_starts(text.data, "FROZEN");
	unified = proc_cgroup(groups.data, "");
	return unified &&
	       proc_read(&text, CGROUP "%s%s/cgroup.events", is_unified() ? "" : "/unified",
			 unified) &&
	       proc_value(text.data, "frozen") == 1;
}

struct usage {
	uint64_t cpu_usec, mem, swap, read, written;
	unsigned cpus;
};

/* cores that the guest may use by quota, rounded up; 0: no quota */
static unsigned quota_cpus(int64_t quota, int64_t period)
{
	return quota > 0 && period > 0 ? (unsigned)((quota + period - 1) / period) : 0;
}

static void usage_v2(const char *cgroups, struct usage *ret)
{
	autofree char *path = proc_cgroup(cgroups, "");
	autobuf text = BUF_INIT;
	long long quota = 0, period = 0;

	if (!path)
		return;
	if (proc_read(&text, CGROUP "%s/cpu.stat", path))
		ret->cpu_usec = proc_value(text.data, "usage_usec");
	ret->mem = proc_read_u64(CGROUP "%s/memory.current", path);
	ret->swap = proc_read_u64(CGROUP "%s/memory.swap.current", path);
	/* page cache is reclaimable: what the guest uses is less */
	if (proc_read(&text, CGROUP "%s/memory.stat", path)) {
		uint64_t cache = proc_value(text.data, "inactive_file");

		ret->mem -= cache < ret->mem ? cache : ret->mem;
	}
	if (proc_read(&text, CGROUP "%s/io.stat", path))
		proc_io_bytes(text.data, &ret->read, &ret->written);
	if (proc_read(&text, CGROUP "%s/cpu.max", path) &&
	    sscanf(text.data, "%lld %lld", &quota, &period) == 2)
		ret->cpus = quota_cpus(quota, period);
}

static void usage_v1(const char *cgroups, struct usage *ret)
{
	autofree char *cpuacct = proc_cgroup(cgroups, "cpuacct"),
		      *memory = proc_cgroup(cgroups, "memory");
	autofree char *blkio = proc_cgroup(cgroups, "blkio"), *cpu = proc_cgroup(cgroups, "cpu");
	autobuf text = BUF_INIT;

	if (cpuacct)
		ret->cpu_usec = proc_read_u64(CGROUP "/cpuacct%s/cpuacct.usage", cpuacct) / 1000;
	if (memory) {
		uint64_t both =
			proc_read_u64(CGROUP "/memory%s/memory.memsw.usage_in_bytes", memory);
		uint64_t mem = proc_read_u64(CGROUP "/memory%s/memory.usage_in_bytes", memory);

		ret->swap = both > mem ? both - mem : 0;
		if (proc_read(&text, CGROUP "/memory%s/memory.stat", memory)) {
			uint64_t cache = proc_value(text.data, "total_inactive_file");

			mem -= cache < mem ? cache : mem;
		}
		ret->mem = mem;
	}
	if (blkio && proc_read(&text, CGROUP "/blkio%s/blkio.throttle.io_service_bytes", blkio))
		proc_io_bytes(text.data, &ret->read, &ret->written);
	if (cpu)
		ret->cpus =
			quota_cpus((int64_t)proc_read_u64(CGROUP "/cpu%s/cpu.cfs_quota_us", cpu),
				   (int64_t)proc_read_u64(CGROUP "/cpu%s/cpu.cfs_period_us", cpu));
}

static unsigned long oom_kills(const char *folder)
{
	autobuf text = BUF_INIT;

	if (!folder[0] || !proc_read(&text, "%s/%s", folder,
				     is_unified() ? "memory.events" : "memory.oom_control"))
		return 0;
	return (unsigned long)proc_value(text.data, "oom_kill");
}

bool guest_sample_has_oom(const struct guest_sample *last)
{
	return oom_kills(last->memory) > last->oom_kills;
}

static void note_memory(const char *groups, struct guest_sample *last)
{
	autofree char *group = proc_cgroup(groups, is_unified() ? "" : "memory");
	autofree char *folder =
		group ? xasprintf(CGROUP "%s%s", is_unified() ? "" : "/memory", group) : NULL;

	if (!folder || !str_copy(last->memory, sizeof(last->memory), folder))
		last->memory[0] = '\0';
	last->oom_kills = oom_kills(last->memory);
}

double guest_cpu_share(struct guest_sample *last, uint64_t used, unsigned cpus, usec_t now)
{
	bool is_first = last->taken == 0 || used < last->cpu_usec || now < last->taken;

	if (!is_first && now - last->taken < CPU_TIME_MIN)
		return last->cpu;
	last->cpu = is_first ? -1
			     : (double)(used - last->cpu_usec) / (double)(now - last->taken) /
				       (cpus ? cpus : 1);
	last->cpu_usec = used;
	last->taken = now;
	return last->cpu;
}

static void add_cpu(const struct usage *u, struct guest_sample *last, struct fields *ret)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned cpus = u->cpus ? u->cpus : online > 0 ? (unsigned)online : 1;
	double share = guest_cpu_share(last, u->cpu_usec, cpus, clock_monotonic());

	if (share >= 0)
		fields_addf(ret, "cpu", "%.6f", share);
}

/* The numbers of the root file system's superblock: no I/O, so no hanging. */
static void add_disk(pid_t pid, struct fields *ret)
{
	autofree char *root = xasprintf("/proc/%d/root", (int)pid);
	struct statvfs fs;

	if (statvfs(root, &fs) < 0)
		return;
	fields_addf(ret, "disk", "%llu",
		    (unsigned long long)(fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	fields_addf(ret, "maxdisk", "%llu", (unsigned long long)fs.f_blocks * fs.f_frsize);
}

static void add_u64(struct fields *ret, const char *name, uint64_t v)
{
	fields_addf(ret, name, "%llu", (unsigned long long)v);
}

void guest_sample_take(pid_t pid, uint64_t started, struct guest_sample *last, struct fields *ret)
{
	autobuf text = BUF_INIT;
	struct usage u = {0};
	uint64_t in, out, now = clock_wall() / USEC_PER_SEC;

	if (proc_read(&text, "/proc/%d/cgroup", (int)pid)) {
		if (is_unified())
			usage_v2(text.data, &u);
		else
			usage_v1(text.data, &u);
		note_memory(text.data, last);
	}
	add_cpu(&u, last, ret);
	add_u64(ret, "uptime", started && now > started ? now - started : 0);
	add_u64(ret, "mem", u.mem);
	add_u64(ret, "swap", u.swap);
	add_u64(ret, "diskread", u.read);
	add_u64(ret, "diskwrite", u.written);
	if (proc_read(&text, "/proc/%d/net/dev", (int)pid)) {
		proc_net_bytes(text.data, &in, &out);
		add_u64(ret, "netin", in);
		add_u64(ret, "netout", out);
	}
	add_disk(pid, ret);
}
