/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: state of a container, start and stop. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/lxc_returns.h"

static const struct param start_params[] = {
	GUEST_PARAMS, GUEST_OFF_PARAM("debug", "Tell in the task's log all that liblxc does."),
	GUEST_SKIPLOCK_PARAM, PARAM_END};

static const struct api_route routes[] = {
	GUEST_STATUS_INDEX_ROUTE("lxc", "container"),
	GUEST_STATUS_CURRENT_ROUTE("lxc", "container", LXC_RETURNS_STATUS),
	GUEST_POWER_ROUTE("lxc", "start", "Start a container.", start_params, guest_handle_start),
	GUEST_POWER_ROUTES("lxc", "container"),
	GUEST_POWER_ROUTE("lxc", "suspend", "Freeze a container's processes.", guest_params,
			  ct_handle_suspend),
	GUEST_POWER_ROUTE("lxc", "resume", "Let a suspended container go on.", guest_params,
			  ct_handle_resume),
};

const struct api_table api_table_lxc_status = {routes, ARRAY_SIZE(routes)};
