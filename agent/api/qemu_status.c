/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: state of a virtual machine, start and stop. Data only. */
#include "agent/api/guest_handlers.h"
#include "agent/api/qemu_handlers.h"
#include "agent/api/qemu_returns.h"

#define SKIPLOCK_PARAM                                                                             \
	{                                                                                          \
		.name = "skiplock", .type = PARAM_BOOLEAN, .optional = true,                       \
		.text = "Ignore the lock; root only."                                              \
	}
#define TIMEOUT_MAX 86400

static const struct param guest_params[] = {GUEST_NODE_PARAM, GUEST_VMID_PARAM, PARAM_END};
static const struct param reset_params[] = {GUEST_NODE_PARAM, GUEST_VMID_PARAM, SKIPLOCK_PARAM,
					    PARAM_END};

static const struct param start_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	SKIPLOCK_PARAM,
	{.name = "timeout",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = TIMEOUT_MAX,
	 .default_text = "60",
	 .text = "Seconds that libvirtd has to answer; after that the outcome is unknown."},
	PARAM_END,
};

static const struct param stop_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "overrule-shutdown",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "End a shutdown that is going on."},
	SKIPLOCK_PARAM,
	PARAM_END,
};

static const struct param shutdown_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "forceStop",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Stop it when it did not shut down in time."},
	{.name = "timeout",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 0,
	 .has_max = true,
	 .max = TIMEOUT_MAX,
	 .default_text = "60",
	 .text = "Seconds to wait."},
	PARAM_END,
};

static const struct param reboot_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "timeout",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 0,
	 .has_max = true,
	 .max = TIMEOUT_MAX,
	 .text = "Seconds to wait for the shutdown."},
	PARAM_END,
};

#define POWER_ROUTE(name_, text_, params_, handle_)                                                \
	{                                                                                          \
		.verb = API_POST, .path = "/nodes/{node}/qemu/{vmid}/status/" name_,               \
		.text = text_, .params = params_,                                                  \
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.PowerMgmt"}, \
		.returns = "{\"type\":\"string\"}", .handle = handle_,                             \
	}

static const struct api_route routes[] = {
	{
		.verb = API_GET,
		.path = "/nodes/{node}/qemu/{vmid}/status",
		.text = "Index of a virtual machine's state and power.",
		.params = guest_params,
		.permission = {.kind = API_USER},
		.returns = QEMU_RETURNS_INDEX,
		.handle = guest_handle_index,
	},
	{
		.verb = API_GET,
		.path = "/nodes/{node}/qemu/{vmid}/status/current",
		.text = "State and load of a virtual machine.",
		.params = guest_params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.Audit"},
		.returns = QEMU_RETURNS_STATUS,
		.handle = guest_handle_status_current,
	},
	POWER_ROUTE("start", "Start a virtual machine.", start_params, vm_handle_start),
	POWER_ROUTE("stop", "Stop a virtual machine at once.", stop_params, guest_handle_stop),
	POWER_ROUTE("shutdown", "Shut a virtual machine down.", shutdown_params,
		    guest_handle_shutdown),
	POWER_ROUTE("reset", "Press the reset button of a virtual machine.", reset_params,
		    vm_handle_reset),
	POWER_ROUTE("reboot", "Shut a virtual machine down and start it again.", reboot_params,
		    guest_handle_reboot),
};

const struct api_table api_table_qemu_status = {routes, ARRAY_SIZE(routes)};
