/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and stopping a virtual machine, as jobs do it. */
#pragma once

#include "agent/guest/vm/hypervisor.h"
#include "agent/guest/vm/record.h"
#include "agent/task/task.h"

/* Merges pending changes, makes the domain paused, checks again, lets it run, tells the core. ERR_UNKNOWN:
 * it may run now, later or never; the core knows that, too. */
int vm_start(struct task_ctx *task, struct err *err);
/* The running machine; one that has no record gets it. ERR_BUSY "VM 101 not running". */
int vm_require_running(struct task_ctx *task, struct hv **ret_hv, struct vm_record *ret,
		       struct err *err);
/* Certainly not running: libvirtd answered so, or neither it nor the machine's process is there. */
int vm_require_stopped(struct task_ctx *task, struct err *err);
/* Ends it at once. */
int vm_stop(struct task_ctx *task, struct hv *hv, const struct vm_record *record, struct err *err);
/* Asks its agent or presses its power button. After timeout_s: ends it if force, else ERR_TIMEOUT. */
int vm_shutdown(struct task_ctx *task, struct hv *hv, const struct vm_record *record,
		unsigned timeout_s, bool force, struct err *err);
/* May machines use the processor's virtualisation on this node? ERR_UNSUPPORTED with the remedy. */
int vm_kvm_check(struct task_ctx *task, struct err *err);
/* A job's argument in seconds, or a flag. */
unsigned vm_timeout_arg(const struct task_ctx *task, unsigned fallback);
bool vm_bool_arg(const struct task_ctx *task, const char *name);

#define VM_CALL_TIMEOUT 60 /* s, for libvirtd to answer */
