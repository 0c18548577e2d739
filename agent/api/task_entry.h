/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks as the API shows them: who may see which, and their common members. */
#pragma once

#include "agent/api/api.h"

/* The caller's own: started by the user, or by one of the user's tokens. */
bool task_is_own(const struct identity *who, const struct task *task);
/* upid, node, pid, pstart, starttime, type, id, user into the open object. */
void task_write_members(struct json *j, const struct task *task);
/* The same for lists: with endtime and status once it has ended. */
void task_write_entry(struct json *j, const struct task *task);
