/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs nodereboot, nodeshutdown: systemd is asked, and goes on when this job has long ended. */
#include "agent/task/host/jobs.h"

#include <systemd/sd-daemon.h>

#include "agent/base/clock.h"
#include "agent/base/exec.h"

#define TIMEOUT (60 * USEC_PER_SEC)

static int ask(const char *verb, struct err *err)
{
	const char *const argv[] = {"systemctl", "--no-block", verb, NULL};
	const struct exec_run run = {.argv = argv,
				     .deadline = clock_monotonic() + TIMEOUT,
				     .is_stopped = task_is_cancelled};

	if (sd_booted() <= 0)
		return err_set(
			err, ERR_UNSUPPORTED,
			"this node was not booted by systemd: it must be switched by its own "
			"means");
	task_log("asking systemd: %s", verb);
	return exec_run(&run, NULL, err);
}

int job_nodereboot(struct task_ctx *task, struct err *err)
{
	(void)task;
	return ask("reboot", err);
}

int job_nodeshutdown(struct task_ctx *task, struct err *err)
{
	(void)task;
	return ask("poweroff", err);
}
