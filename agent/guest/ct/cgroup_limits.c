/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's limits as liblxc's cgroup items. Pure. */
#include "agent/guest/ct/cgroup.h"

#include <stdint.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define MIB	       (1024ull * 1024)
#define DEFAULT_MEMORY 512 /* MiB, as the contract has it */
#define DEFAULT_SWAP   512
#define CPU_PERIOD     100000 /* microseconds */
#define V1_SHARES      1024
#define V2_WEIGHT      100

static uint64_t number(const struct guest_config *config, const char *key, uint64_t fallback)
{
	const char *text = guest_config_get(config, key);
	uint64_t value;

	return text && str_to_u64(text, &value) ? value : fallback;
}

static void warn(struct fields *warnings, const char *key, const char *controller)
{
	fields_addf(warnings, "warning",
		    "'%s' is not enforced: this host has no cgroup controller for %s", key,
		    controller);
}

static void memory_limits(const struct cgroup_limits *in, struct fields *items,
			  struct fields *warnings)
{
	uint64_t memory = number(in->config, "memory", DEFAULT_MEMORY) * MIB;
	uint64_t swap = number(in->config, "swap", DEFAULT_SWAP) * MIB;

	if (in->layout->v2[CG_MEMORY]) {
		fields_addf(items, "lxc.cgroup2.memory.max", "%llu", (unsigned long long)memory);
		fields_addf(items, "lxc.cgroup2.memory.swap.max", "%llu", (unsigned long long)swap);
	} else if (in->layout->v1[CG_MEMORY]) {
		fields_addf(items, "lxc.cgroup.memory.limit_in_bytes", "%llu",
			    (unsigned long long)memory);
		if (in->layout->has_v1_swap)
			fields_addf(items, "lxc.cgroup.memory.memsw.limit_in_bytes", "%llu",
				    (unsigned long long)(memory + swap));
		else if (guest_config_get(in->config, "swap"))
			warn(warnings, "swap", "swap");
	} else {
		warn(warnings, "memory", "memory");
	}
}

static bool has_cpuset(const struct cgroup_limits *in)
{
	return in->layout->v1[CG_CPUSET] || in->layout->v2[CG_CPUSET];
}

/* Where processors cannot be dealt out, cores is a bound of time like cpulimit: the smaller one counts. 0:
 * unlimited. In microseconds of CPU time a period. */
static uint64_t cpu_quota(const struct cgroup_limits *in)
{
	const char *text = guest_config_get(in->config, "cpulimit");
	double cpus = has_cpuset(in) ? 0 : (double)number(in->config, "cores", 0), limit;

	if (text && str_to_double(text, &limit) && limit > 0 && (cpus == 0 || limit < cpus))
		cpus = limit;
	return cpus <= 0 || cpus >= in->host_cpus ? 0 : (uint64_t)(cpus * CPU_PERIOD);
}

static void quota_limit(const struct cgroup_limits *in, uint64_t quota, struct fields *items)
{
	if (in->layout->v2[CG_CPU]) {
		if (quota)
			fields_addf(items, "lxc.cgroup2.cpu.max", "%llu %u",
				    (unsigned long long)quota, CPU_PERIOD);
		else if (in->is_live)
			fields_addf(items, "lxc.cgroup2.cpu.max", "max %u", CPU_PERIOD);
	} else if (quota) {
		fields_addf(items, "lxc.cgroup.cpu.cfs_period_us", "%u", CPU_PERIOD);
		fields_addf(items, "lxc.cgroup.cpu.cfs_quota_us", "%llu",
			    (unsigned long long)quota);
	} else if (in->is_live) {
		fields_add(items, "lxc.cgroup.cpu.cfs_quota_us", "-1");
	}
}

static void weight_limit(const struct cgroup_limits *in, uint64_t units, struct fields *items)
{
	if (!units && !in->is_live)
		return;
	if (in->layout->v2[CG_CPU]) {
		units = units ? units : V2_WEIGHT;
		fields_addf(items, "lxc.cgroup2.cpu.weight", "%llu",
			    (unsigned long long)(units > 10000 ? 10000 : units));
	} else {
		units = units ? units : V1_SHARES;
		fields_addf(items, "lxc.cgroup.cpu.shares", "%llu",
			    (unsigned long long)(units < 2 ? 2 : units));
	}
}

static void cpu_limits(const struct cgroup_limits *in, struct fields *items,
		       struct fields *warnings)
{
	uint64_t quota = cpu_quota(in), units = number(in->config, "cpuunits", 0);

	if (in->layout->v2[CG_CPU] || in->layout->v1[CG_CPU]) {
		quota_limit(in, quota, items);
		weight_limit(in, units, items);
	} else if (quota || units) {
		warn(warnings,
		     units			      ? "cpuunits"
		     : number(in->config, "cores", 0) ? "cores"
						      : "cpulimit",
		     "CPU time");
	}
	if (has_cpuset(in) && !str_is_empty(in->cpuset))
		fields_add(items,
			   in->layout->v2[CG_CPUSET] ? "lxc.cgroup2.cpuset.cpus"
						     : "lxc.cgroup.cpuset.cpus",
			   in->cpuset);
}

void cgroup_limits(const struct cgroup_limits *in, struct fields *items, struct fields *warnings)
{
	memory_limits(in, items, warnings);
	cpu_limits(in, items, warnings);
}

/* Nodes may be made, but only these may be opened. */
static const char *const allowed_devices[] = {
	"c *:* m",
	"b *:* m",
	"c 1:3 rwm" /* null */,
	"c 1:5 rwm" /* zero */,
	"c 1:7 rwm",
	"c 5:0 rwm",
	"c 5:1 rwm",
	"c 5:2 rwm" /* ptmx */,
	"c 1:8 rwm",
	"c 1:9 rwm",
	"c 136:* rwm" /* pts */,
};

static void allow_one(const char *allow, const char *rule, bool is_v2, struct fields *items)
{
	const char *access = strrchr(rule, ' ');

	if (!is_v2) {
		fields_add(items, allow, rule);
		return;
	}
	fields_addf(items, allow, "%.*s r", (int)(access - rule), rule);
	if (strchr(access, 'w'))
		fields_addf(items, allow, "%.*s rw", (int)(access - rule), rule);
}

void cgroup_devices(const struct cgroup_layout *layout, const struct fields *more,
		    struct fields *items)
{
	const char *version = layout->v1[CG_DEVICES] ? "cgroup" : "cgroup2";
	autofree char *deny = xasprintf("lxc.%s.devices.deny", version);
	autofree char *allow = xasprintf("lxc.%s.devices.allow", version);

	if (!layout->v1[CG_DEVICES] && !layout->v2[CG_DEVICES])
		return;
	fields_add(items, deny, "a");
	for (size_t i = 0; i < ARRAY_SIZE(allowed_devices); i++)
		fields_add(items, allow, allowed_devices[i]);
	for (size_t i = 0; i < more->count; i++)
		allow_one(allow, more->items[i].value, !layout->v1[CG_DEVICES], items);
}

bool cgroup_device_is_common(char kind, unsigned major, unsigned minor)
{
	autofree char *one = xasprintf("%c %u:%u rwm", kind, major, minor);
	autofree char *all = xasprintf("%c %u:* rwm", kind, major);

	for (size_t i = 0; i < ARRAY_SIZE(allowed_devices); i++)
		if (str_eq(allowed_devices[i], one) || str_eq(allowed_devices[i], all))
			return true;
	return false;
}
