/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts: what the monitor and the jobs observed. Memory only, never written to disk. Sent as call or
 * event fields of the names given in brackets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/clock.h"
#include "agent/base/fields.h"

enum guest_state { GUEST_UNKNOWN, GUEST_STOPPED, GUEST_RUNNING, GUEST_PAUSED };

struct guest_fact {
	unsigned vmid;	       /* [vmid] */
	bool is_machine;       /* [kind] "qemu"; left out: as before */
	enum guest_state state; /* [state] unknown|stopped|running|paused */
	char reason[16];       /* [reason] why it stopped: shutdown, destroyed, crashed, exited, …; "" unknown */
	/* With the reason of a container, where it is known, else 0: */
	unsigned exit_code;    /* [exit_code] of its init, "exited" */
	unsigned exit_signal;  /* [exit_signal] that ended its init */
	pid_t pid;	       /* [pid] init of the container, or the emulator */
	uint64_t pid_start;    /* [pid_start] clock ticks */
	uint64_t uptime;       /* [uptime] seconds at `observed` */
	double cpu;	       /* [cpu] 0..1 of the guest's cores, over the last interval */
	uint64_t mem, swap;    /* [mem] [swap] bytes */
	uint64_t disk, max_disk; /* [disk] [maxdisk] bytes of the root file system; 0 unknown */
	uint64_t disk_read, disk_write; /* [diskread] [diskwrite] bytes since start */
	uint64_t net_in, net_out;	/* [netin] [netout] bytes since start, as the guest sees it */
	usec_t observed;       /* monotonic, when it arrived */
	uint64_t generation;   /* counts up with each change; for cached encodings */
};

/* Field names are the members' names; load is "load1", "load5", "load15"; flags are 1 or 0. uptime,
 * mem_total and cpus must be there, absent others are 0 or "". */
struct node_fact {
	uint64_t uptime, mem_total, mem_used, mem_free, mem_available, swap_total, swap_used; /* bytes, s */
	uint64_t root_total, root_used, root_avail;
	double cpu, wait;	/* 0..1 */
	double load[3];
	unsigned cpus, cores, sockets;
	double mhz;
	char cpu_model[128];
	char cpu_flags[2048];
	bool hvm;
	char kernel_version[256]; /* the full text of uname */
	char kernel_release[128];
	char kernel_sysname[32];
	char kernel_machine[32];
	uint64_t ksm_shared;
	bool is_cgroup2;
	bool is_efi;
	usec_t observed; /* 0: nothing known yet */
};

struct facts;

struct facts *facts_new(void);
void facts_free(struct facts *facts);
/* From EVENT_GUEST, CALL_GUEST_STATE, EVENT_NODE: bad fields are an error and change nothing. vmid and
 * state must be there; absent others keep their value while the guest is the same process (pid and
 * pid_start), else they are 0. */
int facts_take_guest(struct facts *facts, const struct fields *f, struct err *err);
int facts_take_node(struct facts *facts, const struct fields *f, struct err *err);
void facts_hello(struct facts *facts);	/* the monitor (re)connected: guests are unknown until listed */
void facts_lost(struct facts *facts);	/* the monitor is gone: what was known stays until it returns */
/* Lists are of one kind, since libvirtd may not answer while everything else does. One begins; it is complete:
 * guests of the kind that it did not name are stopped; it cannot be made any more: all of the kind are unknown. */
void facts_kind_listing(struct facts *facts, bool machines);
void facts_kind_listed(struct facts *facts, bool machines);
void facts_kind_unlisted(struct facts *facts, bool machines);
/* The guest's configuration is gone: so is what its end left, unless it lives on. */
void facts_forget(struct facts *facts, unsigned vmid);
/* The guests that there are, in order of vmid: true and the first one after `after`. Unreported guests are
 * of the kind that it names, and their changes are told, too. Without it they are containers. */
typedef bool (*facts_next_fn)(unsigned after, unsigned *ret_vmid, bool *ret_is_machine, void *ctx);
void facts_set_guests(struct facts *facts, facts_next_fn next, void *ctx);
/* Never NULL: an unreported guest is stopped once a list was complete, unknown before. */
const struct guest_fact *facts_guest(const struct facts *facts, unsigned vmid);
const struct node_fact *facts_node(const struct facts *facts);
uint64_t facts_generation(const struct facts *facts);
const char *guest_state_name(enum guest_state state);
/* Listeners are called after the change, in the order in which they came, and stay for good. State:
 * once for each guest, also those that are not reported; once more (before is now) when the reason of a stop
 * becomes known. Node: the monitor's sample is complete, guests'
 * figures (told before) included; `before` is what was known of the node until now. */
typedef void (*facts_changed_fn)(unsigned vmid, enum guest_state before, enum guest_state now, void *ctx);
typedef void (*facts_node_fn)(const struct node_fact *before, void *ctx);
void facts_on_node(struct facts *facts, facts_node_fn fn, void *ctx);
void facts_on_state(struct facts *facts, facts_changed_fn fn, void *ctx);
