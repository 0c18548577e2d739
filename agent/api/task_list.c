/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /nodes/{node}/tasks and /cluster/tasks: filtered lists, newest first. Core's loop. */
#include <stdio.h>
#include <string.h>

#include "agent/api/task_entry.h"
#include "agent/base/str.h"

#define LIMIT_DEFAULT	  50
#define CLUSTER_TASKS_MAX 50

struct filter {
	const char *type, *user, *vmid; /* NULL: any */
	bool wants_active, wants_archive, only_errors;
	int64_t since, until;  /* wall clock, seconds; 0: open */
	char *const *statuses; /* "ok", "error", …; NULL: any */
};

/* Name of a result in the status filter. */
static const char *status_class(const struct task *task)
{
	if (!task->exit_text)
		return "unknown";
	if (str_eq(task->exit_text, "OK"))
		return "ok";
	if (str_starts(task->exit_text, "WARNINGS: "))
		return "warning";
	return str_eq(task->exit_text, "unexpected status") ? "unknown" : "error";
}

static bool time_matches(const struct filter *f, const struct task *task)
{
	int64_t start = (int64_t)task->id.start_time;
	return (!f->since || start >= f->since) && (!f->until || start <= f->until);
}

static bool filter_matches(const struct filter *f, const struct task *task)
{
	bool is_running = task->state == TASK_RUNNING;
	if (is_running ? !f->wants_active : !f->wants_archive)
		return false;
	if (f->type && !str_eq(f->type, task->id.type))
		return false;
	if (f->user && !strstr(task->id.user, f->user))
		return false;
	if (f->vmid && !str_eq(f->vmid, task->id.id))
		return false;
	if (f->only_errors && (is_running || str_eq(task->exit_text, "OK")))
		return false;
	if (f->statuses && (is_running || !strv_has(f->statuses, status_class(task))))
		return false;
	return time_matches(f, task);
}

static struct filter filter_of(const struct api_request *req, char *const *statuses)
{
	const char *source = api_str(req, "source");
	bool all = str_eq(source, "all");
	return (struct filter){.type = api_str(req, "typefilter"),
			       .user = api_str(req, "userfilter"),
			       .vmid = api_str(req, "vmid"),
			       .wants_active = all || str_eq(source, "active"),
			       .wants_archive = all || !source || str_eq(source, "archive"),
			       .only_errors = api_bool(req, "errors", false),
			       .since = api_int(req, "since", 0),
			       .until = api_int(req, "until", 0),
			       .statuses = statuses};
}

/* Writes one page; returns how many match in all. */
static uint64_t write_page(struct api_request *req, const struct filter *f, bool all)
{
	int64_t start = api_int(req, "start", 0), limit = api_int(req, "limit", LIMIT_DEFAULT);
	int64_t total = 0;
	json_array_begin(&req->json);
	for (const struct task *task = jobs_next(req->core->jobs, NULL); task;
	     task = jobs_next(req->core->jobs, task)) {
		if ((!all && !task_is_own(&req->who, task)) || !filter_matches(f, task))
			continue;
		if (total >= start && (limit == 0 || total - start < limit))
			task_write_entry(&req->json, task);
		total++;
	}
	json_array_end(&req->json);
	return (uint64_t)total;
}

static int get_node_tasks(struct api_request *req, struct err *err)
{
	char path[96];
	const char *wanted = api_str(req, "statusfilter");
	autostrv char **statuses = wanted ? str_split(wanted, ",; ") : NULL;
	struct filter filter = filter_of(req, statuses);
	(void)err;
	snprintf(path, sizeof(path), "/nodes/%s", req->core->node);
	uint64_t total = write_page(req, &filter, api_may(req, path, "Sys.Audit"));
	fields_addf(&req->extra, "total", "%llu", (unsigned long long)total);
	return 0;
}

static int get_cluster_tasks(struct api_request *req, struct err *err)
{
	bool all = api_may(req, "/", "Sys.Audit");
	unsigned count = 0;
	(void)err;
	json_array_begin(&req->json);
	for (const struct task *task = jobs_next(req->core->jobs, NULL);
	     task && count < CLUSTER_TASKS_MAX; task = jobs_next(req->core->jobs, task)) {
		if (!all && !task_is_own(&req->who, task))
			continue;
		task_write_entry(&req->json, task);
		count++;
	}
	json_array_end(&req->json);
	return 0;
}

static const char *const sources[] = {"archive", "active", "all", NULL};

static const struct param params[] = {
	PARAM_NODE,
	{.name = "start",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .text = "Number of tasks to leave out at the beginning.",
	 .default_text = "0"},
	{.name = "limit",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .text = "At most so many tasks; 0 is all.",
	 .default_text = "50"},
	{.name = "errors",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Only tasks that did not end well.",
	 .default_text = "0"},
	{.name = "source",
	 .optional = true,
	 .choices = sources,
	 .text = "Ended tasks, running ones, or all.",
	 .default_text = "archive"},
	{.name = "typefilter", .optional = true, .text = "Only tasks of this type."},
	{.name = "userfilter", .optional = true, .text = "Only tasks whose user holds this text."},
	{.name = "statusfilter",
	 .optional = true,
	 .pattern = "(ok|error|warning|unknown)([,; ]+(ok|error|warning|unknown))*",
	 .text = "Only tasks that ended like this: ok, error, warning, unknown."},
	{.name = "vmid",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 100,
	 .has_max = true,
	 .max = 999999999,
	 .text = "Only tasks of this guest."},
	{.name = "since",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .text = "Started then or later."},
	{.name = "until",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .text = "Started then or before."},
	PARAM_END,
};

#define RETURNS                                                                                    \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"                      \
	"\"upid\":{\"type\":\"string\"},\"node\":{\"type\":\"string\"},"                           \
	"\"pid\":{\"type\":\"integer\"},\"pstart\":{\"type\":\"integer\"},"                        \
	"\"starttime\":{\"type\":\"integer\"},\"type\":{\"type\":\"string\"},"                     \
	"\"id\":{\"type\":\"string\"},\"user\":{\"type\":\"string\"},"                             \
	"\"endtime\":{\"type\":\"integer\",\"optional\":1},"                                       \
	"\"status\":{\"type\":\"string\",\"optional\":1}}}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/tasks",
	 .text = "Tasks of a node, newest first.",
	 .params = params,
	 .permission = {.kind = API_USER,
			.text = "Own tasks; those of others need Sys.Audit on /nodes/{node}."},
	 .returns = RETURNS,
	 .handle = get_node_tasks},
	{.verb = API_GET,
	 .path = "/cluster/tasks",
	 .text = "The newest tasks of the cluster.",
	 .permission = {.kind = API_USER,
			.text = "Own tasks; those of others need Sys.Audit on /."},
	 .returns = RETURNS,
	 .handle = get_cluster_tasks},
};

const struct api_table api_table_task_list = {routes, ARRAY_SIZE(routes)};
