/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters that routes of all kinds of guests have in common. Data only. */
#include "agent/api/guest_routes.h"

const struct param guest_params[] = {GUEST_PARAMS, PARAM_END};

const struct param guest_destroy_params[] = {
	GUEST_PARAMS,
	GUEST_FLAG_PARAM("destroy-unreferenced-disks",
			 "Also free volumes of this id that its configuration does not name."),
	GUEST_OFF_PARAM("force", "Stop it first when it is running."),
	GUEST_OFF_PARAM("purge", "Also remove it from other configurations."),
	GUEST_SKIPLOCK_PARAM,
	PARAM_END,
};

const struct param guest_config_get_params[] = {
	GUEST_PARAMS,
	GUEST_OFF_PARAM("current",
			"Values as running, without those that wait for the next start."),
	{.name = "snapshot",
	 .optional = true,
	 .format = "pve-configid",
	 .has_max = true,
	 .max = 40,
	 .text = "Values of this snapshot."},
	PARAM_END,
};

const struct param guest_config_put_params[] = {GUEST_PARAMS, GUEST_CHANGE_PARAMS, PARAM_END};

const struct param guest_stop_params[] = {
	GUEST_PARAMS,
	GUEST_OFF_PARAM("overrule-shutdown", "End a shutdown that is going on."),
	GUEST_SECONDS_PARAM(0, NULL, "Has no effect: nothing is waited for before it is stopped."),
	GUEST_SKIPLOCK_PARAM,
	PARAM_END,
};

const struct param guest_shutdown_params[] = {
	GUEST_PARAMS,
	GUEST_OFF_PARAM("forceStop", "Stop it when it did not shut down in time."),
	GUEST_SECONDS_PARAM(0, "60", "Seconds to wait."),
	PARAM_END,
};

const struct param guest_reboot_params[] = {
	GUEST_PARAMS,
	GUEST_SECONDS_PARAM(0, NULL, "Seconds to wait for the shutdown."),
	PARAM_END,
};
