/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/tasks/{upid}: status, log and stop of one task. Core's loop. */
#include <stdio.h>

#include "agent/api/task_entry.h"
#include "agent/api/task_log.h"
#include "agent/base/str.h"

#define LOG_LIMIT_DEFAULT 50

/* The request's task, if the caller may use it: own ones, or with the privilege on the node. */
static int find_task(const struct api_request *req, const char *privilege, const struct task **ret,
		     struct err *err)
{
	char path[96];
	struct upid upid;
	if (upid_parse(api_str(req, "upid"), &upid, NULL) < 0)
		return err_field(err, "upid", "unable to parse worker upid");
	const struct task *task = jobs_find(req->core->jobs, api_str(req, "upid"));
	if (!task)
		return err_field(err, "upid", "no such task");
	snprintf(path, sizeof(path), "/nodes/%s", req->core->node);
	if (!task_is_own(&req->who, task)) {
		int r = api_check(req, path, privilege, false, err);
		if (r < 0)
			return r;
	}
	*ret = task;
	return 0;
}

static int get_index(struct api_request *req, struct err *err)
{
	const struct task *task;
	int r = find_task(req, "Sys.Audit", &task, err);
	return r < 0 ? r : api_index_names(req, err);
}

static int get_status(struct api_request *req, struct err *err)
{
	const struct task *task;
	int r = find_task(req, "Sys.Audit", &task, err);
	if (r < 0)
		return r;
	json_object_begin(&req->json);
	task_write_members(&req->json, task);
	json_kv_string(&req->json, "status", task->state == TASK_RUNNING ? "running" : "stopped");
	if (task->state == TASK_STOPPED)
		json_kv_string(&req->json, "exitstatus", task->exit_text);
	json_object_end(&req->json);
	return 0;
}

static int get_log(struct api_request *req, struct err *err)
{
	const struct task *task;
	uint64_t total = 0;
	uint64_t limit = (uint64_t)api_int(req, "limit", LOG_LIMIT_DEFAULT);
	int r = find_task(req, "Sys.Audit", &task, err);
	if (r < 0)
		return r;
	if (api_bool(req, "download", false))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: logs come in windows of lines only");
	if (limit == 0 || limit > TASK_LOG_LINES_MAX)
		limit = TASK_LOG_LINES_MAX;
	autofree char *path = jobs_log_path(req->core->jobs, task->upid);
	r = task_log_write(path, (uint64_t)api_int(req, "start", 0), limit, &req->json, &total,
			   err);
	if (r == 0)
		fields_addf(&req->extra, "total", "%llu", (unsigned long long)total);
	return r;
}

static int stop_task(struct api_request *req, struct err *err)
{
	const struct task *task;
	int r = find_task(req, "Sys.Modify", &task, err);
	if (r < 0 || task->state != TASK_RUNNING)
		return r;
	return jobs_stop(req->core->jobs, task->upid, err);
}

#define UPID_PARAM                                                                                 \
	{                                                                                          \
		.name = "upid", .text = "The task."                                                \
	}

static const struct param task_params[] = {PARAM_NODE, UPID_PARAM, PARAM_END};

static const struct param log_params[] = {
	PARAM_NODE,
	UPID_PARAM,
	{.name = "start",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .text = "Number of lines to leave out at the beginning.",
	 .default_text = "0"},
	{.name = "limit",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .text = "At most so many lines; 0 is as many as one answer may have.",
	 .default_text = "50"},
	{.name = "download",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "The whole file as text (not available).",
	 .default_text = "0"},
	PARAM_END,
};

#define OWN_OR_AUDIT                                                                               \
	{                                                                                          \
		.kind = API_HANDLER, .text = "Own tasks, or Sys.Audit on /nodes/{node}."           \
	}
#define STRING	"{\"type\":\"string\"}"
#define INTEGER "{\"type\":\"integer\"}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/tasks/{upid}",
	 .text = "List what there is of a task.",
	 .params = task_params,
	 .permission = OWN_OR_AUDIT,
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{}}}",
	 .handle = get_index},
	{.verb = API_DELETE,
	 .path = "/nodes/{node}/tasks/{upid}",
	 .text = "Stop a task.",
	 .params = task_params,
	 .permission = {.kind = API_HANDLER, .text = "Own tasks, or Sys.Modify on /nodes/{node}."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = stop_task},
	{.verb = API_GET,
	 .path = "/nodes/{node}/tasks/{upid}/status",
	 .text = "Whether a task runs, and how it ended.",
	 .params = task_params,
	 .permission = OWN_OR_AUDIT,
	 .returns = "{\"type\":\"object\",\"properties\":{\"upid\":" STRING ",\"node\":" STRING
		    ",\"pid\":" INTEGER ",\"pstart\":" INTEGER ",\"starttime\":" INTEGER
		    ",\"type\":" STRING ",\"id\":" STRING ",\"user\":" STRING ",\"status\":" STRING
		    ",\"exitstatus\":{\"type\":\"string\",\"optional\":1}}}",
	 .handle = get_status},
	{.verb = API_GET,
	 .path = "/nodes/{node}/tasks/{upid}/log",
	 .text = "Lines of a task's log.",
	 .params = log_params,
	 .permission = OWN_OR_AUDIT,
	 .returns =
		 "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"n\":" INTEGER
		 ",\"t\":" STRING "}}}",
	 .handle = get_log},
};

const struct api_table api_table_tasks = {routes, ARRAY_SIZE(routes)};
