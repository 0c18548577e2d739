/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of a running container. Runs in jobs. */
#include "agent/base/str.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct/live.h"

static bool is_memory(const char *const *keys)
{
	return str_eq(keys[0], "memory") || str_eq(keys[0], "swap");
}

/* "lxc.cgroup2.memory.max" belongs to the keys that begin alike: of memory, or of processors. */
static bool concerns(const char *item, const char *const *keys)
{
	const char *file = str_after(item, "lxc.cgroup2.") ?: str_after(item, "lxc.cgroup.");

	return (file && str_starts(file, "memory.")) == is_memory(keys);
}

static void choose_cpus(const struct ct_host *host, unsigned vmid,
			const struct guest_config *config, struct buf *out)
{
	const char *text = guest_config_get(config, "cores");
	uint64_t cores = 0;

	if (text && str_to_u64(text, &cores) && cores < CG_CPUS_MAX)
		cpuset_for(&host->cgroups, vmid, (unsigned)cores, out);
	if (out->size == 0)
		cpuset_all(&host->cgroups, out);
}

static void tell_swap(struct task_ctx *task, const struct ct_host *host, const char *groups)
{
	uint64_t beyond = cgroup_swap_beyond(&host->cgroups, groups, task->guest);

	if (beyond)
		task_warn(task,
			  "swap: %llu MiB beyond the limit stay swapped out until they are used",
			  (unsigned long long)((beyond + (1 << 20) - 1) >> 20));
}

int ct_live_limits(struct task_ctx *task, const struct ct_record *record,
		   const struct guest_config *config, const char *const *keys, struct err *err)
{
	struct ct_host host;
	autofields items = FIELDS_INIT, wanted = FIELDS_INIT, warnings = FIELDS_INIT;
	autobuf groups = BUF_INIT, cpus = BUF_INIT;
	int r = ct_groups_read(record, &groups, err);

	if (r < 0)
		return r;
	ct_host_read(&host);
	choose_cpus(&host, task->guest, config, &cpus);
	cgroup_limits(&(struct cgroup_limits){.layout = &host.cgroups,
					      .config = config,
					      .host_cpus = host.cpus,
					      .cpuset = buf_str(&cpus),
					      .is_live = true},
		      &items, &warnings);
	for (size_t i = 0; i < items.count; i++)
		if (concerns(items.items[i].name, keys))
			fields_add(&wanted, items.items[i].name, items.items[i].value);
	r = cgroup_apply(&host.cgroups, buf_str(&groups), task->guest, &wanted, err);
	if (r == 0 && is_memory(keys))
		tell_swap(task, &host, buf_str(&groups));
	return r;
}
