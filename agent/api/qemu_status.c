/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: state of a virtual machine, start and stop. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/qemu_handlers.h"
#include "agent/api/qemu_returns.h"

static const struct param reset_params[] = {GUEST_PARAMS, GUEST_SKIPLOCK_PARAM, PARAM_END};

static const struct param start_params[] = {
	GUEST_PARAMS,
	GUEST_SKIPLOCK_PARAM,
	GUEST_SECONDS_PARAM(
		1, "60", "Seconds that libvirtd has to answer; after that the outcome is unknown."),
	PARAM_END,
};

static const struct api_route routes[] = {
	GUEST_STATUS_INDEX_ROUTE("qemu", "virtual machine"),
	GUEST_STATUS_CURRENT_ROUTE("qemu", "virtual machine", QEMU_RETURNS_STATUS),
	GUEST_POWER_ROUTE("qemu", "start", "Start a virtual machine.", start_params,
			  vm_handle_start),
	GUEST_POWER_ROUTE("qemu", "reset", "Press the reset button of a virtual machine.",
			  reset_params, vm_handle_reset),
	GUEST_POWER_ROUTES("qemu", "virtual machine"),
};

const struct api_table api_table_qemu_status = {routes, ARRAY_SIZE(routes)};
