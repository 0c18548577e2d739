/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /cluster/resources: guests, this node and its storages, filtered by type and by what the
 * caller may see. Core's loop. */
#include "agent/api/resources.h"

#include <stdio.h>

#include "agent/api/node_entry.h"
#include "agent/api/pools.h"
#include "agent/api/storage_use.h"
#include "agent/auth/edit.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"

void api_resources_write_storage_identity(struct api_request *req, const struct storage_def *def)
{
	struct json *j = &req->json;
	char id[192];
	snprintf(id, sizeof(id), "storage/%s/%s", req->core->node, def->id);
	json_kv_string(j, "id", id);
	json_kv_string(j, "type", "storage");
	json_kv_string(j, "storage", def->id);
	json_kv_string(j, "node", req->core->node);
}

void api_resources_write_storage(struct api_request *req, const struct storage_def *def)
{
	struct json *j = &req->json;
	const struct storage_status *status = storages_status(req->core->storages, def->id);
	const char *content = storage_def_get(def, "content");
	json_object_begin(j);
	api_resources_write_storage_identity(req, def);
	json_kv_string(j, "plugintype", def->type);
	json_kv_string(j, "content", content ? content : "");
	json_kv_bool(j, "shared", storage_is_shared(def));
	json_kv_string(j, "status", status && status->is_active ? "available" : "unknown");
	json_kv_uint(j, "disk", status ? status->used : 0);
	json_kv_uint(j, "maxdisk", status ? status->total : 0);
	json_object_end(j);
}

static void write_storages(struct api_request *req)
{
	const struct storage_cfg *cfg = storages_config(req->core->storages);
	for (size_t i = 0; i < cfg->count; i++) {
		const struct storage_def *def = &cfg->items[i];
		char path[128];
		snprintf(path, sizeof(path), "/storage/%s", def->id);
		if (!storage_is_enabled(def) || !storage_def_is_on_node(def, req->core->node) ||
		    !api_may(req, path, "Datastore.Audit"))
			continue;
		api_resources_write_storage(req, def);
	}
}

void api_resources_write_node(const struct core *core, bool with_load, struct json *j)
{
	json_object_begin(j);
	api_write_node(core, with_load, j);
	json_kv_int(j, "cgroup-mode", facts_node(core->facts)->is_cgroup2 ? 2 : 1);
	json_object_end(j);
}

static void write_node(struct api_request *req)
{
	api_resources_write_node(req->core, api_node_load_is_visible(req->core, &req->who),
				 &req->json);
}

static void write_pools(struct api_request *req)
{
	const struct map *pools = access_usercfg(req->core->access)->pools;
	const char *poolid;
	for (const struct cfg_pool *p = map_first(pools, NULL, &poolid); p;
	     p = map_next(pools, poolid, &poolid)) {
		if (!api_pool_is_visible(req, p))
			continue;
		autofree char *id = xasprintf("/pool/%s", poolid);
		json_object_begin(&req->json);
		json_kv_string(&req->json, "id", id);
		json_kv_string(&req->json, "type", "pool");
		json_kv_string(&req->json, "pool", poolid);
		json_object_end(&req->json);
	}
}

static int get_resources(struct api_request *req, struct err *err)
{
	static const struct {
		const char *type;
		void (*write)(struct api_request *req);
	} parts[] = {{"vm", api_resources_write_guests},
		     {"node", write_node},
		     {"storage", write_storages},
		     {"pool", write_pools}};
	const char *type = api_str(req, "type");
	(void)err;
	json_array_begin(&req->json);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!type || str_eq(type, parts[i].type))
			parts[i].write(req);
	}
	json_array_end(&req->json);
	return 0;
}

static const char *const types[] = {"vm", "storage", "node", "sdn", NULL};

static const struct param params[] = {
	{.name = "type",
	 .optional = true,
	 .choices = types,
	 .text = "Only resources of this type."},
	PARAM_END,
};

#define RETURNS                                                                                    \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"                      \
	"\"id\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"},"                             \
	"\"node\":{\"type\":\"string\",\"optional\":1},"                                           \
	"\"vmid\":{\"type\":\"integer\",\"optional\":1},"                                          \
	"\"name\":{\"type\":\"string\",\"optional\":1},"                                           \
	"\"status\":{\"type\":\"string\",\"optional\":1},"                                         \
	"\"reason\":{\"type\":\"string\",\"optional\":1},"                                         \
	"\"exit-code\":{\"type\":\"integer\",\"optional\":1},"                                     \
	"\"exit-signal\":{\"type\":\"integer\",\"optional\":1},"                                   \
	"\"storage\":{\"type\":\"string\",\"optional\":1}}}}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/cluster/resources",
	 .text = "List guests, nodes, storages and pools.",
	 .params = params,
	 .permission =
		 {.kind = API_USER,
		  .text = "Guests need VM.Audit, storages Datastore.Audit, pools Pool.Audit; a "
			  "node's load needs Sys.Audit."},
	 .returns = RETURNS,
	 .handle = get_resources},
};

const struct api_table api_table_resources = {routes, ARRAY_SIZE(routes)};
