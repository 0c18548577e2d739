/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests waiting for jobs. Runs on the core's loop. */
#include "agent/api/await.h"

#include "agent/base/list.h"
#include "agent/base/str.h"

struct waiter {
	struct list link;
	struct api_request *req;
	char upid[UPID_MAX];
};

static struct list waiters = {&waiters, &waiters};

static void waiter_free(struct waiter *w)
{
	list_remove(&w->link);
	free(w);
}

static void forget(struct api_request *req)
{
	waiter_free(req->ctx);
}

static void answer(struct api_request *req, const char *exit_text)
{
	struct err err = ERR_INIT;

	if (str_eq(exit_text, "OK") || str_starts(exit_text, "WARNINGS: ")) {
		api_finish(req);
		return;
	}
	err_set(&err, ERR_BUSY, "%s", exit_text);
	api_fail(req, &err);
}

static void on_ended(const struct task *task, void *ctx)
{
	LIST_FOREACH (&waiters, w, struct waiter, link) {
		struct api_request *req = w->req;

		if (req->core != ctx || !str_eq(w->upid, task->upid))
			continue;
		waiter_free(w);
		req->cancel = NULL;
		answer(req, task->exit_text ?: "unexpected status");
	}
}

static void listen_once(struct core *core)
{
	static const struct jobs *listening;

	if (listening != core->jobs)
		jobs_on_ended(core->jobs, on_ended, core);
	listening = core->jobs;
}

int api_await_job(struct api_request *req, struct job_spec *spec, struct err *err)
{
	struct waiter *w = xcalloc(1, sizeof(*w));
	int r;

	listen_once(req->core);
	w->req = req;
	list_init(&w->link);
	r = jobs_start(req->core->jobs, spec, w->upid, err);
	if (r < 0) {
		free(w);
		return r;
	}
	list_append(&waiters, &w->link);
	req->ctx = w;
	req->cancel = forget;
	return API_LATER;
}
