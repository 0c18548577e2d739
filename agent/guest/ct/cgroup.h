/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups of containers on v1, hybrid and v2 hosts: which controllers there are, what limits
 * they take, and what a stopped container left behind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/fields.h"
#include "agent/guest/config.h"

enum cgroup_controller { CG_MEMORY, CG_CPU, CG_DEVICES, CG_COUNT };

#define CG_MOUNTS_MAX 32

struct cgroup_layout {
	bool v1[CG_COUNT], v2[CG_COUNT];
	bool has_v1_swap;	     /* v1 memory with swap accounting */
	bool has_v2;		     /* any unified tree is mounted */
	char mounts[CG_MOUNTS_MAX][128]; /* where the trees are mounted, "" ends */
};

/* Pure: mountinfo of a process and the unified tree's cgroup.controllers ("" when there is none). */
void cgroup_layout_parse(const char *mountinfo, const char *controllers, struct cgroup_layout *ret);
void cgroup_layout_read(struct cgroup_layout *ret);
/* Adds liblxc's lxc.cgroup.* or lxc.cgroup2.* items for memory, swap, cores, cpulimit, cpuunits.
 * Limits that this host cannot keep add a text named "warning" to warnings. */
void cgroup_limits(const struct cgroup_layout *layout, const struct guest_config *config,
		   unsigned host_cpus, struct fields *items, struct fields *warnings);
/* Which devices a privileged container may use. */
void cgroup_devices(const struct cgroup_layout *layout, struct fields *items);
/* Removes the empty groups that liblxc named after this container. */
void cgroup_remove(const struct cgroup_layout *layout, unsigned vmid);
