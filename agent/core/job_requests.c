/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which request began which job. A job's record holds it, so it survives the core; of a job that ended while there was
 * none the next core finds the record. Runs on the core's loop. */
#include "agent/base/str.h"
#include "agent/core/jobs_internal.h"

static const char *request_of(const struct job_record *record)
{
	return fields_get(&record->args, JOB_ARG_REQUEST);
}

void job_keep_request(struct jobs *jobs, const char *upid, const struct job_record *record)
{
	struct job_request *kept = &jobs->requests[jobs->request_count % JOBS_REQUESTS_KEPT];
	const char *request = request_of(record);

	if (!request || !str_copy(kept->request, sizeof(kept->request), request) ||
	    !str_copy(kept->upid, sizeof(kept->upid), upid))
		return;
	jobs->request_count++;
}

bool jobs_find_request(const struct jobs *jobs, const char *request, char ret_upid[UPID_MAX])
{
	LIST_FOREACH (&jobs->running, job, struct job, link) {
		if (str_eq(request_of(&job->record), request))
			return str_copy(ret_upid, UPID_MAX, job->task->upid);
	}
	for (size_t i = 0; i < JOBS_REQUESTS_KEPT; i++)
		if (jobs->requests[i].request[0] && str_eq(jobs->requests[i].request, request))
			return str_copy(ret_upid, UPID_MAX, jobs->requests[i].upid);
	return false;
}
