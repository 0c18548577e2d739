/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: list, create, index and destroy containers. Data only. */
#include "agent/api/guest_handlers.h"
#include "agent/api/lxc_returns.h"
#include "agent/guest/ct_schema.h"

static const struct param list_params[] = {GUEST_NODE_PARAM, PARAM_END};
static const struct param guest_params[] = {GUEST_NODE_PARAM, GUEST_VMID_PARAM, PARAM_END};

static const struct param create_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "ostemplate", .has_max = true, .max = 255, .text = "Volume id of the template."},
	{.name = "password",
	 .optional = true,
	 .has_min = true,
	 .min = 5,
	 .has_max = true,
	 .max = 1024,
	 .is_secret = true,
	 .text = "Password of root inside."},
	{.name = "ssh-public-keys",
	 .optional = true,
	 .text = "Public keys of root inside, one a line."},
	{.name = "start",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Start it once it is made."},
	{.name = "storage",
	 .optional = true,
	 .format = "pve-storage-id",
	 .default_text = "local",
	 .text = "Storage of the root volume when rootfs names none."},
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
		.path = "/nodes/{node}/lxc",
		.text = "The containers of this node.",
		.params = list_params,
		.permission = {.kind = API_USER,
			       .text = "Shows those with VM.Audit on /vms/{vmid}."},
		.returns = "{\"type\":\"array\",\"items\":" LXC_RETURNS_STATUS "}",
		.handle = guest_handle_list,
	},
	{
		.verb = API_POST,
		.path = "/nodes/{node}/lxc",
		.text = "Create a container from a template.",
		.params = create_params,
		.more = ct_config_params,
		.permission =
			{.kind = API_HANDLER,
			 .text = "VM.Allocate on /vms/{vmid} and VM.Config.* as the keys need, "
				 "Datastore.AllocateSpace on /storage/{storage}, "
				 "Datastore.Audit on the template's storage; Sys.Modify on / for "
				 "unprivileged=0."},
		.returns = "{\"type\":\"string\"}",
		.handle = ct_handle_create,
	},
	{
		.verb = API_GET,
		.path = "/nodes/{node}/lxc/{vmid}",
		.text = "Index of a container.",
		.params = guest_params,
		.permission = {.kind = API_USER},
		.returns = LXC_RETURNS_INDEX,
		.handle = guest_handle_index,
	},
	{
		.verb = API_DELETE,
		.path = "/nodes/{node}/lxc/{vmid}",
		.text = "Destroy a container and its volumes.",
		.params = destroy_params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = "VM.Allocate"},
		.returns = "{\"type\":\"string\"}",
		.handle = guest_handle_destroy,
	},
};

const struct api_table api_table_lxc_list = {routes, ARRAY_SIZE(routes)};
