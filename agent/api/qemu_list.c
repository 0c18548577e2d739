/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: list, create, index and destroy virtual machines. Data only. */
#include "agent/api/guest_handlers.h"
#include "agent/api/qemu_handlers.h"
#include "agent/api/qemu_returns.h"
#include "agent/guest/vm_schema.h"

static const struct param list_params[] = {
	GUEST_NODE_PARAM,
	{.name = "full",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Accepted; lists always show all there is."},
	PARAM_END,
};
static const struct param guest_params[] = {GUEST_NODE_PARAM, GUEST_VMID_PARAM, PARAM_END};

static const struct param create_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "start",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Start it once it is made."},
	PARAM_END,
};

static const struct param destroy_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "destroy-unreferenced-disks",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Also free volumes of this id that its configuration does not name."},
	{.name = "force",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Stop it first when it is running."},
	{.name = "purge",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Also remove it from other configurations."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{
		.verb = API_GET,
		.path = "/nodes/{node}/qemu",
		.text = "The virtual machines of this node.",
		.params = list_params,
		.permission = {.kind = API_USER,
			       .text = "Shows those with VM.Audit on /vms/{vmid}."},
		.returns = "{\"type\":\"array\",\"items\":" QEMU_RETURNS_STATUS "}",
		.handle = guest_handle_list,
	},
	{
		.verb = API_POST,
		.path = "/nodes/{node}/qemu",
		.text = "Create a virtual machine.",
		.params = create_params,
		.more = vm_config_params,
		.permission =
			{.kind = API_HANDLER,
			 .text = "VM.Allocate on /vms/{vmid} and VM.Config.* as the keys need, "
				 "Datastore.AllocateSpace on /storage/{storage}, "
				 "Datastore.Audit on the medium's storage."},
		.returns = "{\"type\":\"string\"}",
		.handle = vm_handle_create,
	},
	{
		.verb = API_GET,
		.path = "/nodes/{node}/qemu/{vmid}",
		.text = "Index of a virtual machine.",
		.params = guest_params,
		.permission = {.kind = API_USER},
		.returns = QEMU_RETURNS_INDEX,
		.handle = guest_handle_index,
	},
	{
		.verb = API_DELETE,
		.path = "/nodes/{node}/qemu/{vmid}",
		.text = "Destroy a virtual machine and its volumes.",
		.params = destroy_params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.Allocate"},
		.returns = "{\"type\":\"string\"}",
		.handle = guest_handle_destroy,
	},
};

const struct api_table api_table_qemu_list = {routes, ARRAY_SIZE(routes)};
