/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What task lists and single tasks have in common. Core's loop. */
#include "agent/api/task_entry.h"

#include "agent/base/str.h"

bool task_is_own(const struct identity *who, const struct task *task)
{
	const char *user = task->id.user;
	if (who->is_token)
		return str_eq(user, who->tokenid);
	const char *rest = str_after(user, who->userid);
	return rest && (*rest == '\0' || *rest == '!');
}

void task_write_members(struct json *j, const struct task *task)
{
	json_kv_string(j, "upid", task->upid);
	json_kv_string(j, "node", task->id.node);
	json_kv_int(j, "pid", task->id.pid);
	json_kv_uint(j, "pstart", task->id.pid_start);
	json_kv_uint(j, "starttime", task->id.start_time);
	json_kv_string(j, "type", task->id.type);
	json_kv_string(j, "id", task->id.id);
	json_kv_string(j, "user", task->id.user);
}

void task_write_entry(struct json *j, const struct task *task)
{
	json_object_begin(j);
	task_write_members(j, task);
	if (task->state == TASK_STOPPED) {
		json_kv_uint(j, "endtime", task->end_time);
		json_kv_string(j, "status", task->exit_text);
	}
	json_object_end(j);
}
