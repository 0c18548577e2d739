/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: list, create, index and destroy virtual machines. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/pools.h"
#include "agent/api/qemu_handlers.h"
#include "agent/api/qemu_returns.h"
#include "agent/guest/vm_schema.h"

static const struct param list_params[] = {
	GUEST_NODE_PARAM,
	GUEST_FLAG_PARAM("full", "Accepted; lists always show all there is."),
	PARAM_END,
};

static const struct param create_params[] = {GUEST_PARAMS, GUEST_START_AFTER_PARAM, API_POOL_PARAM, PARAM_END};

static const struct api_route routes[] = {
	GUEST_LIST_ROUTE("qemu", "virtual machine", list_params, QEMU_RETURNS_STATUS),
	{
		.verb = API_POST,
		.path = "/nodes/{node}/qemu",
		.text = "Create a virtual machine.",
		.params = create_params,
		.more = vm_config_params,
		.permission =
			{.kind = API_HANDLER,
			 .text = "VM.Allocate on /vms/{vmid} or on the pool and VM.Config.* as the keys need, "
				 "Datastore.AllocateSpace on /storage/{storage}, "
				 "Datastore.Audit on the medium's storage."},
		.returns = GUEST_RETURNS_UPID,
		.handle = vm_handle_create,
	},
	GUEST_INDEX_ROUTE("qemu", "virtual machine"),
	GUEST_DESTROY_ROUTE("qemu", "virtual machine"),
};

const struct api_table api_table_qemu_list = {routes, ARRAY_SIZE(routes)};
