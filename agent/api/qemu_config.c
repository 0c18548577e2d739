/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a virtual machine's configuration. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/qemu_handlers.h"
#include "agent/guest/vm_schema.h"

#define CHANGE_ROUTE(verb_, how, returns_, handle_)                                                \
	{                                                                                          \
		.verb = verb_, .path = "/nodes/{node}/qemu/{vmid}/config",                         \
		.text = "Change a virtual machine " how                                            \
			"; what a running one cannot take waits for its next start.",              \
		.params = guest_config_put_params, .more = vm_config_params,                       \
		.permission = GUEST_NEEDS_CONFIG("|VM.Config.HWType"), .returns = returns_,        \
		.handle = handle_,                                                                 \
	}

static const struct api_route routes[] = {
	GUEST_CONFIG_ROUTE("qemu", "virtual machine"),
	CHANGE_ROUTE(API_PUT, "at once", "{\"type\":\"null\"}", vm_handle_config_put),
	CHANGE_ROUTE(API_POST, "by a task", GUEST_RETURNS_UPID, vm_handle_config_post),
	GUEST_PENDING_ROUTE("qemu"),
};

const struct api_table api_table_qemu_config = {routes, ARRAY_SIZE(routes)};
