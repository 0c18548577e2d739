/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a virtual machine's configuration. Data only. */
#include "agent/api/guest_handlers.h"
#include "agent/api/qemu_handlers.h"
#include "agent/api/qemu_returns.h"
#include "agent/guest/vm_schema.h"

#define CONFIG_PRIVILEGES                                                                          \
	"VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|VM.Config.Options|"       \
	"VM.Config.HWType"

static const struct param guest_params[] = {GUEST_NODE_PARAM, GUEST_VMID_PARAM, PARAM_END};

static const struct param get_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "current",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Values as running, without those that wait for the next start."},
	{.name = "snapshot",
	 .optional = true,
	 .format = "pve-configid",
	 .has_max = true,
	 .max = 40,
	 .text = "Values of this snapshot."},
	PARAM_END,
};

static const struct param put_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "delete",
	 .optional = true,
	 .format = "pve-configid-list",
	 .text = "Keys to delete."},
	{.name = "digest",
	 .optional = true,
	 .has_max = true,
	 .max = 40,
	 .text = "Refuse unless the configuration still has this digest."},
	{.name = "revert",
	 .optional = true,
	 .format = "pve-configid-list",
	 .text = "Keys whose waiting change is dropped."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{
		.verb = API_GET,
		.path = "/nodes/{node}/qemu/{vmid}/config",
		.text = "The configuration of a virtual machine.",
		.params = get_params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.Audit"},
		.returns =
			"{\"type\":\"object\",\"properties\":{\"digest\":{\"type\":\"string\"}}}",
		.handle = guest_handle_config_get,
	},
	{
		.verb = API_PUT,
		.path = "/nodes/{node}/qemu/{vmid}/config",
		.text = "Change a virtual machine at once; what a running one cannot take waits "
			"for its next "
			"start.",
		.params = put_params,
		.more = vm_config_params,
		.permission = {.kind = API_CHECK,
			       .path = "/vms/{vmid}",
			       .privs = CONFIG_PRIVILEGES,
			       .any = true,
			       .text = "Each key needs its own VM.Config privilege."},
		.returns = "{\"type\":\"null\"}",
		.handle = vm_handle_config_put,
	},
	{
		.verb = API_POST,
		.path = "/nodes/{node}/qemu/{vmid}/config",
		.text = "Change a virtual machine by a task; what a running one cannot take waits "
			"for its next "
			"start.",
		.params = put_params,
		.more = vm_config_params,
		.permission = {.kind = API_CHECK,
			       .path = "/vms/{vmid}",
			       .privs = CONFIG_PRIVILEGES,
			       .any = true,
			       .text = "Each key needs its own VM.Config privilege."},
		.returns = QEMU_RETURNS_UPID,
		.handle = vm_handle_config_post,
	},
	{
		.verb = API_GET,
		.path = "/nodes/{node}/qemu/{vmid}/pending",
		.text = "The configuration with what waits for the next start.",
		.params = guest_params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.Audit"},
		.returns = QEMU_RETURNS_PENDING,
		.handle = guest_handle_pending,
	},
};

const struct api_table api_table_qemu_config = {routes, ARRAY_SIZE(routes)};
