/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of /pools. Core's loop. */
#include "agent/api/access_edit.h"
#include "agent/api/pools.h"
#include "agent/auth/acl.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/core/storages.h"

static bool guest_is_there(const struct core *core, const char *id)
{
	return guests_find(core->guests, (unsigned)strtoul(id, NULL, 10)) != NULL;
}

static bool storage_is_there(const struct core *core, const char *id)
{
	return storage_cfg_find(storages_config(core->storages), id) != NULL;
}

static const struct member_kind {
	const char *param, *prefix, *noun;
	bool (*is_there)(const struct core *core, const char *id);
} kinds[] = {
	{"vms", "/vms/", "VM", guest_is_there},
	{"storage", "/storage/", "storage", storage_is_there},
};

/* Rights on a member come with the pool: who puts it there must be allowed to give them all. */
static int check_gives(struct api_request *req, const struct usercfg *cfg,
		       const struct cfg_pool *pool, const char *path, struct err *err)
{
	return rights_check_grant(req->core->access, &req->who, path, acl_pool_gives(cfg, pool->id),
				  false, err);
}

static int check_drop(struct api_request *req, const char *path, struct err *err)
{
	if (rights_may_modify_acl(req->core->access, &req->who, path))
		return 0;
	return err_set(err, ERR_DENIED, "Permission check failed (%s, Permissions.Modify)", path);
}

/* Out of another pool only with the right to change that one. */
static int check_move(struct api_request *req, const struct usercfg *cfg, const char *path,
		      struct err *err)
{
	const struct cfg_pool *other = usercfg_pool_of(cfg, path);
	autofree char *there = other ? xasprintf("/pool/%s", other->id) : NULL;

	return there ? api_check(req, there, "Pool.Allocate", false, err) : 0;
}

static int add_member(struct api_request *req, struct usercfg *cfg, struct cfg_pool *pool,
		      const struct member_kind *kind, const char *id, struct err *err)
{
	autofree char *path = xasprintf("%s%s", kind->prefix, id);
	int r = check_gives(req, cfg, pool, path, err);

	if (r == 0 && !kind->is_there(req->core, id))
		return err_field(err, kind->param, "%s '%s' does not exist", kind->noun, id);
	if (r == 0)
		r = check_move(req, cfg, path, err);
	return r < 0 ? r
		     : usercfg_pool_add(cfg, pool, path, api_bool(req, "allow-move", false), err);
}

static int drop_member(struct api_request *req, struct usercfg *cfg, struct cfg_pool *pool,
		       const struct member_kind *kind, const char *id, struct err *err)
{
	autofree char *path = xasprintf("%s%s", kind->prefix, id);
	int r = check_drop(req, path, err);

	return r < 0 ? r : usercfg_pool_drop(cfg, pool, path, err);
}

static int change_members(struct api_request *req, struct usercfg *cfg, struct cfg_pool *pool,
			  const struct member_kind *kind, struct err *err)
{
	autostrv char **ids = api_list(req, kind->param);
	bool is_delete = api_bool(req, "delete", false);
	int r = 0;

	for (char **id = ids; *id && r == 0; id++)
		r = (is_delete ? drop_member : add_member)(req, cfg, pool, kind, *id, err);
	return r;
}

static int apply_update(struct api_request *req, struct access_draft *draft, struct err *err)
{
	struct cfg_pool *pool;
	int r = usercfg_pool(draft->cfg, api_str(req, "poolid"), &pool, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = change_members(req, draft->cfg, pool, &kinds[i], err);
	if (r == 0)
		api_take_text(req, "comment", &pool->comment);
	return r;
}

static int apply_create(struct api_request *req, struct access_draft *draft, struct err *err)
{
	struct cfg_pool *pool;
	int r = usercfg_add_pool(draft->cfg, api_str(req, "poolid"), &pool, err);

	if (r == 0)
		api_take_text(req, "comment", &pool->comment);
	return r;
}

static int apply_delete(struct api_request *req, struct access_draft *draft, struct err *err)
{
	return usercfg_remove_pool(draft->cfg, api_str(req, "poolid"), err);
}

static int create_pool(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_create, NULL, err);
}

static int update_pool(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_update, NULL, err);
}

static int delete_pool(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_delete, NULL, err);
}

#define COMMENT                                                                                    \
	{                                                                                          \
		.name = "comment", .optional = true, .has_max = true, .max = USERCFG_TEXT_MAX,     \
		.text = "Free text."                                                               \
	}

static const struct param create_params[] = {API_POOLID, COMMENT, PARAM_END};
static const struct param delete_params[] = {API_POOLID, PARAM_END};
static const struct param update_params[] = {
	API_POOLID,
	COMMENT,
	{.name = "vms",
	 .optional = true,
	 .format = "pve-vmid-list",
	 .text = "Guests to put into the pool, or to take out of it."},
	{.name = "storage",
	 .optional = true,
	 .format = "pve-storage-id-list",
	 .text = "Storages to put into the pool, or to take out of it."},
	{.name = "delete",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Take out what vms and storage name."},
	{.name = "allow-move",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Guests may come out of another pool."},
	PARAM_END,
};

#define MAY_CHANGE                                                                                 \
	{                                                                                          \
		.kind = API_CHECK, .path = "/pool/{poolid}", .privs = "Pool.Allocate"              \
	}
#define UPDATE(path_)                                                                              \
	{                                                                                          \
		.verb = API_PUT, .path = path_,                                                    \
		.text = "Change a pool's comment, put members in or take them out.",               \
		.params = update_params, .permission = MAY_CHANGE,                                 \
		.returns = "{\"type\":\"null\"}", .handle = update_pool                            \
	}
#define DELETE(path_)                                                                              \
	{                                                                                          \
		.verb = API_DELETE, .path = path_,                                                 \
		.text = "Delete an empty pool, with its ACL entries.", .params = delete_params,    \
		.permission = MAY_CHANGE, .returns = "{\"type\":\"null\"}", .handle = delete_pool  \
	}

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/pools",
	 .text = "Create a pool.",
	 .params = create_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = create_pool},
	UPDATE("/pools"),
	UPDATE("/pools/{poolid}"),
	DELETE("/pools"),
	DELETE("/pools/{poolid}"),
};

const struct api_table api_table_pool_edit = {routes, ARRAY_SIZE(routes)};
