/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a running virtual machine between processes: path_run()/guests/VMID, written while it
 * is still paused, so before its first instruction, and again when it runs. The monitor of the node and later
 * jobs read it. Fields: pid, pid_start (QEMU's), boot, kind ("qemu"), started (wall clock, s), starting ("1"
 * in the first one). A domain that is paused and has no record, or that one, was given up by its start. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"

struct vm_record {
	pid_t pid;
	uint64_t pid_start; /* clock ticks since boot */
	uint64_t started;
	bool is_starting; /* nobody saw it run yet: libvirtd's list decides whether it does */
};

int vm_record_write(unsigned vmid, const struct vm_record *record, struct err *err);
void vm_record_remove(unsigned vmid);
/* true when the recorded process lives. */
bool vm_record_find(unsigned vmid, struct vm_record *ret);
/* QEMU's process of a domain, from libvirt's pid file. */
int vm_record_of_domain(const char *name, struct vm_record *ret, struct err *err);
/* Tells the core; state "running", "stopped" or "unknown". Never fails the job. */
void vm_tell(unsigned vmid, const char *state, const struct vm_record *record);
