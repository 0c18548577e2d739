/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacking a template, by `lodge-task unpack` (agent/task/host/unpack.h). */
#pragma once

#include "agent/base/clock.h"
#include "agent/base/err.h"

/* program: lodge-task. archive and root: descriptors. Waits until it ended; at the deadline it is killed.
 * Errors are the unpacker's own. */
int ct_unpack(const char *program, int archive, int root, usec_t deadline, struct err *err);
