/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Summaries of rights. Runs in the core's loop. */
#include "agent/auth/caps.h"

#include <string.h>

#include "agent/auth/edit.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

/* Shown even where no ACL entry stands, since rights come down to them from "/". */
static const char *const top_paths[] = {
	"/",	  "/access", "/access/groups", "/access/realm", "/mapping",
	"/nodes", "/pool",   "/sdn",	       "/storage",	"/vms",
};

static bool is_top(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(top_paths); i++)
		if (str_eq(path, top_paths[i]))
			return true;
	return false;
}

/* ---- capabilities ---- */

struct area {
	const char *name;
	const char *path;
	const char *prefixes[4]; /* of the names of privileges */
};

static const struct area areas[] = {
	{"vms", "/vms", {"VM.", "Permissions."}},
	{"storage", "/storage", {"Datastore.", "Permissions."}},
	{"access", "/access", {"User.", "Group.", "Realm.", "Permissions."}},
	{"nodes", "/nodes", {"Sys.", "Permissions."}},
	{"sdn", "/sdn", {"SDN.", "Permissions."}},
	{"dc", "/", {"Sys.Audit", "Sys.Modify", "SDN."}},
	{"mapping", "/mapping", {"Mapping.", "Permissions."}},
};

static privset area_privs(const struct area *area)
{
	privset set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(area->prefixes) && area->prefixes[i]; i++)
		set |= privset_of_prefix(area->prefixes[i]);
	return set;
}

/* What a pool gives all of its members have but those that are denied to the user: the first other one tells. */
static privset held_on_member(struct access *access, const struct identity *who,
			      const struct cfg_pool *pool, const char *below)
{
	const char *path;
	privset set = 0;

	for (void *m = map_first(pool->members, below, &path);
	     m && str_starts(path, below) && set == 0; m = map_next(pool->members, path, &path))
		set = access_privileges(access, who, path);
	return set;
}

static privset held_by_pools(struct access *access, const struct identity *who, const char *below)
{
	const struct map *pools = access_usercfg(access)->pools;
	const char *id;
	privset set = 0;

	for (const struct cfg_pool *p = map_first(pools, NULL, &id); p;
	     p = map_next(pools, id, &id))
		set |= held_on_member(access, who, p, below);
	return set;
}

static privset held_anywhere(struct access *access, const struct identity *who, const char *root)
{
	privset set = access_privileges(access, who, root);
	const char *path;

	if (str_eq(root, "/"))
		return set;
	autofree char *below = xasprintf("%s/", root);
	const struct map *acl = access_usercfg(access)->acl;
	for (void *node = map_first(acl, below, &path); node && str_starts(path, below);
	     node = map_next(acl, path, &path))
		set |= access_privileges(access, who, path);
	return set | held_by_pools(access, who, below);
}

void access_caps_to_json(struct access *access, const struct identity *who, struct json *j)
{
	json_object_begin(j);
	for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
		privset set = held_anywhere(access, who, areas[i].path) & area_privs(&areas[i]);

		json_key(j, areas[i].name);
		privset_to_json_object(set, true, j);
	}
	json_object_end(j);
}

/* ---- the tree ---- */

static void add_path(struct access *access, const struct identity *who, const char *path,
		     bool even_if_empty, struct json *j)
{
	struct rights rights = access_rights(access, who, path);

	if (!rights.granted && !even_if_empty)
		return;
	json_key(j, path);
	json_object_begin(j);
	for (unsigned i = 0; i < PRIV_COUNT; i++)
		if (rights.granted & (privset)1 << i)
			json_kv_bool(j, priv_name(i), rights.propagated & (privset)1 << i);
	json_object_end(j);
}

/* What has rights through a pool alone. A storage may be in several. */
static void add_pooled(struct access *access, const struct identity *who, struct json *j)
{
	const struct usercfg *cfg = access_usercfg(access);
	struct map *told = map_new();
	const char *id, *path;

	for (struct cfg_pool *p = map_first(cfg->pools, NULL, &id); p;
	     p = map_next(cfg->pools, id, &id))
		for (void *m = map_first(p->members, NULL, &path); m;
		     m = map_next(p->members, path, &path))
			if (!map_get(cfg->acl, path) && !map_put(told, path, p))
				add_path(access, who, path, false, j);
	map_free(told, NULL);
}

void access_tree_to_json(struct access *access, const struct identity *who, struct json *j)
{
	const struct map *acl = access_usercfg(access)->acl;
	const char *path;

	json_object_begin(j);
	for (size_t i = 0; i < ARRAY_SIZE(top_paths); i++)
		add_path(access, who, top_paths[i], false, j);
	for (void *node = map_first(acl, NULL, &path); node; node = map_next(acl, path, &path))
		if (!is_top(path))
			add_path(access, who, path, false, j);
	add_pooled(access, who, j);
	json_object_end(j);
}

void access_path_to_json(struct access *access, const struct identity *who, const char *path,
			 struct json *j)
{
	json_object_begin(j);
	add_path(access, who, path, true, j);
	json_object_end(j);
}
