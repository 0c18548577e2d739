/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sampling a virtual machine: no cgroup is needed, libvirt makes them differently on each host. */
#include "agent/monitor/machine_sample.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/monitor/proc.h"

#define VCPU_THREAD "CPU " /* "CPU 0/KVM" */
#define NETS_MAX    32

uint64_t machine_cpu_ticks(const char *stat)
{
	const char *after = strrchr(stat, ')'); /* the name may hold anything */
	autostrv char **words = str_split(after ? after + 1 : "", " ");
	uint64_t user, system;

	/* state is the first word, utime the 12th, stime the 13th */
	if (strv_count(words) < 13 || !str_to_u64(words[11], &user) ||
	    !str_to_u64(words[12], &system))
		return 0;
	return user + system;
}

static unsigned count_vcpus(pid_t pid)
{
	autofree char *path = xasprintf("/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	unsigned count = 0;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		autobuf name = BUF_INIT;

		if (e->d_name[0] != '.' && proc_read(&name, "%s/%s/comm", path, e->d_name))
			count += str_starts(buf_str(&name), VCPU_THREAD);
	}
	if (dir)
		closedir(dir);
	return count ? count : 1;
}

static void add_cpu(pid_t pid, struct guest_sample *last, struct fields *ret)
{
	long hertz = sysconf(_SC_CLK_TCK);
	autobuf stat = BUF_INIT;

	if (hertz <= 0 || !proc_read(&stat, "/proc/%d/stat", (int)pid))
		return;
	uint64_t used = machine_cpu_ticks(buf_str(&stat)) * USEC_PER_SEC / (uint64_t)hertz;
	double share = guest_cpu_share(last, used, count_vcpus(pid), clock_monotonic());

	if (share >= 0)
		fields_addf(ret, "cpu", "%.6f", share);
}

static void add_u64(struct fields *ret, const char *name, uint64_t value)
{
	fields_addf(ret, name, "%llu", (unsigned long long)value);
}

/* What a tap sends, the guest receives. */
static void add_net(unsigned vmid, struct fields *ret)
{
	uint64_t in = 0, out = 0;

	for (unsigned i = 0; i < NETS_MAX; i++) {
		in += proc_read_u64("/sys/class/net/tap%ui%u/statistics/tx_bytes", vmid, i);
		out += proc_read_u64("/sys/class/net/tap%ui%u/statistics/rx_bytes", vmid, i);
	}
	add_u64(ret, "netin", in);
	add_u64(ret, "netout", out);
}

void machine_sample_take(unsigned vmid, pid_t pid, uint64_t started, struct guest_sample *last,
			 struct fields *ret)
{
	uint64_t now = clock_wall() / USEC_PER_SEC;
	autobuf status = BUF_INIT, io = BUF_INIT;

	add_cpu(pid, last, ret);
	add_u64(ret, "uptime", started && now > started ? now - started : 0);
	if (proc_read(&status, "/proc/%d/status", (int)pid))
		add_u64(ret, "mem", proc_value(buf_str(&status), "VmRSS") * 1024);
	if (proc_read(&io, "/proc/%d/io", (int)pid)) {
		add_u64(ret, "diskread", proc_value(buf_str(&io), "read_bytes"));
		add_u64(ret, "diskwrite", proc_value(buf_str(&io), "write_bytes"));
	}
	add_net(vmid, ret);
}
