/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacking a template, by `lodge-task unpack` (agent/task/host/unpack.h). */
#pragma once

#include "agent/base/clock.h"
#include "agent/base/err.h"

/* program: lodge-task. rate: bytes a second at most, 0: no bound. archive and root: descriptors. Waits until it ended; at the deadline it is killed.
 * Errors are the unpacker's own. */
struct ct_unpack {
	const char *program;
	int archive, root;
	uint64_t rate;
	usec_t deadline;
};
int ct_unpack(const struct ct_unpack *what, struct err *err);
