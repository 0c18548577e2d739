/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /nodes/{node}/kvm and POST /nodes/{node}/kvm-check: whether virtual machines may use the processor's
 * virtualisation, and the job that finds out. Additions to the contract. Core's loop. */
#include <unistd.h>

#include "agent/api/api.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/kvm_record.h"

#define JOB "kvmcheck"

static void write_record(struct json *j, const struct kvm_record *record)
{
	json_kv_bool(j, "usable", record->is_usable);
	json_kv_string(j, "reason", record->reason);
	json_kv_uint(j, "tested", record->tested);
	json_kv_string(j, "kernel", record->kernel);
	json_kv_bool(j, "outdated", kvm_record_is_outdated(record));
	if (!record->is_usable)
		json_kv_string(j, "remedy", KVM_REMEDY);
}

/* Known without a test. */
static void write_absent(struct json *j)
{
	json_kv_bool(j, "usable", false);
	json_kv_string(j, "reason", KVM_DEVICE " is not there");
	json_kv_string(j, "remedy", KVM_REMEDY);
}

static int get_kvm(struct api_request *req, struct err *err)
{
	autofree char *path = xasprintf("/nodes/%s/kvm", req->core->node);
	struct store_value value;
	struct kvm_record record;
	int r = 0;

	bool was_tested = store_get(req->core->store, path, &value);

	if (was_tested && (r = kvm_record_parse(value.data, value.size, &record, err)) < 0)
		return r;
	json_object_begin(&req->json);
	if (was_tested)
		write_record(&req->json, &record);
	else if (access(KVM_DEVICE, F_OK) != 0)
		write_absent(&req->json);
	json_object_end(&req->json);
	return 0;
}

static int start_check(struct api_request *req, struct err *err)
{
	struct jobs *jobs = req->core->jobs;

	for (const struct task *task = jobs_next(jobs, NULL); task; task = jobs_next(jobs, task)) {
		if (task->state == TASK_RUNNING && str_eq(task->id.type, JOB))
			return err_set(err, ERR_BUSY, "a test of KVM is running already");
	}
	return api_start_job(req, &(struct job_spec){.program = JOB_HOST, .command = JOB, .fd = -1},
			     err);
}

static const struct param node_params[] = {
	PARAM_NODE,
	PARAM_END,
};

static const char kvm_returns[] = "{\"type\":\"object\",\"properties\":{"
				  "\"usable\":{\"type\":\"boolean\",\"optional\":1},"
				  "\"reason\":{\"type\":\"string\",\"optional\":1},"
				  "\"tested\":{\"type\":\"integer\",\"optional\":1},"
				  "\"kernel\":{\"type\":\"string\",\"optional\":1},"
				  "\"outdated\":{\"type\":\"boolean\",\"optional\":1},"
				  "\"remedy\":{\"type\":\"string\",\"optional\":1}}}";

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/kvm",
	 .text = "What the last test of KVM found: nothing if there was none; outdated if another "
		 "kernel runs since.",
	 .params = node_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Audit"},
	 .returns = kvm_returns,
	 .handle = get_kvm},
	{.verb = API_POST,
	 .path = "/nodes/{node}/kvm-check",
	 .text = "Test whether KVM is usable, with a small machine that has no disk and no "
		 "network. "
		 "No guest is touched.",
	 .params = node_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Modify"},
	 .returns = "{\"type\":\"string\"}",
	 .handle = start_check},
};

const struct api_table api_table_node_kvm = {routes, ARRAY_SIZE(routes)};
