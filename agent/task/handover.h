/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a program that knows a library gives descriptors to the job that started it: one message on its
 * standard input, a Unix socket. So neither the job nor what it starts later has that library, and a library
 * that hangs is ended with its process. Runs in job processes. */
#pragma once

#include "agent/base/clock.h"
#include "agent/base/err.h"

#define HANDOVER_FDS_MAX 3

/* In the program: the descriptors, or the error (why->code not 0). Returns the program's exit code. */
int handover_send(const int *fds, unsigned count, const struct err *why);
/* In the job: starts argv, waits for its word, then for its end. Its stderr is the task log. Exactly `count`
 * descriptors, the caller's then. A program that fails or is too slow (ERR_TIMEOUT) is killed with its group. */
int handover_run(const char *const *argv, usec_t timeout, int *ret_fds, unsigned count,
		 struct err *err);
