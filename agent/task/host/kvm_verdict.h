/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what became of a test machine to what may be said of KVM. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/clock.h"

#define KVM_CHECK_TIMEOUT (15 * USEC_PER_SEC)
#define KVM_READY_LINE	  "lodge-iso ready"

/* One run of the test machine. */
struct kvm_run {
	bool was_ready; /* it printed KVM_READY_LINE */
	bool has_ended; /* by itself; otherwise it was killed at the deadline */
	int status;	/* wait status, when it has ended */
	usec_t elapsed;
	const char *errors; /* what QEMU said on stderr */
};

enum kvm_verdict {
	KVM_UNUSABLE,
	KVM_USABLE,
	KVM_UNDECIDED, /* the test itself failed; what was known before stays */
};

/* Writes the reason, one printable line. */
enum kvm_verdict kvm_verdict(const struct kvm_run *run, char *reason, size_t size);
