/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups of containers on v1, hybrid and v2 hosts: which controllers there are, what limits
 * they take, at start and while they run, and what a stopped container left behind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/clock.h"
#include "agent/base/fields.h"
#include "agent/guest/config.h"

enum cgroup_controller { CG_MEMORY, CG_CPU, CG_DEVICES, CG_CPUSET, CG_FREEZER, CG_COUNT };

/* Of a device. CG_WRITE: both. */
enum cgroup_access { CG_NOTHING, CG_READ, CG_WRITE };

#define CG_MOUNTS_MAX 32
#define CG_CPUS_MAX   1024

struct cgroup_layout {
	bool v1[CG_COUNT], v2[CG_COUNT];
	bool has_v1_swap;		       /* v1 memory with swap accounting */
	bool has_v2;			       /* any unified tree is mounted */
	char mounts[CG_MOUNTS_MAX][128];       /* where the trees are mounted, "" ends */
	unsigned v1_mount[CG_COUNT], v2_mount; /* which of them; valid with v1[] and has_v2 */
};

/* Pure: mountinfo of a process and the unified tree's cgroup.controllers ("" when there is none). */
void cgroup_layout_parse(const char *mountinfo, const char *controllers, struct cgroup_layout *ret);
void cgroup_layout_read(struct cgroup_layout *ret);
/* Adds liblxc's lxc.cgroup.* or lxc.cgroup2.* items for memory, swap, cores, cpulimit, cpuunits.
 * Limits that this host cannot keep add a text named "warning" to warnings. cpuset: the processors that cores
 * stands for ("0-1"), "" for all; not looked at without that controller. is_live: also what lifts a limit. */
struct cgroup_limits {
	const struct cgroup_layout *layout;
	const struct guest_config *config;
	unsigned host_cpus;
	const char *cpuset;
	bool is_live;
};
void cgroup_limits(const struct cgroup_limits *in, struct fields *items, struct fields *warnings);
/* Which devices a container may use beside those that all have: "c 10:229 rwm", or "rm" for reading only. On v2 each
 * becomes "c 10:229 r" and then "c 10:229 rw", so that each can be turned alone later (lxc_device.h); all may make nodes. */
void cgroup_devices(const struct cgroup_layout *layout, const struct fields *more,
		    struct fields *items);
/* Is "c 1:3" among those that all have? Pure. */
bool cgroup_device_is_common(char kind, unsigned major, unsigned minor);
/* Removes the empty groups that liblxc named after this container. */
void cgroup_remove(const struct cgroup_layout *layout, unsigned vmid);

/* -- of a running container; groups: the text of its init's /proc/PID/cgroup -- */

/* The folder of its group in the tree that has this controller (CG_FREEZER on v2: the unified one); the group
 * that liblxc named, not one that its init moved to. Pure. false: there is none. */
bool cgroup_path(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		 enum cgroup_controller controller, char *ret, size_t size);
/* Writes items of cgroup_limits(), in an order that the kernel takes. A limit below what is in use is ERR_BUSY. */
int cgroup_apply(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		 const struct fields *items, struct err *err);
/* v1: what it may do with a device ("c 10:229") from now on, there and in the groups below, which keep what they had. On
 * v2 a program decides, which liblxc alone can change: see lxc_device.h. */
int cgroup_device_set(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		      const char *device, enum cgroup_access access, struct err *err);
/* Bytes that were swapped out under an earlier, larger limit: v2 takes any, and leaves them where they are. */
uint64_t cgroup_swap_beyond(const struct cgroup_layout *layout, const char *groups, unsigned vmid);
/* Freezes or thaws all of its processes, and waits until that is done. A freeze that takes too long is taken
 * back. */
int cgroup_freeze(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		  bool freeze, usec_t deadline, struct err *err);
bool cgroup_is_frozen(const struct cgroup_layout *layout, const char *groups, unsigned vmid);
/* How often the kernel killed for want of memory in the group at `path`, which is of CG_MEMORY. */
unsigned long cgroup_oom_kills(const struct cgroup_layout *layout, const char *path);

/* -- processors -- */

/* "0-3,8" as flags; false: malformed, or beyond CG_CPUS_MAX. Pure. */
bool cpuset_parse(const char *text, bool ret[CG_CPUS_MAX]);
void cpuset_format(const bool set[CG_CPUS_MAX], struct buf *out);
/* `count` of the processors in `usable`: those that fewest others use, lowest first. Pure. */
void cpuset_choose(const bool usable[CG_CPUS_MAX], const unsigned users[CG_CPUS_MAX],
		   unsigned count, bool ret[CG_CPUS_MAX]);
/* For this container, looking at what the others have. "" when it may use all. */
void cpuset_all(const struct cgroup_layout *layout, struct buf *out); /* what all of them may use */
void cpuset_for(const struct cgroup_layout *layout, unsigned vmid, unsigned cores, struct buf *out);
