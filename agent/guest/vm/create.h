/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What creation and its undoing share. */
#pragma once

#include "agent/task/task.h"

/* Removes a config that still has "lock: create" and the volumes that it names, but those in `kept` (drive
 * keys, may be NULL). Any other config is left alone. Does it again without harm. */
int vm_create_undo(struct task_ctx *task, const struct fields *kept, struct err *err);
