/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs as real processes, of a core that the test plays. */
#pragma once

#include "tests/unit/core/fixture.h"

#include <signal.h>

#include "agent/base/str.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs.h"

struct world {
	sd_event *event;
	struct jobs *jobs;
	unsigned begun, ended;
	char last[UPID_MAX];
	char last_text[256];
};

static inline void on_ended(const struct task *task, void *ctx)
{
	struct world *w = ctx;

	w->ended++;
	str_copy(w->last, sizeof(w->last), task->upid);
	str_copy(w->last_text, sizeof(w->last_text), task->exit_text);
}

static inline void on_begun(const struct task *task, void *ctx)
{
	(void)task;
	((struct world *)ctx)->begun++;
}

static inline void open_jobs(struct world *w)
{
	struct err err = ERR_INIT;

	if (jobs_new(w->event, "alpha", &w->jobs, &err) < 0)
		fail_msg("%s", err.message);
	jobs_on_begun(w->jobs, on_begun, w);
	jobs_on_ended(w->jobs, on_ended, w);
}

static inline int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	fixture_make();
	assert_true(sd_event_new(&w->event) >= 0);
	open_jobs(w);
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		if (t->state == TASK_RUNNING) /* of a test that failed */
			kill(-t->id.pid, SIGKILL);
	jobs_free(w->jobs);
	sd_event_unref(w->event);
	free(w);
	fixture_remove();
	return 0;
}

static inline const struct task *start(struct world *w, struct job_spec spec, char upid[UPID_MAX])
{
	struct err err = ERR_INIT;

	spec.user = "root@pam";
	if (!spec.args && spec.fd == 0)
		spec.fd = -1;
	if (jobs_start(w->jobs, &spec, upid, &err) < 0)
		fail_msg("%s", err.message);
	return jobs_find(w->jobs, upid);
}

static inline void write_status(const char *upid, const char *text)
{
	struct upid id;

	assert_int_equal(upid_parse(upid, &id, NULL), 0);
	job_status_leave(&id, upid, 1234567890, text);
}

static inline bool has_ended(void *ctx)
{
	return ((struct world *)ctx)->ended > 0;
}

static inline void wait_for_end(struct world *w)
{
	w->ended = 0;
	fixture_run_until(w->event, has_ended, w);
}

static inline bool has_undone(void *ctx)
{
	(void)ctx;
	autofree char *text = fixture_read("undone");
	return text[0] != '\0';
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
