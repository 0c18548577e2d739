/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/storage: the storages of a node and their capacity. Figures are those of the last
 * check; only a storage that was never checked is waited for. Core's loop. */
#include <stdio.h>

#include "agent/api/storage_use.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"

#define READERS "Datastore.Audit|Datastore.AllocateSpace"

static void write_members(struct api_request *req, const struct storage_def *def)
{
	static const struct storage_status never = {0};
	const struct storage_status *status = storages_status(req->core->storages, def->id);
	const char *content = storage_def_get(def, "content");
	bool is_here = storage_is_enabled(def) && storage_def_is_on_node(def, req->core->node);
	struct json *j = &req->json;
	if (!status || !is_here)
		status = &never;
	json_kv_string(j, "type", def->type);
	json_kv_string(j, "content", content ? content : "");
	json_kv_bool(j, "enabled", is_here);
	json_kv_bool(j, "active", status->is_active);
	json_kv_bool(j, "shared", storage_is_shared(def));
	json_kv_uint(j, "total", status->total);
	json_kv_uint(j, "used", status->used);
	json_kv_uint(j, "avail", status->available);
}

/* The formats that a new guest volume may have. */
static void write_formats(struct json *j, const struct storage_def *def)
{
	static const char *const formats[] = {"raw", "qcow2", "subvol"};
	const char *own = storage_def_get(def, "format");
	size_t count = str_eq(def->type, "btrfs") ? 3 : str_eq(def->type, "dir") ? 2 : 1;
	json_key(j, "formats");
	json_object_begin(j);
	json_kv_string(j, "default", own ? own : "raw");
	json_key(j, "supported");
	json_array_begin(j);
	for (size_t i = 0; i < count; i++)
		json_string(j, formats[i]);
	json_array_end(j);
	json_object_end(j);
}

static void write_entry(struct api_request *req, const struct storage_def *def)
{
	const struct storage_status *status = storages_status(req->core->storages, def->id);
	struct json *j = &req->json;
	json_object_begin(j);
	json_kv_string(j, "storage", def->id);
	write_members(req, def);
	if (status && status->total)
		json_kv_double(j, "used_fraction", (double)status->used / (double)status->total);
	if (api_bool(req, "format", false))
		write_formats(j, def);
	json_object_end(j);
}

static bool has_any_content(const struct storage_def *def, const char *list)
{
	autostrv char **wanted = str_split(list, ",; ");
	for (size_t i = 0; wanted[i]; i++) {
		if (storage_def_has_content(def, wanted[i]))
			return true;
	}
	return false;
}

static bool is_listed(const struct api_request *req, const struct storage_def *def)
{
	char path[128];
	const char *id = api_str(req, "storage"), *content = api_str(req, "content");
	const char *target = api_str(req, "target");
	snprintf(path, sizeof(path), "/storage/%s", def->id);
	if (id && !str_eq(id, def->id))
		return false;
	if (content && !has_any_content(def, content))
		return false;
	if (target && !storage_def_is_on_node(def, target))
		return false;
	if (api_bool(req, "enabled", false) && !storage_is_enabled(def))
		return false;
	return storage_def_is_on_node(def, req->core->node) && api_may(req, path, READERS);
}

static void write_list(struct api_request *req)
{
	const struct storage_cfg *cfg = storages_config(req->core->storages);
	json_array_begin(&req->json);
	for (size_t i = 0; i < cfg->count; i++) {
		if (is_listed(req, &cfg->items[i]))
			write_entry(req, &cfg->items[i]);
	}
	json_array_end(&req->json);
}

/* Checks that a request waits for. They go on when it is gone. */
struct status_wait {
	struct api_request *req; /* NULL: gone */
	unsigned left;		 /* the walk that starts them counts too */
	void (*answer)(struct api_request *req);
};

static void wait_cancel(struct api_request *req)
{
	struct status_wait *wait = TAKE(req->ctx);
	wait->req = NULL;
}

static struct status_wait *wait_new(struct api_request *req,
				    void (*answer)(struct api_request *req))
{
	struct status_wait *wait = xcalloc(1, sizeof(*wait));
	*wait = (struct status_wait){.req = req, .left = 1, .answer = answer};
	req->ctx = wait;
	req->cancel = wait_cancel;
	return wait;
}

static void wait_done_one(struct status_wait *wait)
{
	struct api_request *req = wait->req;
	void (*answer)(struct api_request * req) = wait->answer;
	if (--wait->left > 0)
		return;
	free(wait);
	if (!req)
		return;
	req->ctx = NULL;
	req->cancel = NULL;
	answer(req);
}

