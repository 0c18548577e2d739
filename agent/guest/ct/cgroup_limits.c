/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's limits as liblxc's cgroup items. Pure. */
#include "agent/guest/ct/cgroup.h"

#include <stdint.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define MIB	       (1024ull * 1024)
#define DEFAULT_MEMORY 512 /* MiB, as the contract has it */
#define DEFAULT_SWAP   512
#define CPU_PERIOD     100000 /* microseconds */

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

static void memory_limits(const struct cgroup_layout *layout, const struct guest_config *config,
			  struct fields *items, struct fields *warnings)
{
	uint64_t memory = number(config, "memory", DEFAULT_MEMORY) * MIB;
	uint64_t swap = number(config, "swap", DEFAULT_SWAP) * MIB;

	if (layout->v2[CG_MEMORY]) {
		fields_addf(items, "lxc.cgroup2.memory.max", "%llu", (unsigned long long)memory);
		fields_addf(items, "lxc.cgroup2.memory.swap.max", "%llu", (unsigned long long)swap);
	} else if (layout->v1[CG_MEMORY]) {
		fields_addf(items, "lxc.cgroup.memory.limit_in_bytes", "%llu",
			    (unsigned long long)memory);
		if (layout->has_v1_swap)
			fields_addf(items, "lxc.cgroup.memory.memsw.limit_in_bytes", "%llu",
				    (unsigned long long)(memory + swap));
		else if (guest_config_get(config, "swap"))
			warn(warnings, "swap", "swap");
	} else {
		warn(warnings, "memory", "memory");
	}
}

/* cores and cpulimit bound the same thing: the smaller one counts. 0: unlimited. In microseconds of
 * CPU time a period. */
static uint64_t cpu_quota(const struct guest_config *config, unsigned host_cpus)
{
	const char *text = guest_config_get(config, "cpulimit");
	double cpus = (double)number(config, "cores", 0), limit;

	if (text && str_to_double(text, &limit) && limit > 0 && (cpus == 0 || limit < cpus))
		cpus = limit;
	return cpus <= 0 || cpus >= host_cpus ? 0 : (uint64_t)(cpus * CPU_PERIOD);
}

static void cpu_limits(const struct cgroup_layout *layout, const struct guest_config *config,
		       unsigned host_cpus, struct fields *items, struct fields *warnings)
{
	uint64_t quota = cpu_quota(config, host_cpus);
	uint64_t units = number(config, "cpuunits", 0);

	if (!layout->v2[CG_CPU] && !layout->v1[CG_CPU]) {
		if (quota || units)
			warn(warnings, quota ? "cores" : "cpuunits", "CPU time");
		return;
	}
	if (quota && layout->v2[CG_CPU]) {
		fields_addf(items, "lxc.cgroup2.cpu.max", "%llu %u", (unsigned long long)quota,
			    CPU_PERIOD);
	} else if (quota) {
		fields_addf(items, "lxc.cgroup.cpu.cfs_period_us", "%u", CPU_PERIOD);
		fields_addf(items, "lxc.cgroup.cpu.cfs_quota_us", "%llu",
			    (unsigned long long)quota);
	}
	if (units && layout->v2[CG_CPU])
		fields_addf(items, "lxc.cgroup2.cpu.weight", "%llu",
			    (unsigned long long)(units > 10000 ? 10000 : units));
	else if (units)
		fields_addf(items, "lxc.cgroup.cpu.shares", "%llu",
			    (unsigned long long)(units < 2 ? 2 : units));
}

void cgroup_limits(const struct cgroup_layout *layout, const struct guest_config *config,
		   unsigned host_cpus, struct fields *items, struct fields *warnings)
{
	memory_limits(layout, config, items, warnings);
	cpu_limits(layout, config, host_cpus, items, warnings);
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

void cgroup_devices(const struct cgroup_layout *layout, struct fields *items)
{
	const char *version = layout->v1[CG_DEVICES] ? "cgroup" : "cgroup2";
	autofree char *deny = xasprintf("lxc.%s.devices.deny", version);
	autofree char *allow = xasprintf("lxc.%s.devices.allow", version);

	if (!layout->v1[CG_DEVICES] && !layout->v2[CG_DEVICES])
		return;
	fields_add(items, deny, "a");
	for (size_t i = 0; i < ARRAY_SIZE(allowed_devices); i++)
		fields_add(items, allow, allowed_devices[i]);
}
