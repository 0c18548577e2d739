/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /pools: what there is. Core's loop, reads memory only. */
#include "agent/api/pools.h"

#include <stdio.h>
#include <string.h>

#include "agent/api/resources.h"
#include "agent/auth/edit.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/core/storages.h"

static bool is_wanted(const struct api_request *req, const char *type)
{
	const char *wanted = api_str(req, "type");

	return !wanted || str_eq(wanted, type);
}

/* Whoever may see the pool sees who is in it; what a member does is for those who may see that. */
static void write_guest(struct api_request *req, const char *path)
{
	const struct guest *guest =
		guests_find(req->core->guests, (unsigned)strtoul(strrchr(path, '/') + 1, NULL, 10));
	size_t size;

	if (!guest || !is_wanted(req, guest_kind_name(guest->kind)))
		return;
	if (api_may(req, path, "VM.Audit")) {
		const char *text = api_resources_guest(req->core, guest, &size);

		json_raw(&req->json, text, size);
		return;
	}
	json_object_begin(&req->json);
	api_resources_write_identity(&req->json, guest);
	json_object_end(&req->json);
}

static void write_storage(struct api_request *req, const char *path)
{
	const struct storage_def *def =
		storage_cfg_find(storages_config(req->core->storages), strrchr(path, '/') + 1);

	if (!def || !is_wanted(req, "storage"))
		return;
	if (api_may(req, path, "Datastore.Audit")) {
		api_resources_write_storage(req, def);
		return;
	}
	json_object_begin(&req->json);
	api_resources_write_storage_identity(req, def);
	json_object_end(&req->json);
}

static void write_members(struct api_request *req, const struct cfg_pool *pool)
{
	const char *path;

	json_key(&req->json, "members");
	json_array_begin(&req->json);
	for (void *m = map_first(pool->members, NULL, &path); m;
	     m = map_next(pool->members, path, &path))
		if (str_starts(path, "/storage/"))
			write_storage(req, path);
		else
			write_guest(req, path);
	json_array_end(&req->json);
}

static void write_pool(struct api_request *req, const struct cfg_pool *pool, bool with_id,
		       bool with_members)
{
	struct json *j = &req->json;

	json_object_begin(j);
	if (with_id)
		json_kv_string(j, "poolid", pool->id);
	if (pool->comment)
		json_kv_string(j, "comment", pool->comment);
	if (with_members)
		write_members(req, pool);
	json_object_end(j);
}

bool api_pool_is_visible(const struct api_request *req, const struct cfg_pool *pool)
{
	autofree char *path = xasprintf("/pool/%s", pool->id);

	return api_may(req, path, "Pool.Audit");
}

static int list_one(struct api_request *req, const char *poolid, struct err *err)
{
	autofree char *path = xasprintf("/pool/%s", poolid);
	struct cfg_pool *pool;
	int r = api_check(req, path, "Pool.Audit", false, err);

	if (r == 0)
		r = usercfg_pool(access_usercfg(req->core->access), poolid, &pool, err);
	if (r < 0)
		return r;
	json_array_begin(&req->json);
	write_pool(req, pool, true, true);
	json_array_end(&req->json);
	return 0;
}

static int list_pools(struct api_request *req, struct err *err)
{
	const struct map *pools = access_usercfg(req->core->access)->pools;
	const char *poolid = api_str(req, "poolid"), *id;

	if (poolid)
		return list_one(req, poolid, err);
	json_array_begin(&req->json);
	for (const struct cfg_pool *p = map_first(pools, NULL, &id); p;
	     p = map_next(pools, id, &id))
		if (api_pool_is_visible(req, p))
			write_pool(req, p, true, false);
	json_array_end(&req->json);
	return 0;
}

static int get_pool(struct api_request *req, struct err *err)
{
	struct cfg_pool *pool;
	int r = usercfg_pool(access_usercfg(req->core->access), api_str(req, "poolid"), &pool, err);

	if (r == 0)
		write_pool(req, pool, false, true);
	return r;
}

static const char *const types[] = {"qemu", "lxc", "storage", NULL};

#define TYPE                                                                                       \
	{                                                                                          \
		.name = "type", .optional = true, .choices = types, .requires = "poolid",          \
		.text = "Only members of this type."                                               \
	}
#define MEMBERS                                                                                    \
	"\"comment\":{\"type\":\"string\",\"optional\":1},"                                        \
	"\"members\":{\"type\":\"array\",\"optional\":1,\"items\":{\"type\":\"object\","           \
	"\"properties\":{\"id\":{\"type\":\"string\"},\"node\":{\"type\":\"string\"},"             \
	"\"storage\":{\"type\":\"string\",\"optional\":1},\"type\":{\"type\":\"string\"},"         \
	"\"vmid\":{\"type\":\"integer\",\"optional\":1}}}}"

static const struct param list_params[] = {
	{.name = "poolid",
	 .optional = true,
	 .format = "pve-poolid",
	 .text = "Only this pool, with its members."},
	TYPE,
	PARAM_END,
};
static const struct param get_params[] = {API_POOLID, TYPE, PARAM_END};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/pools",
	 .text = "List the pools that the caller may see, or one with its members.",
	 .params = list_params,
	 .permission = {.kind = API_USER,
			.text = "Shows pools on which the caller has Pool.Audit."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"poolid\":{\"type\":\"string\"}," MEMBERS "}}}",
	 .handle = list_pools},
	{.verb = API_GET,
	 .path = "/pools/{poolid}",
	 .text = "Show a pool with its members.",
	 .params = get_params,
	 .permission = {.kind = API_CHECK, .path = "/pool/{poolid}", .privs = "Pool.Audit"},
	 .returns = "{\"type\":\"object\",\"properties\":{" MEMBERS "}}",
	 .handle = get_pool},
};

const struct api_table api_table_pools = {routes, ARRAY_SIZE(routes)};
