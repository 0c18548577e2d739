/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a node's test of KVM found, as the store keeps it at /nodes/NODE/kvm and the supervisor reads it
 * from path_state()/kvm: lines "usable: 0|1", "reason: TEXT", "tested: SECONDS", "kernel: RELEASE". Pure
 * but for the kernel that runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

#define KVM_DEVICE	"/dev/kvm"
#define KVM_RECORD_FILE "kvm" /* below path_state() */
#define KVM_RECORD_MAX	4096
/* For whoever reads that it is not usable. */
#define KVM_REMEDY                                                                                 \
	"switch virtualisation on in the firmware (or nested virtualisation in the host of this "  \
	"machine) and run 'lodge kvm-check', or set kvm to 0 on each virtual machine"

struct kvm_record {
	bool is_usable;
	char reason[256];
	uint64_t tested; /* wall clock, seconds */
	char kernel[72]; /* release that it was tested under */
};

/* ERR_CORRUPT: usable is missing or no boolean. Other missing lines are empty. */
int kvm_record_parse(const char *text, size_t size, struct kvm_record *ret, struct err *err);
void kvm_record_format(const struct kvm_record *record, struct buf *out);
/* Another kernel runs now: what was found may no longer hold. */
bool kvm_record_is_outdated(const struct kvm_record *record);
const char *kvm_kernel_release(void); /* of the kernel that runs; constant */
