/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of the node itself. */
#include "agent/monitor/monitor.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/monitor/proc.h"

struct node_watch {
	struct proc_cpu last;
	bool has_last;
	struct fields fixed; /* what does not change while the machine is up */
};

/* ---- what does not change ---- */

/* the text after "name<tabs>: " in the first block of /proc/cpuinfo */
static void cpuinfo_text(const char *text, const char *name, char *ret, size_t size)
{
	const char *at = strstr(text, name), *colon = at ? strchr(at, ':') : NULL;
	size_t n = colon ? strcspn(colon + 1, "\n") : 0;
	autofree char *value = n > 1 ? xstrndup(colon + 2, n - 1) : xstrdup("");

	str_copy(ret, size, value);
}

/* distinct values of "physical id", and of (physical id, core id) */
static void count_cores(const char *text, unsigned *ret_sockets, unsigned *ret_cores)
{
	struct map *sockets = map_new(), *cores = map_new();
	int socket = 0, core;

	for (; text && *text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (sscanf(text, "physical id : %d", &socket) == 1) {
			autofree char *key = xasprintf("%d", socket);

			map_put(sockets, key, sockets);
		} else if (sscanf(text, "core id : %d", &core) == 1) {
			autofree char *key = xasprintf("%d/%d", socket, core);

			map_put(cores, key, cores);
		}
	}
	*ret_sockets = map_size(sockets) ? (unsigned)map_size(sockets) : 1;
	*ret_cores = map_size(cores) ? (unsigned)map_size(cores) : 1;
	map_free(sockets, NULL);
	map_free(cores, NULL);
}

static void add_cpuinfo(struct fields *f)
{
	char model[128], flags[2048], mhz[32];
	unsigned sockets, cores;
	autobuf text = BUF_INIT;
	double unused;

	if (!proc_read(&text, "/proc/cpuinfo"))
		return;
	cpuinfo_text(text.data, "model name", model, sizeof(model));
	cpuinfo_text(text.data, "flags", flags, sizeof(flags));
	cpuinfo_text(text.data, "cpu MHz", mhz, sizeof(mhz));
	count_cores(text.data, &sockets, &cores);
	fields_add(f, "cpu_model", model);
	fields_add(f, "cpu_flags", flags);
	if (str_to_double(mhz, &unused))
		fields_add(f, "mhz", mhz);
	fields_addf(f, "sockets", "%u", sockets);
	fields_addf(f, "cores", "%u", cores);
	fields_add(f, "hvm", strstr(flags, "vmx") || strstr(flags, "svm") ? "1" : "0");
}

static void add_kernel(struct fields *f)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	fields_addf(f, "kernel_version", "%s %s %s", u.sysname, u.release, u.version);
	fields_add(f, "kernel_release", u.release);
	fields_add(f, "kernel_sysname", u.sysname);
	fields_add(f, "kernel_machine", u.machine);
	fields_add(f, "is_cgroup2",
		   access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "1" : "0");
	fields_add(f, "is_efi", access("/sys/firmware/efi", F_OK) == 0 ? "1" : "0");
}

/* ---- what does ---- */

static void add_kb(struct fields *f, const char *name, uint64_t kb)
{
	fields_addf(f, name, "%llu", (unsigned long long)kb * 1024);
}

static void add_memory(struct fields *f)
{
	uint64_t total, available, swap;
	autobuf text = BUF_INIT;

	if (!proc_read(&text, "/proc/meminfo"))
		return;
	total = proc_value(text.data, "MemTotal");
	available = proc_value(text.data, "MemAvailable");
	swap = proc_value(text.data, "SwapTotal");
	add_kb(f, "mem_total", total);
	add_kb(f, "mem_available", available);
	add_kb(f, "mem_free", proc_value(text.data, "MemFree"));
	add_kb(f, "mem_used", total > available ? total - available : 0);
	add_kb(f, "swap_total", swap);
	add_kb(f, "swap_used", swap - proc_value(text.data, "SwapFree"));
}

static void add_root(struct fields *f)
{
	struct statvfs fs;

	if (statvfs("/", &fs) < 0)
		return;
	fields_addf(f, "root_total", "%llu", (unsigned long long)fs.f_blocks * fs.f_frsize);
	fields_addf(f, "root_used", "%llu",
		    (unsigned long long)(fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	fields_addf(f, "root_avail", "%llu", (unsigned long long)fs.f_bavail * fs.f_frsize);
}

static void add_load(struct fields *f)
{
	char one[16], five[16], fifteen[16];
	autobuf text = BUF_INIT;
	double up;

	if (proc_read(&text, "/proc/loadavg") &&
	    sscanf(text.data, "%15s %15s %15s", one, five, fifteen) == 3) {
		fields_add(f, "load1", one);
		fields_add(f, "load5", five);
		fields_add(f, "load15", fifteen);
	}
	if (proc_read(&text, "/proc/uptime") && sscanf(text.data, "%lf", &up) == 1)
		fields_addf(f, "uptime", "%llu", (unsigned long long)up);
}

static void add_cpu(struct node_watch *w, struct fields *f)
{
	struct proc_cpu now;
	autobuf text = BUF_INIT;
	double busy, wait;

	if (!proc_read(&text, "/proc/stat") || !proc_cpu_ticks(text.data, &now))
		return;
	if (w->has_last && proc_cpu_shares(&w->last, &now, &busy, &wait)) {
		fields_addf(f, "cpu", "%.6f", busy);
		fields_addf(f, "wait", "%.6f", wait);
	}
	w->last = now;
	w->has_last = true;
}

void node_watch_sample(struct node_watch *w, struct fields *ret)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	fields_copy(ret, &w->fixed);
	fields_addf(ret, "cpus", "%ld", cpus > 0 ? cpus : 1);
	add_cpu(w, ret);
	add_memory(ret);
	add_root(ret);
	add_load(ret);
	fields_addf(ret, "ksm_shared", "%llu",
		    (unsigned long long)proc_read_u64("/sys/kernel/mm/ksm/pages_sharing") *
			    (unsigned long long)sysconf(_SC_PAGESIZE));
}

int node_watch_new(struct node_watch **ret, struct err *err)
{
	struct node_watch *w = xcalloc(1, sizeof(*w));

	(void)err;
	add_cpuinfo(&w->fixed);
	add_kernel(&w->fixed);
	*ret = w;
	return 0;
}

void node_watch_free(struct node_watch *w)
{
	if (!w)
		return;
	fields_fini(&w->fixed);
	free(w);
}
