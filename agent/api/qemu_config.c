/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a virtual machine's configuration. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/qemu_handlers.h"
#include "agent/guest/vm_schema.h"

#define CHANGE_ROUTE(verb_, how, params_, returns_, handle_)                                       \
	{                                                                                          \
		.verb = verb_, .path = "/nodes/{node}/qemu/{vmid}/config",                         \
		.text = "Change a virtual machine " how                                            \
			"; what a running one cannot take waits for its next start.",              \
		.params = params_, .more = vm_config_params,                                       \
		.permission = GUEST_NEEDS_CONFIG(                                                  \
			"|VM.Config.HWType|VM.Config.CDROM|VM.Config.Cloudinit"),                  \
		.returns = returns_, .handle = handle_,                                            \
	}

#define FORCE_PARAM                                                                                \
	GUEST_FLAG_PARAM("force",                                                                  \
			 "Free the volumes of deleted disks instead of keeping them as unused.")

static const struct param put_params[] = {
	GUEST_PARAMS,
	GUEST_CHANGE_PARAMS,
	FORCE_PARAM,
	PARAM_END,
};

static const struct param post_params[] = {
	GUEST_PARAMS,
	GUEST_CHANGE_PARAMS,
	FORCE_PARAM,
	{.name = "background_delay",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = 30,
	 .text = "Has no effect: the answer is the task, at once."},
	PARAM_END,
};

static const struct param unlink_params[] = {
	GUEST_PARAMS,
	{.name = "idlist",
	 .format = "pve-configid-list",
	 .text = "Disks to take away; unused ones are freed."},
	FORCE_PARAM,
	PARAM_END,
};

static const struct api_route routes[] = {
	GUEST_CONFIG_ROUTE("qemu", "virtual machine"),
	CHANGE_ROUTE(API_PUT, "at once", put_params, "{\"type\":\"null\"}", vm_handle_config_put),
	CHANGE_ROUTE(API_POST, "by a task", post_params, GUEST_RETURNS_UPID, vm_handle_config_post),
	GUEST_PENDING_ROUTE("qemu"),
	{
		.verb = API_PUT,
		.path = "/nodes/{node}/qemu/{vmid}/unlink",
		.text = "Take disks from a virtual machine.",
		.params = unlink_params,
		.permission = GUEST_NEEDS("VM.Config.Disk"),
		.returns = "{\"type\":\"null\"}",
		.handle = vm_handle_unlink,
	},
};

const struct api_table api_table_qemu_config = {routes, ARRAY_SIZE(routes)};
