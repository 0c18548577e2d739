/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a container's configuration. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/guest/ct_schema.h"

static const struct api_route routes[] = {
	GUEST_CONFIG_ROUTE("lxc", "container"),
	{
		.verb = API_PUT,
		.path = "/nodes/{node}/lxc/{vmid}/config",
		.text = "Change a container; what a running one cannot take waits for its next "
			"start.",
		.params = guest_config_put_params,
		.more = ct_config_params,
		.permission = GUEST_NEEDS_CONFIG(""),
		.returns = "{\"type\":\"null\"}",
		.handle = guest_handle_config_put,
	},
	GUEST_PENDING_ROUTE("lxc"),
};

const struct api_table api_table_lxc_config = {routes, ARRAY_SIZE(routes)};
