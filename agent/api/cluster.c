/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /cluster, /cluster/status and /cluster/nextid. Core's loop. */
#include <stdio.h>

#include "agent/api/node_entry.h"
#include "agent/core/guests.h"
#include "agent/core/nextid.h"

/* One node alone has no "cluster" entry, and the node id 0. */
static int get_status(struct api_request *req, struct err *err)
{
	struct json *j = &req->json;
	char id[96], address[64];
	(void)err;
	snprintf(id, sizeof(id), "node/%s", req->core->node);
	api_node_address(address, sizeof(address));
	json_array_begin(j);
	json_object_begin(j);
	json_kv_string(j, "type", "node");
	json_kv_string(j, "id", id);
	json_kv_string(j, "name", req->core->node);
	json_kv_int(j, "nodeid", 0);
	json_kv_string(j, "level", "");
	json_kv_bool(j, "local", true);
	json_kv_bool(j, "online", true);
	json_kv_string(j, "ip", address);
	json_object_end(j);
	json_array_end(j);
	return 0;
}

/* The data is a text: clients read it as one, whatever the schema says. */
static int get_nextid(struct api_request *req, struct err *err)
{
	char text[16];
	unsigned vmid = api_vmid(req);
	if (vmid && guests_find(req->core->guests, vmid))
		return err_field(err, "vmid", "VM %u already exists", vmid);
	if (!vmid)
		vmid = nextid_take(req->core->nextid, req->core->guests, clock_monotonic());
	if (!vmid)
		return err_set(err, ERR_LIMIT, "no free guest id is left");
	snprintf(text, sizeof(text), "%u", vmid);
	json_string(&req->json, text);
	return 0;
}

static const struct param nextid_params[] = {
	{.name = "vmid",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = NEXTID_MIN,
	 .has_max = true,
	 .max = NEXTID_MAX,
	 .text = "Only check whether this id is free."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/cluster",
	 .text = "List what there is of the cluster.",
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{}}}",
	 .handle = api_index_names},
	{.verb = API_GET,
	 .path = "/cluster/status",
	 .text = "Nodes and their state.",
	 .permission = {.kind = API_CHECK, .path = "/", .privs = "Sys.Audit"},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"},"
		    "\"type\":{\"type\":\"string\"}}}}",
	 .handle = get_status},
	{.verb = API_GET,
	 .path = "/cluster/nextid",
	 .text = "A free guest id, kept for the one who asked for a minute.",
	 .params = nextid_params,
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"string\"}",
	 .handle = get_nextid},
};

const struct api_table api_table_cluster = {routes, ARRAY_SIZE(routes)};
