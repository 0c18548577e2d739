/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools in the model of /user.cfg: guests and storages that rights are given on together. Pure; runs
 * in the core. */
#include <string.h>

#include "agent/auth/acl.h"
#include "agent/auth/usercfg_internal.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define GUEST_PREFIX   "/vms/"
#define STORAGE_PREFIX "/storage/"

void pool_free(void *p)
{
	struct cfg_pool *pool = p;

	map_free(pool->members, NULL);
	free(pool->id);
	free(pool->comment);
	free(pool);
}

bool poolid_is_valid(const char *poolid)
{
	autofree char *path = xasprintf("/pool/%s", poolid);
	autofree char *normal = acl_path_normalize(path);

	return normal && str_eq(normal, path);
}

int usercfg_pool(const struct usercfg *cfg, const char *poolid, struct cfg_pool **ret,
		 struct err *err)
{
	struct cfg_pool *pool = map_get(cfg->pools, poolid);

	if (!pool)
		return err_set(err, ERR_NOT_FOUND, "pool '%s' does not exist", poolid);
	*ret = pool;
	return 0;
}

/* "a/b" lies in "a", which must be there. */
static int check_parent(const struct usercfg *cfg, const char *poolid, struct err *err)
{
	const char *slash = strrchr(poolid, '/');
	autofree char *parent = slash ? xstrndup(poolid, (size_t)(slash - poolid)) : NULL;

	if (!parent || map_get(cfg->pools, parent))
		return 0;
	return err_field(err, "poolid", "parent '%s' of pool '%s' does not exist", parent, poolid);
}

int usercfg_add_pool(struct usercfg *cfg, const char *poolid, struct cfg_pool **ret,
		     struct err *err)
{
	struct cfg_pool *pool;
	int r;

	if (!poolid_is_valid(poolid))
		return err_field(err, "poolid",
				 "pool name '%s' is not valid: up to three names of letters, "
				 "digits, '.', '_' and '-', with '/' between",
				 poolid);
	if (map_get(cfg->pools, poolid))
		return err_set(err, ERR_EXISTS, "pool '%s' already exists", poolid);
	r = check_parent(cfg, poolid, err);
	if (r < 0)
		return r;
	pool = xcalloc(1, sizeof(*pool));
	pool->id = xstrdup(poolid);
	pool->members = map_new();
	map_put(cfg->pools, poolid, pool);
	*ret = pool;
	return 0;
}

static bool has_child(const struct usercfg *cfg, const char *poolid)
{
	autofree char *below = xasprintf("%s/", poolid);
	const char *id;

	return map_first(cfg->pools, below, &id) && str_starts(id, below);
}

int usercfg_remove_pool(struct usercfg *cfg, const char *poolid, struct err *err)
{
	autofree char *path = xasprintf("/pool/%s", poolid);
	struct cfg_pool *pool;
	const char *member;
	int r = usercfg_pool(cfg, poolid, &pool, err);

	if (r < 0)
		return r;
	if (map_first(pool->members, NULL, &member))
		return err_set(err, ERR_BUSY, "pool '%s' is not empty (contains '%s')", poolid,
			       member + 1);
	if (has_child(cfg, poolid))
		return err_set(err, ERR_BUSY, "pool '%s' contains other pools", poolid);
	acl_forget_path(cfg, path);
	pool_free(map_remove(cfg->pools, poolid));
	return 0;
}

/* ---- members ---- */

const struct cfg_pool *usercfg_pool_of(const struct usercfg *cfg, const char *path)
{
	return map_get(cfg->pooled, path);
}

static int check_guest(const struct usercfg *cfg, const struct cfg_pool *pool, const char *path,
		       bool may_move, struct err *err)
{
	const struct cfg_pool *other = usercfg_pool_of(cfg, path);

	if (!other || (may_move && other != pool))
		return 0;
	return err_field(err, "vms", "VM %s belongs to pool '%s' already%s",
			 path + strlen(GUEST_PREFIX), other->id,
			 other == pool ? "" : " (allow-move takes it out of there)");
}

int usercfg_pool_add(struct usercfg *cfg, struct cfg_pool *pool, const char *path, bool may_move,
		     struct err *err)
{
	bool is_guest = str_starts(path, GUEST_PREFIX);
	struct cfg_pool *other;
	int r;

	if (!acl_path_is_valid(path) || (!is_guest && !str_starts(path, STORAGE_PREFIX)))
		return err_set(err, ERR_INVALID, "'%s' cannot be a member of a pool", path);
	if (!is_guest && map_get(pool->members, path))
		return err_field(err, "storage", "storage '%s' belongs to pool '%s' already",
				 strrchr(path, '/') + 1, pool->id);
	r = is_guest ? check_guest(cfg, pool, path, may_move, err) : 0;
	if (r < 0)
		return r;
	other = is_guest ? map_get(cfg->pooled, path) : NULL;
	if (other)
		map_remove(other->members, path);
	map_put(pool->members, path, pool);
	if (is_guest)
		map_put(cfg->pooled, path, pool);
	return 0;
}

int usercfg_pool_drop(struct usercfg *cfg, struct cfg_pool *pool, const char *path, struct err *err)
{
	bool is_guest = str_starts(path, GUEST_PREFIX);

	if (!map_remove(pool->members, path))
		return err_field(err, is_guest ? "vms" : "storage",
				 "'%s' is not a member of pool '%s'", strrchr(path, '/') + 1,
				 pool->id);
	if (is_guest)
		map_remove(cfg->pooled, path);
	return 0;
}

bool usercfg_forget_path(struct usercfg *cfg, const char *path)
{
	const char *id;
	bool was_known = map_get(cfg->acl, path) != NULL;

	acl_forget_path(cfg, path);
	map_remove(cfg->pooled, path);
	for (struct cfg_pool *p = map_first(cfg->pools, NULL, &id); p;
	     p = map_next(cfg->pools, id, &id))
		was_known |= map_remove(p->members, path) != NULL;
	return was_known;
}

bool usercfg_has_same_pools(const struct usercfg *cfg, const struct usercfg *other)
{
	const char *path;

	if (map_size(cfg->pooled) != map_size(other->pooled))
		return false;
	for (const struct cfg_pool *p = map_first(cfg->pooled, NULL, &path); p;
	     p = map_next(cfg->pooled, path, &path)) {
		const struct cfg_pool *there = usercfg_pool_of(other, path);

		if (!there || !str_eq(there->id, p->id))
			return false;
	}
	return true;
}
