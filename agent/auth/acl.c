/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resolution of the ACL. Pure; runs in the core. */
#include "agent/auth/acl.h"

#include <string.h>

#include "agent/auth/privs.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

struct query {
	const struct usercfg *cfg;
	enum acl_kind kind; /* ACL_USER or ACL_TOKEN */
	const char *subject;
};

static bool concerns(const struct query *q, const struct acl_entry *entry, enum acl_kind kind)
{
	if (entry->kind != kind)
		return false;
	if (kind == ACL_GROUP)
		return usercfg_is_member(q->cfg, entry->subject, q->subject);
	return str_eq(entry->subject, q->subject);
}

static void add_role(const struct query *q, const struct acl_entry *entry, struct rights *rights)
{
	const struct cfg_role *role = map_get(q->cfg->roles, entry->role);

	if (!role)
		return;
	rights->granted |= role->privs;
	if (entry->propagate)
		rights->propagated |= role->privs;
}

/* What the entries of one kind say at this path; false: nothing, so what came from above holds. */
static bool node_rights(const struct query *q, const struct acl_node *node, enum acl_kind kind,
			bool is_last, struct rights *ret)
{
	struct rights rights = {0};
	bool is_found = false, is_denied = false;

	for (size_t i = 0; i < node->count; i++) {
		const struct acl_entry *entry = &node->items[i];

		if ((!is_last && !entry->propagate) || !concerns(q, entry, kind))
			continue;
		is_found = true;
		if (str_eq(entry->role, ROLE_NO_ACCESS))
			is_denied = true;
		add_role(q, entry, &rights);
	}
	if (is_found)
		*ret = is_denied ? (struct rights){.is_denied = true} : rights;
	return is_found;
}

static void visit(const struct query *q, const char *path, bool is_last, struct rights *rights)
{
	const struct acl_node *node = map_get(q->cfg->acl, path);

	if (!node || node_rights(q, node, q->kind, is_last, rights))
		return;
	if (q->kind == ACL_USER)
		node_rights(q, node, ACL_GROUP, is_last, rights);
}

static struct rights resolve(const struct query *q, const char *path)
{
	struct rights rights = {0};
	char above[USERCFG_ACL_PATH_MAX + 1];
	size_t size = strlen(path);

	if (path[0] != '/' || size > USERCFG_ACL_PATH_MAX)
		return rights;
	visit(q, "/", size == 1, &rights);
	for (size_t end = 1; end < size; end++) {
		end += strcspn(path + end, "/");
		memcpy(above, path, end);
		above[end] = '\0';
		visit(q, above, end == size, &rights);
	}
	return rights;
}

static void add_pool(const struct query *q, const struct cfg_pool *pool, struct rights *rights)
{
	autofree char *path = xasprintf("/pool/%s", pool->id);
	struct rights more = resolve(q, path);

	rights->granted |= more.granted;
	rights->propagated |= more.propagated;
}

static struct rights resolve_pooled(const struct query *q, const char *path)
{
	struct rights rights = resolve(q, path);
	const struct cfg_pool *own = usercfg_pool_of(q->cfg, path);
	const char *id;

	if (rights.is_denied)
		return rights;
	if (own)
		add_pool(q, own, &rights);
	if (!str_starts(path, "/storage/"))
		return rights;
	for (const struct cfg_pool *p = map_first(q->cfg->pools, NULL, &id); p;
	     p = map_next(q->cfg->pools, id, &id))
		if (map_get(p->members, path))
			add_pool(q, p, &rights);
	return rights;
}

struct rights acl_user_rights(const struct usercfg *cfg, const char *userid, const char *path)
{
	struct query q = {.cfg = cfg, .kind = ACL_USER, .subject = userid};

	if (str_eq(userid, ROOT_USERID))
		return (struct rights){PRIVSET_ALL, PRIVSET_ALL, false};
	return resolve_pooled(&q, path);
}

struct rights acl_token_rights(const struct usercfg *cfg, const char *tokenid, const char *path)
{
	struct query q = {.cfg = cfg, .kind = ACL_TOKEN, .subject = tokenid};

	return resolve_pooled(&q, path);
}

static privset node_gives(const struct usercfg *cfg, const char *path, bool is_last)
{
	const struct acl_node *node = map_get(cfg->acl, path);
	privset set = 0;

	for (size_t i = 0; node && i < node->count; i++) {
		const struct cfg_role *role = map_get(cfg->roles, node->items[i].role);

		if (role && (is_last || node->items[i].propagate))
			set |= role->privs;
	}
	return set;
}

privset acl_pool_gives(const struct usercfg *cfg, const char *poolid)
{
	autofree char *path = xasprintf("/pool/%s", poolid);
	privset set = node_gives(cfg, path, true);

	/* who has rights on all there is has them on the member as well */
	for (char *slash; (slash = strrchr(path, '/')) != path;) {
		*slash = '\0';
		set |= node_gives(cfg, path, false);
	}
	return set;
}
