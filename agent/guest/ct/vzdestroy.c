/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: remove a container. The configuration goes last, so that a job that was killed can be asked
 * for again. */
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/life.h"
#include "agent/guest/ct_schema.h"

/* Another lock means that a job, or its undoing, still works on this container. */
static int check_lock(const struct task_ctx *task, const struct guest_config *config,
		      struct err *err)
{
	const char *lock = guest_config_get(config, "lock");

	if (lock && !str_eq(lock, "destroyed") && !ct_bool_arg(task, "skiplock"))
		return err_set(err, ERR_BUSY, "CT is locked (%s)", lock);
	if (ct_config_flag(config, "protection"))
		return err_set(err, ERR_BUSY, "can't remove CT %u - protection mode enabled",
			       task->guest);
	return 0;
}

static int ensure_stopped(struct task_ctx *task, struct err *err)
{
	struct ct_record record;

	if (!ct_find_running(task->guest, &record))
		return ct_require_stopped(task->guest, err);
	if (!ct_bool_arg(task, "force"))
		return err_set(err, ERR_BUSY, "unable to destroy CT %u: container is running",
			       task->guest);
	return ct_stop(task, &record, err);
}

int vzdestroy_run(struct task_ctx *task, struct err *err)
{
	struct guest_config config;
	bool is_meant;
	int r = life_destroy_is_meant(task, &ct_life, &is_meant, err);

	if (r < 0 || !is_meant)
		return r;
	if ((r = task_config_get(task, "lxc", &config, NULL, err)) < 0)
		return r;
	r = check_lock(task, &config, err);
	guest_config_fini(&config);
	if (r == 0)
		r = ensure_stopped(task, err);
	if (r == 0)
		r = life_destroy_volumes(task, &ct_life, err);
	if (r < 0)
		return r;
	ct_clean(task->guest);
	ct_spool_remove(task->guest);
	return life_config_delete(task, &ct_life, err);
}
