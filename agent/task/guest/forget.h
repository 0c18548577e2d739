/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a guest in the store. */
#pragma once

#include "agent/task/task.h"

/* In one step: its configuration, if that is still of this version, its place in a pool, and all rights on it; those
 * stay with keeps_rights, for one that was never made. */
int task_guest_forget(struct task_ctx *task, const char *kind, uint64_t version, bool keeps_rights,
		      struct err *err);
