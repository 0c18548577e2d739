/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a guest in the store. */
#pragma once

#include "agent/task/task.h"

/* In one step: its configuration, if that is still of this version, and all rights on it. */
int task_guest_forget(struct task_ctx *task, const char *kind, uint64_t version, struct err *err);
