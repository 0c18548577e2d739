/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: list, create, index and destroy containers. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/lxc_returns.h"
#include "agent/api/pools.h"
#include "agent/guest/ct_schema.h"

static const struct param list_params[] = {GUEST_NODE_PARAM, PARAM_END};

static const struct param create_params[] = {
	GUEST_PARAMS,
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
	GUEST_START_AFTER_PARAM,
	{.name = "bwlimit",
	 .type = PARAM_NUMBER,
	 .optional = true,
	 .has_min = true,
	 .text = "Bounds the unpacking, in KiB per second; by default what the storage, or all, "
		 "say on restore."},
	GUEST_FLAG_PARAM("force", "Replace the container; with restore only."),
	GUEST_OFF_PARAM("ha-managed", "Have HA manage it."),
	GUEST_FLAG_PARAM("ignore-unpack-errors",
			 "Go on when the template cannot be unpacked whole."),
	CT_RAW_PARAM,
	API_POOL_PARAM,
	GUEST_FLAG_PARAM("restore", "The template is a backup."),
	GUEST_FLAG_PARAM("unique", "New hardware addresses; with restore only."),
	{.name = "storage",
	 .optional = true,
	 .format = "pve-storage-id",
	 .default_text = "local",
	 .text = "Storage of the root volume when rootfs names none."},
	PARAM_END,
};

static const struct api_route routes[] = {
	GUEST_LIST_ROUTE("lxc", "container", list_params, LXC_RETURNS_STATUS),
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
		.returns = GUEST_RETURNS_UPID,
		.handle = ct_handle_create,
	},
	GUEST_INDEX_ROUTE("lxc", "container"),
	GUEST_DESTROY_ROUTE("lxc", "container"),
};

const struct api_table api_table_lxc_list = {routes, ARRAY_SIZE(routes)};
