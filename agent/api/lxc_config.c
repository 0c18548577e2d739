/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: a container's configuration. Data only. */
#include "agent/api/guest_routes.h"
#include "agent/api/lxc_returns.h"
#include "agent/guest/ct_schema.h"

static const struct param put_params[] = {GUEST_PARAMS, GUEST_CHANGE_PARAMS, CT_RAW_PARAM,
					  PARAM_END};

static const struct api_route routes[] = {
	GUEST_CONFIG_ROUTE("lxc", "container"),
	{
		.verb = API_PUT,
		.path = "/nodes/{node}/lxc/{vmid}/config",
		.text = "Change a container: a running one at once where that can be done, the "
			"rest waits for its next start.",
		.params = put_params,
		.more = ct_config_params,
		.permission = GUEST_NEEDS_CONFIG(""),
		.returns = "{\"type\":\"null\"}",
		.handle = ct_handle_config_put,
	},
	GUEST_PENDING_ROUTE("lxc"),
};

const struct api_table api_table_lxc_config = {routes, ARRAY_SIZE(routes)};
