/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that fill volumes take turns: more at once than the node has processors for only makes each of them slower, and
 * takes memory for all. A storage that hangs keeps its jobs, and with them their places, for hours: one more place is
 * kept for each pair of storages, so that the others go on. Runs in jobs. */
#pragma once

#include "agent/task/task.h"

/* Waits for one of the places, and says so in the log. from, to: the storages, by id; NULL: not known. The place is the
 * process': given back when it ends, or by task_slot_leave(). ERR_CANCELLED. Must be left before something is forked
 * that stays. */
int task_slot_enter(struct task_ctx *task, const char *from, const char *to, struct err *err);
void task_slot_leave(void);
