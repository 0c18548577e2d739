/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What creation and its undoing share. */
#pragma once

#include "agent/task/task.h"

/* Frees the volume named by a config that still has "lock: create", then removes that config. Any
 * other config is left alone. Does it again without harm. */
int create_undo(struct task_ctx *task, bool may_free_volume, struct err *err);
