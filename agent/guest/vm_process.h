/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of virtual machines' domains and the emulator's process behind one. Used by jobs and by the monitor;
 * knows no libvirt. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/err.h"

#define VM_DOMAIN_NAME_SIZE 32

/* "lodge-101" */
void vm_domain_name(unsigned vmid, char ret[VM_DOMAIN_NAME_SIZE]);
/* The other way round; false for every name that is not exactly one of ours. */
bool vm_domain_vmid(const char *name, unsigned *ret);
/* QEMU's process of a domain, by libvirt's pid file; its start in clock ticks since boot. ERR_NOT_FOUND: it
 * is gone, whatever the file says. */
int vm_process_find(const char *name, pid_t *ret_pid, uint64_t *ret_start, struct err *err);