static void on_checked(const struct storage_status *status, void *ctx)
{
	(void)status;
	wait_done_one(ctx);
}

static void answer_list(struct api_request *req)
{
	write_list(req);
	api_finish(req);
}

static int list_storages(struct api_request *req, struct err *err)
{
	struct storages *storages = req->core->storages;
	const struct storage_cfg *cfg = storages_config(storages);
	struct status_wait *wait = wait_new(req, answer_list);
	(void)err;
	for (size_t i = 0; i < cfg->count; i++) {
		const char *id = cfg->items[i].id;
		const struct storage_status *status = storages_status(storages, id);
		if (!is_listed(req, &cfg->items[i]) || !storage_is_enabled(&cfg->items[i]))
			continue;
		bool is_known = status && status->observed;
		wait->left += !is_known;
		storages_refresh(storages, id, is_known ? NULL : on_checked, wait);
	}
	wait_done_one(wait);
	return API_LATER;
}

static void answer_status(struct api_request *req)
{
	const struct storage_def *def;
	struct err err = ERR_INIT;
	if (storage_find(req, &def, &err) < 0) {
		api_fail(req, &err);
		return;
	}
	json_object_begin(&req->json);
	write_members(req, def);
	json_object_end(&req->json);
	api_finish(req);
}

static int get_status(struct api_request *req, struct err *err)
{
	const struct storage_def *def;
	int r = storage_find_usable(req, &def, err);
	if (r < 0)
		return r;
	const struct storage_status *status = storages_status(req->core->storages, def->id);
	bool is_known = status && status->observed;
	struct status_wait *wait = wait_new(req, answer_status);
	wait->left += !is_known;
	storages_refresh(req->core->storages, def->id, is_known ? NULL : on_checked, wait);
	wait_done_one(wait);
	return API_LATER;
}

static int get_index(struct api_request *req, struct err *err)
{
	const struct storage_def *def;
	int r = storage_find(req, &def, err);
	return r < 0 ? r : api_index_subdirs(req, err);
}

static const struct param list_params[] = {
	PARAM_NODE,
	{.name = "storage",
	 .optional = true,
	 .format = "pve-storage-id",
	 .text = "Only this storage."},
	{.name = "content",
	 .optional = true,
	 .format = "pve-storage-content-list",
	 .text = "Only storages for one of these kinds of content."},
	{.name = "enabled",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Only storages that are not disabled.",
	 .default_text = "0"},
	{.name = "format",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Tell the formats of volumes too.",
	 .default_text = "0"},
	{.name = "target",
	 .optional = true,
	 .format = "pve-node",
	 .text = "Only storages that are on this node too."},
	PARAM_END,
};

static const struct param storage_params[] = {PARAM_NODE, PARAM_STORAGE, PARAM_END};

#define MEMBERS                                                                                    \
	"\"type\":{\"type\":\"string\"},\"content\":{\"type\":\"string\"},"                        \
	"\"enabled\":{\"type\":\"boolean\"},\"active\":{\"type\":\"boolean\"},"                    \
	"\"shared\":{\"type\":\"boolean\"},\"total\":{\"type\":\"integer\"},"                      \
	"\"used\":{\"type\":\"integer\"},\"avail\":{\"type\":\"integer\"}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage",
	 .text = "List the storages of a node.",
	 .params = list_params,
	 .permission = {.kind = API_USER,
			.text = "Storages with Datastore.Audit or Datastore.AllocateSpace."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"storage\":{\"type\":\"string\"}," MEMBERS "}}}",
	 .handle = list_storages},
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage/{storage}",
	 .text = "List what there is of a storage.",
	 .params = storage_params,
	 .permission =
		 {.kind = API_CHECK, .path = "/storage/{storage}", .privs = READERS, .any = true},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"subdir\":{\"type\":\"string\"}}}}",
	 .handle = get_index},
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage/{storage}/status",
	 .text = "Capacity and state of a storage.",
	 .params = storage_params,
	 .permission =
		 {.kind = API_CHECK, .path = "/storage/{storage}", .privs = READERS, .any = true},
	 .returns = "{\"type\":\"object\",\"properties\":{" MEMBERS "}}",
	 .handle = get_status},
};

const struct api_table api_table_node_storage = {routes, ARRAY_SIZE(routes)};
